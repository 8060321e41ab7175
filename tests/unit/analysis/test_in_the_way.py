"""Who would be waited for if the plan ran at the moment of the analysis."""

import pytest

from app.analysis.analyse import Script, analyse_scripts
from app.analysis.basis import Basis
from app.analysis.report import Finding
from app.catalog.live import Activity, AutovacuumWorker, Session
from tests.doubles.shop import a_shop

AT = "2026-11-22T14:03:11+00:00"
COLUMN = "ALTER TABLE users ADD COLUMN note text"


def holder(mode: str = "AccessShareLock", *, seconds: float = 360.0, **more: object) -> Session:
    values = {"pid": 4711, "application": "billing", "user": "app", "state": "idle in transaction", "query": "SELECT 1"}
    return Session(**{**values, "transaction_seconds": seconds, "locks": {"public.users": (mode,)}, **more})


def worker(*, prevents_wraparound: bool = False) -> AutovacuumWorker:
    return AutovacuumWorker(
        pid=99,
        relation="public.users",
        phase="scanning heap",
        blocks_total=10,
        blocks_scanned=1,
        running_seconds=60.0,
        prevents_wraparound=prevents_wraparound,
        lock_mode="ShareUpdateExclusiveLock",
    )


def found(script: str, activity: Activity) -> list[Finding]:
    basis = Basis(schema=a_shop(), activity=activity)
    analysis = analyse_scripts([Script(text=script)], basis=basis)
    return [finding for finding in analysis.findings() if finding.rule == "blocked-right-now"]


def test_a_session_that_holds_a_conflicting_lock_is_named_with_the_time_of_reading() -> None:
    (finding,) = found(COLUMN, Activity(at=AT, sessions=(holder(),)))
    assert finding.risk == "medium"
    assert finding.message == (
        "It would wait now: pid 4711 (billing, idle in transaction, open for 6 min) holds ACCESS SHARE on public.users. "
        "Read 2026-11-22 14:03:11 UTC."
    )


@pytest.mark.parametrize(
    ("script", "session"),
    [
        ("CREATE INDEX i ON users (age)", holder("AccessShareLock")),
        (COLUMN, holder(seconds=0.5)),
        ("ALTER TABLE orders ADD COLUMN x int", holder()),
        ("SELECT * FROM users", holder("AccessExclusiveLock")),
    ],
    ids=["no conflict", "gone before anybody notices", "another table", "not DDL"],
)
def test_what_is_not_in_the_way_is_not_told(script: str, session: Session) -> None:
    assert found(script, Activity(at=AT, sessions=(session,))) == []


def test_a_concurrent_build_waits_for_old_snapshots_of_any_table() -> None:
    dump = holder(application="pg_dump", locks={}, keeps_snapshot=True)
    (finding,) = found("CREATE INDEX CONCURRENTLY i ON users (age)", Activity(at=AT, sessions=(dump,)))
    assert "pid 4711 (pg_dump, idle in transaction, open for 6 min) keeps an old snapshot" in finding.message
    assert found(COLUMN, Activity(at=AT, sessions=(dump,))) == []


@pytest.mark.parametrize(("prevents", "level"), [(False, "low"), (True, "high")])
def test_an_autovacuum_gives_way_unless_it_prevents_wraparound(prevents: bool, level: str) -> None:
    (finding,) = found(COLUMN, Activity(at=AT, autovacuum=(worker(prevents_wraparound=prevents),)))
    assert finding.risk == level


def test_a_prepared_transaction_waits_for_a_person() -> None:
    prepared = holder(pid=0, application="prepared transaction order-7", state="prepared")
    (finding,) = found(COLUMN, Activity(at=AT, sessions=(prepared,)))
    assert finding.risk == "high"
    assert "prepared transaction order-7, open for 6 min, holds ACCESS SHARE on public.users" in finding.message


def test_headgates_own_backup_is_named_but_raises_nothing() -> None:
    (finding,) = found(COLUMN, Activity(at=AT, sessions=(holder(application="headgate backup 7"),)))
    assert finding.risk == "low"


def test_what_the_plans_own_transaction_holds_already_is_not_waited_for_again() -> None:
    script = f"BEGIN; {COLUMN}; ALTER TABLE users ADD COLUMN more text; COMMIT"
    assert len(found(script, Activity(at=AT, sessions=(holder(),)))) == 1
