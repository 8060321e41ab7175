"""The sweep of a worker's main process: at once when it starts, and as soon as a process of its pool was killed."""

from collections.abc import Iterator

import pytest
from billiard.exceptions import WorkerLostError
from celery.signals import task_failure

from app.settings import get_settings
from tests.doubles.databases import Database
from tests.doubles.waiting import until

NEVER_SECONDS = 600
SWEPT = "SELECT query_start FROM pg_stat_activity WHERE application_name = 'headgate sweep' AND datname = current_database()"


@pytest.fixture
def sweeping(metadata: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A sweep whose next turn does not come in this test."""
    monkeypatch.setenv("HEADGATE_DATABASE_URL", metadata.dsn)
    monkeypatch.setenv("HEADGATE_SWEEP_SECONDS", str(NEVER_SECONDS))
    get_settings.cache_clear()
    from workers import celery_app, sweeping

    assert celery_app.app.main == "headgate"
    sweeping.start()
    yield
    sweeping.stop()
    until(lambda: not metadata.rows(SWEPT))
    get_settings.cache_clear()


@pytest.mark.usefixtures("sweeping")
def test_it_looks_at_its_start_and_at_once_when_a_process_of_the_pool_was_killed(metadata: Database):
    first = until(lambda: metadata.rows(SWEPT))[0][0]
    task_failure.send(sender=None, exception=ValueError("a task that failed has not left a run behind"))
    task_failure.send(sender=None, exception=WorkerLostError("signal 9"))
    until(lambda: metadata.rows(SWEPT)[0][0] > first)
