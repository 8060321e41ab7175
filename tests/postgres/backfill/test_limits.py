"""Limits that a step sets: what passes them is named, and slows the walk or is waited for."""

from collections.abc import Callable

import psycopg
import pytest

from app.backfill.execute import run_backfill
from app.backfill.order import BackfillRun
from app.backfill.signals import Reading, unknown, with_limits
from app.run.events import BackfillSlowed, BackfillSpedUp, Event, Gauge
from tests.doubles.databases import Database, fresh_database, running_server
from tests.doubles.standby import standby_of
from tests.postgres.backfill.running import FILL, order, users


def _hear(running: BackfillRun, is_it: Callable[[Event | Gauge], bool]) -> Event | Gauge:
    """Goes on until something is said that fits; the walk then stands still."""
    return next(told for told in running if is_it(told))


def test_a_standby_that_falls_behind_is_waited_for_by_name() -> None:
    with running_server() as primary, standby_of(primary) as copy, fresh_database(primary) as database:
        users(database, 20_000)
        with psycopg.connect(copy.dsn(), autocommit=True) as replay:
            replay.execute("SELECT pg_wal_replay_pause()")
            running = run_backfill(order(database, {**FILL, "max_rate": 10_000, "limits": {"standby_behind": 0.25}}))
            slowed = _hear(running, lambda told: isinstance(told, BackfillSlowed))
            assert (slowed.signal, slowed.unit, slowed.limit) == ("standby behind", "bytes", 0.25 * 1024**2)
            gauge = _hear(running, lambda told: isinstance(told, Gauge))
            assert gauge.phase == "waiting: standby behind"
            assert gauge.signals["standby behind"]["state"] == "stopping"
            replay.execute("SELECT pg_wal_replay_resume()")
            assert _hear(running, lambda told: isinstance(told, BackfillSpedUp))
        list(running)
        assert database.value("SELECT count(*) FROM users WHERE role = 'user'") == 20_000


def test_an_old_transaction_is_waited_for_where_a_step_says_so(database: Database) -> None:
    users(database, 5000)
    with database.connect(autocommit=False) as holder:
        holder.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        holder.execute("SELECT 1 FROM users LIMIT 1")
        running = run_backfill(order(database, {**FILL, "max_rate": 2000, "limits": {"oldest_transaction": 0.2}}))
        gauge = _hear(running, lambda told: isinstance(told, Gauge) and told.phase == "waiting: oldest transaction")
        assert gauge.rows_done < 5000
        holder.rollback()
    list(running)
    assert database.value("SELECT count(*) FROM users WHERE role = 'user'") == 5000


def test_wal_above_its_limit_slows_the_walk_and_is_named(database: Database) -> None:
    users(database, 30_000)
    # a busy machine makes commits slow, and is not what is tested here
    limits = {"wal_rate": 0.01, "commit_latency": 10_000}
    running = run_backfill(order(database, {**FILL, "limits": limits, "max_rate": 1000}))
    slowed = _hear(running, lambda told: isinstance(told, BackfillSlowed))
    assert (slowed.signal, slowed.limit, slowed.unit) == ("WAL", 0.01, "MiB/s")
    assert slowed.value > 0.01
    running.close()


@pytest.mark.parametrize(
    ("reading", "state", "load"),
    [
        (Reading(name="WAL", value=30, limit=None, unit="MiB/s", key="wal_rate"), "slowing", 3.0),
        (
            Reading(name="oldest transaction", value=12, limit=30, unit="s", only_shown=True, key="oldest_transaction"),
            "stopping",
            1.2,
        ),
        (
            Reading(name="standby behind", value=2**21, limit=2**28, unit="bytes", stops=True, key="standby_behind"),
            "stopping",
            2.0,
        ),
        (unknown("standby lag", "s", key="standby_lag"), "stopping", 1.0),
        (Reading(name="dead rows", value=9, limit=5, unit="x", key="dead_rows"), "slowing", 1.8),
    ],
)
def test_a_limit_by_hand_takes_the_place_of_the_signal_s_own(reading: Reading, state: str, load: float) -> None:
    limits = {"wal_rate": 10, "oldest_transaction": 10, "standby_behind": 1, "standby_lag": 3}
    (limited,) = with_limits([reading], limits)
    assert (limited.state, round(limited.load, 3)) == (state, load)
