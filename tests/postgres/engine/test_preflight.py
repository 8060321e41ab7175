from contextlib import closing
from dataclasses import replace

from app.engine.preflight import Blocked, Clear, preflight
from tests.doubles.orders import QUICK, a_step, an_order
from tests.doubles.waiting import until


def test_a_target_that_can_be_worked_with_is_clear_and_stays_untouched(each_database):
    order = an_order(each_database, a_step("s", sql="CREATE TABLE t (a int)"))
    found = preflight(order)
    assert isinstance(found, Clear)
    assert found.warnings == ()
    assert each_database.value("SELECT to_regnamespace('headgate')") is None
    assert isinstance(preflight(order, expected_fingerprint=found.fingerprint), Clear)


def test_a_schema_that_was_changed_since_the_approval_blocks(database):
    order = an_order(database, a_step("s", sql="CREATE TABLE t (a int)"))
    approved = preflight(order).fingerprint
    database.execute("CREATE TABLE drift (a int)")
    found = preflight(order, expected_fingerprint=approved)
    assert isinstance(found, Blocked)
    assert "not the one that was approved" in found.reasons[0].what


def test_an_unreachable_target_blocks_with_the_way_out(database):
    found = preflight(an_order(database, a_step("s", sql="SELECT 1"), dsn="host=127.0.0.1 port=1"))
    assert isinstance(found, Blocked)
    assert found.reasons[0].hint


def test_missing_rights_block_with_the_exact_grant(database):
    database.execute("DROP ROLE IF EXISTS looker; CREATE ROLE looker LOGIN PASSWORD 'pw'")
    found = preflight(an_order(database, a_step("s", sql="SELECT 1"), dsn=database.dsn_for("looker", "pw")))
    assert isinstance(found, Blocked)
    assert f'GRANT CREATE ON DATABASE "{database.name}" TO "looker";' in found.reasons[0].hint


def test_every_step_that_can_not_run_exactly_once_is_named(database):
    found = preflight(
        an_order(database, a_step("a", sql="COMMIT"), a_step("b", "magic"), a_step("c", sql="ALTER SYSTEM RESET ALL"))
    )
    assert isinstance(found, Blocked)
    assert [reason.what.split(":")[0] for reason in found.reasons] == ["Step a", "Step b", "Step c"]


def test_who_stands_in_the_way_is_a_warning(database):
    database.execute("CREATE TABLE t (a int)")
    order = an_order(database, a_step("s", sql="ALTER TABLE t ADD b int; CREATE INDEX CONCURRENTLY i ON t (a);"))
    order = replace(order, locks=replace(QUICK, lock_timeout_ms=50))
    with closing(database.connect(autocommit=False)) as holder:
        holder.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        holder.execute("SELECT * FROM t")
        old = "SELECT clock_timestamp() - xact_start > interval '100 ms' FROM pg_stat_activity WHERE pid = %(pid)s"
        until(lambda: database.value(old, {"pid": holder.info.backend_pid}))
        found = preflight(order)
    assert isinstance(found, Clear)
    assert any("AccessShareLock on t" in warning for warning in found.warnings)
    assert any("old snapshot" in warning for warning in found.warnings)
