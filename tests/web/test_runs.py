"""The page of a run: its parts, each button with its right and its refusal, and the way without JavaScript."""

import pytest
from sqlalchemy import select

from app.run.events import (
    BackfillFinished,
    BatchCommitted,
    GateReached,
    LockNotGranted,
    StatementStarted,
    StepFailed,
)
from app.run.states import RunState, StepState
from app.store.events import append_event, append_events
from app.store.tables import Run, RunGauge, RunStep
from tests.doubles.world import World
from tests.web.site import Forms, Site

PARTS = ('id="run-header"', 'id="run-timeline"', 'id="run-now"', 'id="run-signals"', 'id="run-actions"', 'id="run-log"')
#: verb, the state in which it is open, the fields of its form, the state that follows
BUTTONS = [
    ("pause", RunState.RUNNING, {}, RunState.PAUSING),
    ("resume", RunState.PAUSED, {}, RunState.RUNNING),
    ("retry", RunState.FAILED, {"step": "add-note"}, RunState.RUNNING),
    ("skip", RunState.FAILED, {"step": "add-note", "reason": "done by hand"}, RunState.RUNNING),
    ("cancel", RunState.RUNNING, {"reason": "wrong day"}, RunState.CANCELLING),
    ("open-gate", RunState.WAITING_GATE, {"step": "ask", "note": "it is live"}, RunState.RUNNING),
    ("roll-back", RunState.MONITORING, {"target": "shop-production"}, RunState.ROLLING_BACK),
]
_STEPS = {RunState.WAITING_GATE: {"add-note": "succeeded", "ask": "waiting"}, RunState.FAILED: {"add-note": "failed"}}


def a_run(world: World, state: RunState) -> Run:
    run = world.started()
    steps = _STEPS.get(state, {"add-note": "succeeded"})
    current = "ask" if state is RunState.WAITING_GATE else "add-note"
    world.driven(run, state, step=current, steps=steps)
    if state is RunState.MONITORING:
        with world.sessions.begin() as session:
            session.get_one(Run, run.id).finished_at = world.clock.now()
    return run


def events(world: World, run: Run, *happened: object) -> None:
    with world.sessions.begin() as session:
        append_events(session, run.id, happened, at=world.clock.now())


@pytest.mark.parametrize("state", list(RunState))
def test_the_page_shows_every_part_in_every_state(site: Site, state):
    run = a_run(site.world, state)
    page = site.browser("viewer").get(f"/runs/{run.id}")
    assert page.status_code == 200
    for part in PARTS:
        assert part in page.text
    assert " style=" not in page.text
    assert "Add a note" in page.text


def test_an_outsider_does_not_learn_that_the_run_is_there(site: Site):
    run = a_run(site.world, RunState.RUNNING)
    for path in ("", "/actions", "/gate", "/events", "/events.txt", "/verification", "/monitoring"):
        assert site.browser("outsider").get(f"/runs/{run.id}{path}").status_code in {403, 404}, path
        assert site.stranger().get(f"/runs/{run.id}{path}").status_code in {303, 401}, path


def test_the_list_names_the_run_for_a_member_only(site: Site):
    run = a_run(site.world, RunState.RUNNING)
    assert f"/runs/{run.id}" in site.browser("viewer").get("/runs").text
    assert f"/runs/{run.id}" not in site.browser("outsider").get("/runs").text


def test_the_list_is_narrowed_to_a_state_and_a_target(site: Site):
    run = a_run(site.world, RunState.RUNNING)
    viewer = site.browser("viewer")
    target, other = site.world.production.id, site.world.staging.id
    for query in ("state=running", f"target={target}", f"state=running&target={target}", "state=nonsense", "target=x"):
        assert f"/runs/{run.id}" in viewer.get(f"/runs?{query}").text, query
    for query in ("state=failed", f"target={other}", f"state=failed&target={target}"):
        page = viewer.get(f"/runs?{query}").text
        assert f"/runs/{run.id}" not in page, query
        assert "No run matches" in page, query


@pytest.mark.parametrize(("verb", "state", "fields", "after"), BUTTONS)
def test_a_button_is_a_form_that_works_without_javascript(site: Site, verb, state, fields, after):
    run = a_run(site.world, state)
    operator = site.browser("operator")
    sent = Forms(operator.get(f"/runs/{run.id}").text).fields(f"/runs/{run.id}/{verb}")
    assert set(fields) <= set(sent)
    answer = operator.post(f"/runs/{run.id}/{verb}", data=sent | fields)
    assert answer.status_code == 303
    assert site.world.run(run).state is after


@pytest.mark.parametrize(("verb", "state", "fields", "after"), BUTTONS)
def test_who_may_not_press_a_button_does_not_see_it_and_is_refused(site: Site, verb, state, fields, after):
    run = a_run(site.world, state)
    viewer = site.browser("viewer")
    page = viewer.get(f"/runs/{run.id}").text
    assert f'action="/runs/{run.id}/{verb}"' not in page
    assert "needs the role operator in Shop" in page
    answer = viewer.post(f"/runs/{run.id}/{verb}", data=fields)
    assert answer.status_code == 403
    assert site.world.run(run).state is state


@pytest.mark.parametrize(
    ("verb", "fields"),
    [
        ("skip", {"step": "add-note", "reason": "done"}),
        ("retry", {"step": "add-note"}),
        ("roll-back", {"target": "shop-production"}),
    ],
)
def test_a_stale_pages_button_says_how_the_run_stands_now(site: Site, verb, fields):
    run = a_run(site.world, RunState.WAITING_GATE)
    answer = site.browser("operator").post(f"/runs/{run.id}/{verb}", data=fields)
    assert answer.status_code == 409
    assert "waiting at a gate" in answer.text
    assert site.world.run(run).state is RunState.WAITING_GATE


def test_a_button_pressed_twice_does_it_once(site: Site):
    run = a_run(site.world, RunState.RUNNING)
    operator = site.browser("operator")
    assert [operator.post(f"/runs/{run.id}/pause").status_code for _ in range(2)] == [303, 303]
    assert site.world.run(run).state is RunState.PAUSING


def test_a_skip_without_a_reason_and_a_rollback_with_a_wrong_name_are_refused(site: Site):
    failed = a_run(site.world, RunState.FAILED)
    operator = site.browser("operator")
    assert operator.post(f"/runs/{failed.id}/skip", data={"step": "add-note", "reason": " "}).status_code == 422
    assert operator.post(f"/runs/{failed.id}/roll-back", data={"target": "shop"}).status_code == 422
    assert site.world.run(failed).state is RunState.FAILED


def test_a_form_from_another_site_changes_nothing(site: Site):
    run = a_run(site.world, RunState.RUNNING)
    answer = site.browser("operator").post(f"/runs/{run.id}/pause", headers={"origin": "http://elsewhere.example"})
    assert answer.status_code == 403
    assert site.world.run(run).state is RunState.RUNNING


def test_the_gate_asks_its_question_with_the_form_in_place(site: Site):
    run = a_run(site.world, RunState.WAITING_GATE)
    events(site.world, run, GateReached(step="ask", ask="The release is live", who=""))
    page = site.browser("operator").get(f"/runs/{run.id}").text
    gate = page.partition('id="run-gate"')[2].partition('aria-label="Current step"')[0]
    assert "The release is live" in gate
    assert f'action="/runs/{run.id}/open-gate"' in gate
    assert "Goes on with “index-note” at once" in gate
    # one card for the gate, not two
    assert 'class="card hero"' not in page
    alone = site.browser("operator").get(f"/runs/{run.id}/gate", headers={"hx-request": "true"}).text
    assert alone.lstrip().startswith('<div class="card gate"')


def test_no_gate_no_card(site: Site):
    run = a_run(site.world, RunState.RUNNING)
    assert site.browser("operator").get(f"/runs/{run.id}/gate").text.strip() == ""


def test_a_failed_step_shows_the_servers_own_words_and_the_statement(site: Site):
    run = a_run(site.world, RunState.FAILED)
    failure = StepFailed(
        step="add-note", message='column "note" already exists', sqlstate="42701", statement="ALTER TABLE users ADD note text"
    )
    events(site.world, run, failure)
    with site.world.sessions.begin() as session:
        session.get_one(RunStep, (run.id, "add-note")).error = failure.payload()
    page = site.browser("viewer").get(f"/runs/{run.id}").text
    assert "column &#34;note&#34; already exists" in page
    assert "42701" in page


def test_the_figures_of_a_waiting_statement_name_who_blocks_it(site: Site):
    run = a_run(site.world, RunState.RUNNING)
    blocker = "pid 4711, idle in transaction for 6 min, application billing"
    signals = {"lock_waiters": {"value": 2, "limit": 3, "unit": "sessions", "state": "slowing"}}
    with site.world.sessions.begin() as session:
        session.get_one(RunStep, (run.id, "add-note")).state = StepState.RUNNING
        payload = {"step": "add-note", "blocked_by": [blocker], "pid": 17, "signals": signals}
        session.add(RunGauge(run_id=run.id, at=site.world.clock.now(), payload=payload))
    page = site.browser("viewer").get(f"/runs/{run.id}").text
    assert blocker in page
    assert "pid 17" in page
    assert "Lock waiters" in page
    assert "slowing, limit 3 sessions" in page


def test_the_timeline_says_what_came_of_each_step(site: Site):
    run = a_run(site.world, RunState.RUNNING)
    lock = LockNotGranted(step="add-note", attempt=1, attempts=30, waited_ms=2000, retry_in_ms=1000)
    filled = BackfillFinished(step="add-note", rows_changed=300_000, rows_scanned=1, batches=28, seconds=2.0, resumed=False)
    events(site.world, run, lock, lock, filled)
    page = site.browser("viewer").get(f"/runs/{run.id}").text
    assert "300,000 rows, 28 batches · 2 tries again" in page


def test_a_hostile_text_is_shown_and_not_run(site: Site):
    run = a_run(site.world, RunState.RUNNING)
    events(site.world, run, StatementStarted(step="add-note", index=1, of=1, sql="SELECT '<script>alert(1)</script>'", pid=1))
    page = site.browser("viewer").get(f"/runs/{run.id}").text
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page


def test_the_log_is_paged_filtered_and_there_as_text(site: Site):
    run = a_run(site.world, RunState.RUNNING)
    batch = BatchCommitted(step="add-note", batches=1, rows_changed=10, batch_rows=10, batch_ms=1.0)
    events(site.world, run, *([batch] * 250))
    viewer = site.browser("viewer")
    first = viewer.get(f"/runs/{run.id}/events").text
    assert first.count('data-group="work"') == 200
    assert 'rel="next"' in first
    second = viewer.get(f"/runs/{run.id}/events?page=2").text
    assert "asked for this run" in second
    people = viewer.get(f"/runs/{run.id}/events?group=person").text
    assert "asked for this run" in people
    assert 'data-group="work"' not in people
    assert viewer.get(f"/runs/{run.id}/events?group=<script>").status_code == 422
    text = viewer.get(f"/runs/{run.id}/events.txt")
    assert text.headers["content-type"].startswith("text/plain")
    assert len(text.text.splitlines()) == site.world.run(run).event_number


def test_who_filters_sees_decisions_that_are_older_than_the_newest_lines(site: Site):
    run = a_run(site.world, RunState.RUNNING)
    with site.world.sessions.begin() as session:
        append_event(session, run.id, LockNotGranted(step="add-note", attempt=1, attempts=3, waited_ms=1, retry_in_ms=1))
    batch = BatchCommitted(step="add-note", batches=1, rows_changed=10, batch_rows=10, batch_ms=1.0)
    events(site.world, run, *([batch] * 100))
    page = site.browser("viewer").get(f"/runs/{run.id}").text
    assert 'is-warn is-older" id="event-' in page
    assert page.count('data-group="work"') == 50


def test_a_page_that_waits_for_people_leaves_them_time_without_javascript(site: Site):
    run = a_run(site.world, RunState.RUNNING)
    viewer = site.browser("viewer")
    assert '<noscript><meta http-equiv="refresh" content="3"></noscript>' in viewer.get(f"/runs/{run.id}").text
    site.world.driven(run, RunState.WAITING_GATE, step="ask", steps={"add-note": "succeeded", "ask": "waiting"})
    assert 'content="20"' in viewer.get(f"/runs/{run.id}").text
    site.world.driven(run, RunState.COMPLETED)
    assert 'http-equiv="refresh"' not in viewer.get(f"/runs/{run.id}").text


def test_steps_of_a_run_that_was_rolled_back_are_not_called_done(site: Site):
    run = a_run(site.world, RunState.ROLLED_BACK)
    viewer = site.browser("viewer")
    assert "steps done" not in viewer.get(f"/runs/{run.id}").text
    assert "steps done" not in viewer.get("/runs").text


def test_a_rollback_names_the_run_that_it_undoes_and_the_other_way_round(site: Site):
    forward = a_run(site.world, RunState.MONITORING)
    operator = site.browser("operator")
    answer = operator.post(f"/runs/{forward.id}/roll-back", data={"target": "shop-production"})
    back = answer.headers["location"]
    assert f"run {forward.id}</a>" in operator.get(back).text
    assert "Roll back…" not in operator.get(back).text
    assert back in operator.get(f"/runs/{forward.id}").text


def test_a_run_that_is_not_there_is_a_problem_page_with_a_way_out(site: Site):
    answer = site.browser("viewer").get("/runs/4711")
    assert answer.status_code == 404
    assert "There is no such run" in answer.text


def test_the_speed_is_changed_only_in_a_running_backfill(site: Site):
    run = a_run(site.world, RunState.RUNNING)
    operator = site.browser("operator")
    assert f"/runs/{run.id}/speed" not in operator.get(f"/runs/{run.id}").text
    with site.world.sessions.begin() as session:
        for row in session.scalars(select(RunStep).where(RunStep.run_id == run.id)):
            row.kind, row.state = ("backfill", StepState.RUNNING) if row.step_id == "add-note" else (row.kind, row.state)
    assert f"/runs/{run.id}/speed" in operator.get(f"/runs/{run.id}/actions").text
    assert operator.post(f"/runs/{run.id}/speed", data={"profile": "gentle"}).status_code == 303
    assert operator.post(f"/runs/{run.id}/speed", data={"profile": "ludicrous"}).status_code == 422
