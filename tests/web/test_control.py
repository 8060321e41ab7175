"""The card about who drives a run, the abort, what is rolled back, and ending a session: by page and by REST."""

from app.plan.model import Rollback, Step
from app.run.states import RunState
from app.store import control
from app.store.tables import Run, RunGauge, RunStep, SessionEnding
from tests.doubles.world import World, a_plan, a_step
from tests.web.site import Forms, Site

STARTED = "2026-03-02T08:00:00+00:00"
IN_THE_WAY = {"pid": 4711, "backend_start": STARTED, "session": "pid 4711 (billing) holds AccessShareLock on users"}


def a_run(world: World, state: RunState = RunState.RUNNING, **steps: str) -> Run:
    run = world.started()
    world.driven(run, state, step="add-note", steps=steps or {"add-note": "succeeded"})
    return run


def test_who_does_not_drive_it_sees_who_does_and_takes_it_with_a_reason(site: Site):
    run = a_run(site.world)
    other = site.browser("project_admin")
    page = other.get(f"/runs/{run.id}").text
    assert "Operator</bdi> drives this run" in page
    assert f"/runs/{run.id}/pause" not in page
    refused = other.post(f"/runs/{run.id}/pause")
    assert (refused.status_code, "Operator drives run" in refused.text) == (409, True)
    assert other.post(f"/runs/{run.id}/take-control", data={"reason": ""}).status_code == 422
    assert other.post(f"/runs/{run.id}/take-control", data={"reason": "He is away"}).status_code == 303
    assert f'action="/runs/{run.id}/pause"' in other.get(f"/runs/{run.id}").text
    page = site.browser("operator").get(f"/runs/{run.id}/control").text
    fields = Forms(page).fields(f"/runs/{run.id}/review-control")
    assert "He is away" in page
    assert site.browser("operator").post(f"/runs/{run.id}/review-control", data={**fields, "note": "Right"}).status_code == 303
    with site.world.sessions() as session:
        assert control.to_review(session) == []


def test_control_is_asked_for_and_handed_over_on_the_page_and_by_rest(site: Site):
    run = a_run(site.world)
    asker, driver = site.browser("project_admin"), site.browser("operator")
    asker.post(f"/runs/{run.id}/ask-control", data={"note": "My shift"})
    assert "My shift" in driver.get(f"/runs/{run.id}").text
    asks = driver.get(f"/api/v1/runs/{run.id}/control").json()["asks"]
    body = {"person": asks[0]["person_id"], "text": "All yours"}
    for _ in range(2):
        assert driver.post(f"/api/v1/runs/{run.id}/hand-over", json=body).json()["driver"] == asks[0]["person_id"]
    assert driver.post(f"/api/v1/runs/{run.id}/pause").status_code == 409
    assert asker.post(f"/api/v1/runs/{run.id}/pause").json()["state"] == "pausing"


def test_an_abort_asks_for_the_name_stops_and_says_that_it_rolls_back(site: Site):
    run = a_run(site.world)
    operator = site.browser("operator")
    assert "Abort and roll back" in operator.get(f"/runs/{run.id}").text
    assert operator.post(f"/runs/{run.id}/abort", data={"target": "shop"}).status_code == 422
    for _ in range(2):
        assert operator.post(f"/runs/{run.id}/abort", data={"target": "shop-production"}).status_code == 303
    assert (site.world.run(run).state, site.world.run(run).asked) == (RunState.CANCELLING, "abort")


def test_an_abort_of_what_stands_still_rolls_back_at_once(site: Site):
    run = a_run(site.world, RunState.WAITING_GATE)
    answer = site.browser("operator").post(f"/api/v1/runs/{run.id}/abort", json={"target": "shop-production"}).json()
    assert answer["direction"] == "rollback"
    assert site.world.run(run).state is RunState.ROLLING_BACK


def test_one_step_is_rolled_back_and_what_is_left_later(site: Site):
    run = a_run(site.world, RunState.MONITORING, **{"add-note": "succeeded", "index-note": "succeeded"})
    operator = site.browser("operator")
    page = operator.get(f"/runs/{run.id}").text
    assert 'value="step:index-note"' in page
    choices = operator.get(f"/api/v1/runs/{run.id}/way-back").json()["choices"]
    assert [(choice["scope"], choice["undoes"]) for choice in choices] == [
        ("all", ["index-note", "add-note"]),
        ("step", ["add-note"]),
        ("step", ["index-note"]),
    ]
    sent = {"target": "shop-production", "scope": "step:index-note"}
    back = int(operator.post(f"/runs/{run.id}/roll-back", data=sent).headers["location"].rpartition("/")[2])
    with site.world.sessions.begin() as session:
        assert session.get_one(Run, back).scope == ["index-note"]
        session.get_one(Run, back).state = RunState.COMPLETED
        session.get_one(Run, run.id).state = RunState.ROLLED_BACK
        session.get_one(RunStep, (run.id, "index-note")).state = "rolled_back"
    again = operator.post(f"/api/v1/runs/{run.id}/roll-back", json={"target": "shop-production"}).json()
    with site.world.sessions() as session:
        assert session.get_one(Run, again["run"]).scope == ["add-note"]


def test_where_a_rollback_has_to_stop_and_what_stays_done_is_said_before_it(site: Site):
    gone = Step(
        id="gone",
        kind="sql",
        title="Drop it",
        spec={"sql": "DELETE FROM users"},
        rollback=Rollback(grade="irreversible", reason="The rows are gone."),
    )
    run = site.world.started(site.world.ready(a_plan(steps=(a_step("first"), gone, a_step("last")))))
    site.world.driven(run, RunState.PAUSED, step="last", steps=dict.fromkeys(("first", "gone", "last"), "succeeded"))
    everything = site.browser("operator").get(f"/api/v1/runs/{run.id}/way-back").json()["choices"][0]
    assert (everything["undoes"], everything["stops_at"], everything["remains"]) == (["last"], "gone", ["first"])
    page = site.browser("operator").get(f"/runs/{run.id}").text
    assert "It stops at “Drop it”, which can&#39;t be undone: The rows are gone. What stays done is that, “first”." in page


def test_the_session_in_the_way_is_ended_by_its_name_and_no_other(site: Site):
    run = a_run(site.world, **{"add-note": "running"})
    with site.world.sessions.begin() as session:
        session.add(RunGauge(run_id=run.id, payload={"step": "add-note", "blocker_sessions": [IN_THE_WAY]}))
    operator = site.browser("operator")
    page = operator.get(f"/runs/{run.id}").text
    fields = Forms(page).fields(f"/runs/{run.id}/end-session")
    assert (fields["pid"], fields["backend_start"]) == ("4711", STARTED)
    assert f"/runs/{run.id}/end-session" not in site.browser("viewer").get(f"/runs/{run.id}").text
    for wrong in ({"pid": "4712"}, {"backend_start": "2026-03-02T09:00:00+00:00"}):
        assert operator.post(f"/runs/{run.id}/end-session", data={**fields, **wrong, "reason": "x"}).status_code == 409
    assert operator.post(f"/runs/{run.id}/end-session", data={**fields, "reason": ""}).status_code == 422
    for _ in range(2):
        assert operator.post(f"/runs/{run.id}/end-session", data={**fields, "reason": "Forgotten psql"}).status_code == 303
    with site.world.sessions() as session:
        assert session.query(SessionEnding).one().reason == "Forgotten psql"
    assert [wake.task for wake in site.bell.rung].count("job") == 1


def test_a_session_that_was_in_the_way_of_a_step_that_is_over_is_not_offered_any_more(site: Site):
    run = a_run(site.world)
    with site.world.sessions.begin() as session:
        session.add(RunGauge(run_id=run.id, payload={"step": "add-note", "blocker_sessions": [IN_THE_WAY]}))
    assert f"/runs/{run.id}/end-session" not in site.browser("operator").get(f"/runs/{run.id}").text
