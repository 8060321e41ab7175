"""Who may drive a run: one at a time, taken over when its holder is gone or silent, and never by two."""

import pytest
from sqlalchemy import Engine, select, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session, sessionmaker

from app.plan.model import Step
from app.run.events import BackupFinished, Gauge, StepFailed, StepFinished, StepStarted
from app.run.journal import LeaseLostError
from app.run.states import RunState
from app.store.backups import newest_whole
from app.store.claims import LOCK_NAMESPACE, claimed, job_claimed, lost_jobs, runs_without_driver
from app.store.events import events_since
from app.store.journal import StoredJournal
from app.store.sessions import make_engine, make_sessions
from app.store.tables.backups import Backup
from app.store.tables.jobs import Job
from app.store.tables.runs import Run, RunGauge, RunStep
from app.store.words import JobKind
from tests.doubles.databases import Database
from tests.doubles.rows import a_plan, make_rows, make_run


@pytest.fixture
def engine(metadata: Database):
    made = make_engine(metadata.dsn)
    yield made
    made.dispose()


@pytest.fixture
def sessions(engine: Engine) -> sessionmaker[Session]:
    return make_sessions(engine)


@pytest.fixture
def run_id(sessions: sessionmaker[Session]) -> int:
    with sessions.begin() as session:
        return make_run(session, make_rows(session)).id


def take(engine: Engine, run_id: int, owner: str = "worker-a", lease_seconds: float = 15):
    return claimed(engine, run_id, owner=owner, lease_seconds=lease_seconds)


def test_a_run_is_driven_by_one_at_a_time(engine: Engine, run_id: int):
    with take(engine, run_id) as first, take(engine, run_id, "worker-b") as second:
        assert first.fence == 1
        assert second is None


def test_the_fence_grows_with_every_taking(engine: Engine, run_id: int):
    fences = []
    for _ in range(3):
        with take(engine, run_id) as claim:
            fences.append(claim.fence)
    assert fences == [1, 2, 3]


@pytest.mark.parametrize("state", [RunState.PAUSED, RunState.FAILED, RunState.COMPLETED, RunState.WAITING_GATE])
def test_a_run_that_waits_for_a_person_is_not_taken(engine: Engine, sessions, run_id: int, state: RunState):
    with sessions.begin() as session:
        session.get_one(Run, run_id).state = state
    with take(engine, run_id) as claim:
        assert claim is None


def test_a_killed_workers_run_is_free_at_once_and_the_next_one_knows(engine: Engine, metadata: Database, run_id: int):
    with take(engine, run_id):
        pids = metadata.rows("SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND classid = %s", [LOCK_NAMESPACE])
        metadata.execute("SELECT pg_terminate_backend(%s)", [pids[0][0]])
        with take(engine, run_id, "worker-b") as second:
            assert second.taken_over_from == "worker-a"
            assert second.fence == 2
            raise_fence = second.fence
    assert raise_fence == 2


def test_a_silent_workers_session_is_ended_once_its_lease_ran_out(engine: Engine, metadata: Database, run_id: int):
    with take(engine, run_id, lease_seconds=0), take(engine, run_id, "worker-b") as second:
        assert second.fence == 2
        assert second.taken_over_from == "worker-a"


def test_a_worker_that_was_stopped_inside_a_transaction_does_not_hold_its_run_for_ever(
    engine: Engine, metadata: Database, run_id: int
):
    stopped = make_engine(metadata.dsn, idle_seconds=0.5)
    with stopped.connect() as connection:
        connection.execute(text("UPDATE runs SET event_number = event_number + 1"))
        # from here on it says nothing; its row is waited for, and comes
        with take(engine, run_id, "worker-b") as second:
            assert second is not None
        with pytest.raises(OperationalError, match="idle-in-transaction"):
            connection.execute(text("SELECT 1"))
    stopped.dispose()


def test_the_journal_of_a_fenced_driver_writes_nothing(engine: Engine, sessions, run_id: int):
    with take(engine, run_id) as claim:
        journal = StoredJournal(sessions, run_id=run_id, fence=claim.fence, lease_seconds=15)
        with sessions.begin() as session:
            session.get_one(Run, run_id).fence = claim.fence + 1
        with pytest.raises(LeaseLostError):
            journal.record(StepStarted(step="add-role", kind="sql", attempt=1))
        with pytest.raises(LeaseLostError):
            journal.heartbeat()
    with sessions() as session:
        assert events_since(session, run_id) == []


def test_the_journal_numbers_events_and_brings_the_steps_along(engine: Engine, sessions, run_id: int):
    with take(engine, run_id) as claim:
        journal = StoredJournal(sessions, run_id=run_id, fence=claim.fence, lease_seconds=15)
        journal.record(StepStarted(step="add-role", kind="sql", attempt=1))
        journal.record(
            StepFailed(step="add-role", message="boom", sqlstate="42P01"), StepStarted(step="add-role", kind="sql", attempt=2)
        )
        journal.record(StepFinished(step="add-role", duration_ms=2))
    with sessions() as session:
        assert [number for number, _, _ in events_since(session, run_id)] == [1, 2, 3, 4]
        step = session.get_one(RunStep, (run_id, "add-role"))
        assert (step.state.value, step.attempts, step.error) == ("succeeded", 2, None)
        assert session.get_one(Run, run_id).current_step == "add-role"


def test_what_people_asked_reaches_the_driver(engine: Engine, sessions, run_id: int):
    with take(engine, run_id) as claim:
        journal = StoredJournal(sessions, run_id=run_id, fence=claim.fence, lease_seconds=15)
        assert journal.heartbeat() is None
        with sessions.begin() as session:
            session.get_one(Run, run_id).state = RunState.PAUSING
        assert journal.heartbeat() == "pause"
        assert journal.asked() == "pause"


def test_a_gauge_replaces_the_one_before(engine: Engine, sessions, run_id: int):
    with take(engine, run_id) as claim:
        journal = StoredJournal(sessions, run_id=run_id, fence=claim.fence, lease_seconds=15)
        journal.gauge(Gauge(step="add-role", fraction=0.1))
        journal.gauge(Gauge(step="add-role", fraction=0.2))  # too soon after the first: dropped
    with sessions() as session:
        assert session.get_one(RunGauge, run_id).payload == {"step": "add-role", "fraction": 0.1}


def test_a_live_page_is_told_when_the_transaction_commits(engine: Engine, sessions, metadata: Database, run_id: int):
    with metadata.connect() as listener, take(engine, run_id) as claim:
        listener.execute("LISTEN run_events")
        StoredJournal(sessions, run_id=run_id, fence=claim.fence, lease_seconds=15).record(
            StepStarted(step="add-role", kind="sql", attempt=1)
        )
        assert [notice.payload for notice in listener.notifies(timeout=5, stop_after=1)] == [str(run_id)]


def test_the_sweep_finds_runs_that_nobody_drives(engine: Engine, sessions, run_id: int):
    with engine.connect() as connection:
        assert runs_without_driver(connection) == [run_id]
    with take(engine, run_id), engine.connect() as connection:
        assert runs_without_driver(connection) == []


def test_the_sweep_leaves_a_run_that_sleeps_until_later(engine: Engine, sessions, run_id: int):
    with sessions.begin() as session:
        session.execute(text("UPDATE runs SET wake_at = now() + interval '1 hour'"))
    with engine.connect() as connection:
        assert runs_without_driver(connection) == []
    with sessions.begin() as session:
        session.get_one(Run, run_id).state = RunState.CANCELLING
    with engine.connect() as connection:
        assert runs_without_driver(connection) == [run_id]


def test_a_job_is_done_by_one_worker_and_taken_again_when_that_one_dies(engine: Engine, sessions, metadata: Database):
    with sessions.begin() as session:
        job = Job(kind=JobKind.TEST_TARGET, subject_id=1)
        session.add(job)
        session.flush()
        job_id = job.id
    with job_claimed(engine, job_id, owner="a") as first, job_claimed(engine, job_id, owner="b") as second:
        assert first.kind == "test_target"
        assert second is None
        with engine.connect() as connection:
            assert lost_jobs(connection) == []
    with engine.connect() as connection:
        assert lost_jobs(connection) == [job_id]  # it is still running by its row, and nobody holds it
    metadata.execute("UPDATE jobs SET state = 'done'")
    with job_claimed(engine, job_id, owner="c") as third:
        assert third is None


def test_the_backup_of_a_runs_own_step_is_a_backup_like_any_other(engine: Engine, sessions):
    step = Step(id="dump", kind="backup", title="Dump", spec={"tables": ["public.users"], "format": "custom"})
    plan = a_plan(step)
    with sessions.begin() as session:
        number = make_run(session, make_rows(session, plan), plan).id
    with take(engine, number) as claim:
        journal = StoredJournal(sessions, run_id=number, fence=claim.fence, lease_seconds=15)
        journal.record(BackupFinished(step="dump", path="/b/1", size_bytes=7, sha256="ab", entries=3, seconds=2.0))
    with sessions() as session:
        kept = session.scalars(select(Backup)).one()
        assert (kept.run_id, kept.state.value, kept.format.value, kept.tables) == (number, "done", "custom", ["public.users"])
        assert kept.verified_at is not None
        assert newest_whole(session, kept.target_id) is None  # a part of the tables is no backup of the database
