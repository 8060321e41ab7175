"""What stands between a plan and its run: approvals, evidence, backups, the target itself; asked by two people at once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import psycopg
import pytest

from app.client import HeadgateClient, RefusedError
from app.embedded.people import sign_ins
from tests.doubles.waiting import until
from tests.journey.theatre import plan_file, sql_step

NOTE = sql_step("note", "ALTER TABLE public.users ADD COLUMN note text", "ALTER TABLE public.users DROP COLUMN note")
INDEX = sql_step("index", "CREATE INDEX CONCURRENTLY users_by_id ON public.users (id)", "DROP INDEX public.users_by_id")
GATE = "id: ask\nkind: gate\nask: The release is live"
REVIEWED = {"approvals": {"low": 1, "medium": 1, "high": 1}}


@pytest.fixture
def users(database):
    """A target's database with one table."""
    database.execute("CREATE TABLE users (id bigint PRIMARY KEY)")
    return database


def refusal(call, *arguments, **more) -> RefusedError:
    """The refusal that a call comes to."""
    with pytest.raises(RefusedError) as refused:
        call(*arguments, **more)
    return refused.value


def reviewed(theatre, target, step=NOTE) -> tuple[int, str]:
    """A plan in review, and its digest."""
    plan = theatre.plan(target, plan=plan_file(step))
    theatre.cast["author"].post(f"/plans/{plan}/submit")
    return plan, theatre.cast["author"].get(f"/plans/{plan}")["digest"]


def missing(theatre, plan) -> set[str]:
    return {gap["gate"] for gap in theatre.cast["operator"].get(f"/plans/{plan}")["missing"]}


def test_two_people_who_press_start_at_once_get_one_run_and_one_explanation(theatre, users):
    target = theatre.target(users.dsn)
    plan = theatre.plan(target, plan=plan_file(GATE, NOTE))
    digest = theatre.cast["operator"].get(f"/plans/{plan}")["digest"]

    def press(who):
        try:
            return theatre.press_start(plan, who=who, digest=digest)["run"]
        except RefusedError as error:
            return error

    pressing = ["operator", "admin"]
    with ThreadPoolExecutor(2) as two:
        answers = list(two.map(press, pressing))
    [(driver, run)] = [(who, answer) for who, answer in zip(pressing, answers, strict=True) if isinstance(answer, int)]
    [told] = [answer for answer in answers if isinstance(answer, RefusedError)]
    assert told.status == 409
    assert f"started run {run}" in told.message
    assert "One run at a time" in told.hint
    theatre.until_run(run, "waiting_gate")
    theatre.press(run, "cancel", who=driver)


def test_the_same_form_sent_twice_starts_one_run(theatre, users):
    target = theatre.target(users.dsn)
    plan = theatre.plan(target, plan=plan_file(GATE, NOTE))
    token = uuid4().hex
    with ThreadPoolExecutor(2) as two:
        pressed = [two.submit(theatre.press_start, plan, request_token=token) for _ in range(2)]
        first, second = (answer.result()["run"] for answer in pressed)
    assert first == second
    theatre.press(first, "cancel")


def test_a_gate_that_two_people_open_is_opened_once(theatre, users):
    target = theatre.target(users.dsn)
    run = theatre.start(theatre.plan(target, plan=plan_file(GATE, NOTE)))
    theatre.until_run(run, "waiting_gate")
    with ThreadPoolExecutor(2) as two:
        answers = [two.submit(theatre.press, run, "open-gate", who=who, step="ask", text=who) for who in ("operator", "admin")]
        states = [answer.result()["state"] for answer in answers]
    assert set(states) <= {"running", "verifying", "monitoring"}
    theatre.until_run(run, "monitoring")
    assert len(theatre.events(run, "gate_opened")) == 1
    assert refusal(theatre.press, run, "open-gate", step="elsewhere").status == 409


def test_a_scheduled_run_waits_for_its_time(theatre, users):
    target = theatre.target(users.dsn)
    plan = theatre.plan(target, plan=plan_file(NOTE))
    naive = refusal(theatre.press_start, plan, scheduled_for="2027-01-01T10:00:00")
    assert naive.status == 422
    assert "time zone" in naive.message
    when = datetime.now(UTC) + timedelta(seconds=4)
    run = theatre.start(plan, scheduled_for=when.isoformat())
    assert theatre.run(run)["state"] == "scheduled"
    ended = theatre.until_run(run, "monitoring")
    assert ended["state"] == "monitoring"
    [began] = theatre.events(run, "run_started")
    assert datetime.fromisoformat(began["at"]) >= when


def test_a_start_of_what_the_page_showed_before_an_edit_is_refused(theatre, users):
    target = theatre.target(users.dsn)
    plan = theatre.plan(target, plan=plan_file(NOTE))
    stale = refusal(theatre.press_start, plan, digest="0" * 64)
    assert stale.status == 409
    assert "edited" in stale.message
    assert "again" in stale.hint


def test_the_author_alone_can_not_approve(theatre, users):
    # the administrator may approve, but not what they wrote themselves
    target = theatre.target(users.dsn, **REVIEWED)
    body = {"project_id": theatre.cast.project, "target_id": target, "plan": plan_file(NOTE)}
    plan = theatre.cast["admin"].post("/plans", body)["id"]
    theatre.look("admin", f"/plans/{plan}", lambda seen: (seen["analysis"] or {}).get("state") == "done")
    theatre.cast["admin"].post(f"/plans/{plan}/submit")
    digest = theatre.cast["admin"].get(f"/plans/{plan}")["digest"]
    own = refusal(theatre.cast["admin"].post, f"/plans/{plan}/approve", {"digest": digest})
    assert own.status == 403
    assert refusal(theatre.cast["author"].post, f"/plans/{plan}/approve", {"digest": digest}).status == 403
    assert "approvals" in missing(theatre, plan)
    assert refusal(theatre.press_start, plan).status == 409


def test_drift_between_approval_and_start_makes_the_approval_stale_and_the_run_is_refused(theatre, users):
    target = theatre.target(users.dsn, **REVIEWED)
    plan, digest = reviewed(theatre, target)
    theatre.cast["approver"].post(f"/plans/{plan}/approve", {"digest": digest})
    assert missing(theatre, plan) == set()
    users.execute("ALTER TABLE users ADD COLUMN sneaked_in int")
    # the server has not looked yet and takes the run; the worker looks before the first change
    run = theatre.start(plan)
    failed = theatre.until_run(run, "failed")
    assert "Not ready any more" in failed["reason"]
    assert "pprov" in failed["reason"]
    assert users.value("SELECT count(*) FROM pg_attribute WHERE attrelid = 'users'::regclass AND attname = 'note'") == 0
    assert "approvals" in missing(theatre, plan)
    assert refusal(theatre.press, run, "retry").status == 409
    theatre.press(run, "cancel")


def test_a_run_that_changed_the_schema_makes_old_what_was_known_for_other_plans_and_leaves_its_own(theatre, users):
    target = theatre.target(users.dsn, **REVIEWED)
    (first, digest), (second, other) = reviewed(theatre, target), reviewed(theatre, target, INDEX)
    for plan, shown in ((first, digest), (second, other)):
        theatre.cast["approver"].post(f"/plans/{plan}/approve", {"digest": shown})
    assert missing(theatre, second) == set()
    theatre.until_run(theatre.start(first), "monitoring")
    until(lambda: missing(theatre, second) == {"analysis", "approvals"}, seconds=20)
    error = refusal(theatre.press_start, second)
    assert "The schema of" in error.message
    assert "changed since it was analysed" in error.message
    theatre.cast["author"].post(f"/plans/{second}/analyse")
    until(lambda: missing(theatre, second) == {"approvals"}, seconds=20)
    theatre.cast["approver"].post(f"/plans/{second}/approve", {"digest": other})
    assert missing(theatre, second) == set()


def test_a_backup_that_has_grown_old_no_longer_counts(theatre, users):
    target = theatre.target(users.dsn, backup_required=True, backup_max_age_minutes=60)
    plan = theatre.plan(target, plan=plan_file(NOTE))
    assert missing(theatre, plan) == {"backup"}
    backup = theatre.cast["operator"].post(f"/targets/{target}/backups")["backup"]
    taken = theatre.look("operator", f"/backups/{backup}", lambda seen: seen["state"] not in {"queued", "running"})
    assert taken["state"] == "done", taken
    assert missing(theatre, plan) == set()
    with psycopg.connect(theatre.stack.environment["HEADGATE_DATABASE_URL"], autocommit=True) as own:
        own.execute("UPDATE backups SET finished_at = finished_at - interval '61 minutes' WHERE id = %s", [backup])
    assert missing(theatre, plan) == {"backup"}
    refused = refusal(theatre.press_start, plan)
    assert refused.status == 409
    assert "backup" in refused.message


def test_an_operator_who_was_signed_out_meanwhile_starts_nothing(theatre, users):
    target = theatre.target(users.dsn)
    plan = theatre.plan(target, plan=plan_file(NOTE))
    with theatre.client() as stranger:
        assert refusal(stranger.post, f"/plans/{plan}/run", {"digest": "0" * 64, "request_token": "x"}).status == 401
    with HeadgateClient(theatre.stack.address, token="forged-token") as forged:
        assert refusal(forged.get, f"/plans/{plan}").status == 401
    wrong = sign_ins(theatre.stack.folder)[0]
    with theatre.client() as guesser:
        assert refusal(guesser.sign_in, wrong.email, "guessed").status == 401


def test_a_run_whose_first_wake_up_was_lost_is_found_by_the_sweep(theatre, users):
    target = theatre.target(users.dsn)
    plan = theatre.plan(target, plan=plan_file(NOTE))
    digest = theatre.cast["operator"].get(f"/plans/{plan}")["digest"]
    with psycopg.connect(theatre.stack.environment["HEADGATE_DATABASE_URL"], autocommit=True) as own:
        # as if the web process had died between the commit and the bell
        revision = own.execute("SELECT id FROM plan_revisions WHERE plan_id = %s AND digest = %s", [plan, digest]).fetchone()[0]
        run = own.execute(
            "INSERT INTO runs (plan_id, revision_id, target_id, state, created_by, driver_id)"
            " SELECT %s, %s, %s, 'scheduled', min(id), min(id) FROM people RETURNING id",
            [plan, revision, target],
        ).fetchone()[0]
        own.execute(
            "INSERT INTO run_steps (run_id, step_id, position, kind, title, phase) VALUES (%s, 'note', 1, 'sql', 'Note', 'expand')",
            [run],
        )
    until(lambda: theatre.run(run)["state"] == "monitoring", seconds=20, every=0.1)
