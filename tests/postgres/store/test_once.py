"""Rows that are open once: whoever asks second finds the first one's row, and after its end makes a new one."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Barrier

import pytest

from app.store import jobs
from app.store.sessions import libpq_url, make_engine, make_sessions
from app.store.tables import Job
from app.store.words import JobKind, JobState
from tests.doubles.databases import Database

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@pytest.fixture
def sessions(metadata: Database):
    engine = make_engine(metadata.dsn)
    yield make_sessions(engine)
    engine.dispose()


def queue(sessions, subject: int = 1) -> int:
    with sessions.begin() as session:
        return jobs.queue(session, JobKind.TEST_TARGET, subject, requested_by=None, now=NOW).id


def test_many_who_ask_at_once_for_the_same_get_one_job(sessions):
    barrier = Barrier(8)

    def ask(_: int) -> int:
        barrier.wait(10)
        return queue(sessions)

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(ask, range(8)))) == 1
    assert queue(sessions, subject=2) != queue(sessions)


def test_jobs_that_end_while_others_ask_never_make_the_asking_fail(sessions):
    def ask(_: int) -> int:
        return queue(sessions)

    def finish(_: int) -> None:
        with sessions.begin() as session:
            # only what is open: two that wrote every row anew could wait for each other
            session.query(Job).filter(Job.state == JobState.QUEUED).update({"state": JobState.DONE})

    with ThreadPoolExecutor(4) as pool:
        asked = [pool.submit(ask if number % 2 else finish, number) for number in range(200)]
        assert [future.exception() for future in asked if future.exception()] == []
    with sessions() as session:
        assert session.query(Job).filter(Job.state == JobState.QUEUED).count() <= 1


@pytest.mark.parametrize(
    ("given", "libpq"),
    [
        ("postgresql+psycopg://u:p@h:5432/d?sslmode=require", "postgresql://u:p@h:5432/d?sslmode=require"),
        ("postgresql:///d?host=/run/pg", "postgresql:///d?host=/run/pg"),
        ("host=h dbname=d password=a+b", "host=h dbname=d password=a+b"),
    ],
)
def test_an_address_is_read_as_libpq_reads_it(given: str, libpq: str):
    assert libpq_url(given) == libpq


def test_a_database_that_is_restarted_costs_one_try_and_no_error(metadata: Database, sessions):
    with sessions() as session:
        assert session.query(Job).count() == 0
    metadata.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    with sessions() as session:
        assert session.query(Job).count() == 0


def test_errors_show_no_values_that_were_sent(sessions):
    from sqlalchemy.exc import DBAPIError

    with sessions() as session, pytest.raises(DBAPIError) as failed:
        session.query(Job).filter(Job.owner == "swordfish\x00").all()
    assert "swordfish" not in str(failed.value)
