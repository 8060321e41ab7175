import threading
from contextlib import contextmanager
from uuid import uuid4

import pytest

from app.backfill.ledger import FencedError, Ledger, LedgerMismatchError
from app.backfill.ledger_tables import LedgerRightsError, ensure_ledger, missing_grant
from app.target.session import Target
from tests.doubles.waiting import until


@contextmanager
def connected(database, purpose="test"):
    with Target.connect(database.dsn, purpose=purpose) as target:
        ensure_ledger(target, "headgate")
        yield target


def ledger(fence=1, run=None, direction="forward"):
    return Ledger(schema="headgate", run=run or uuid4(), fence=fence, direction=direction)


def test_the_tables_are_made_once_and_found_again(each_database):
    with connected(each_database) as target:
        before = target.all("SELECT oid FROM pg_class WHERE relnamespace = 'headgate'::regnamespace ORDER BY 1")
        ensure_ledger(target, "headgate")
        assert target.all("SELECT oid FROM pg_class WHERE relnamespace = 'headgate'::regnamespace ORDER BY 1") == before


def test_the_schema_may_have_any_name(database):
    with Target.connect(database.dsn, purpose="x") as target:
        ensure_ledger(target, 'odd "name"')
        made = Ledger(schema='odd "name"', run=uuid4(), fence=1, direction="forward")
        made.take(target, "x")
        assert made.steps_done(target) == frozenset()


def test_two_sessions_that_make_the_tables_at_once_both_succeed(database):
    failed = []

    def make():
        try:
            with Target.connect(database.dsn, purpose="x") as target:
                ensure_ledger(target, "headgate")
        except Exception as error:  # noqa: BLE001  # whatever it is, the test shows it
            failed.append(error)

    threads = [threading.Thread(target=make) for _ in range(6)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert failed == []


def test_a_role_without_rights_is_told_the_exact_grant_and_it_helps(database):
    database.execute('DROP ROLE IF EXISTS "a deployer"; CREATE ROLE "a deployer" LOGIN PASSWORD \'pw\'')
    with Target.connect(database.dsn_for("a deployer", "pw"), purpose="x") as target:
        with pytest.raises(LedgerRightsError) as caught:
            ensure_ledger(target, "headgate")
        grant = missing_grant(target, "headgate")
        assert grant == f'GRANT CREATE ON DATABASE "{database.name}" TO "a deployer";'
        assert grant in caught.value.hint
        database.execute(grant)
        ensure_ledger(target, "headgate")


def test_a_ledger_that_belongs_to_another_role_is_named_with_its_grant(database):
    with connected(database):
        database.execute("DROP ROLE IF EXISTS second; CREATE ROLE second LOGIN PASSWORD 'pw'")
    with Target.connect(database.dsn_for("second", "pw"), purpose="x") as target:
        with pytest.raises(LedgerRightsError) as caught:
            ensure_ledger(target, "headgate")
        assert 'GRANT USAGE, CREATE ON SCHEMA "headgate" TO "second";' in caught.value.hint
        database.execute("GRANT USAGE, CREATE ON SCHEMA headgate TO second")
        with pytest.raises(LedgerRightsError) as caught:
            ensure_ledger(target, "headgate")
        assert 'GRANT ALL ON ALL TABLES IN SCHEMA "headgate" TO "second";' in caught.value.hint
        database.execute("GRANT ALL ON ALL TABLES IN SCHEMA headgate TO second")
        ensure_ledger(target, "headgate")


def test_a_holder_with_a_lower_fence_can_write_nothing(database):
    run = uuid4()
    with connected(database) as target:
        old, new = ledger(1, run), ledger(2, run)
        old.take(target, "run 1")
        new.take(target, "run 1")
        for write in (
            lambda: old.take(target, "run 1"),
            lambda: old.seen(target),
            lambda: old.record_intent(target, "s", 1, "d"),
            lambda: old.record_attempt(target, "s", 1, "d", attempts=1, waiting_since=None),
            lambda: old.begin_step(target, "s", "d", is_recovery=False, leaves_units=True),
            lambda: old.finish_step(target, "s", "d", 1.0),
            lambda: old.fail_step(target, "s", "why"),
        ):
            with pytest.raises(FencedError):
                write()
        assert new.units(target, "s") == {}


def test_the_fence_can_not_be_raised_while_a_unit_holds_it(database):
    run = uuid4()
    with connected(database) as one, connected(database) as two:
        ledger(1, run).take(one, "x")
        order = []
        with one.transaction():
            ledger(1, run).assert_fence(one)
            thread = threading.Thread(target=lambda: (ledger(2, run).take(two, "x"), order.append("raised")))
            thread.start()
            waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND pid = %(pid)s"
            until(lambda: database.value(waiting, {"pid": two.pid}) == 1)
            order.append("committed")
        thread.join(5)
        assert order == ["committed", "raised"]


def test_a_unit_can_not_be_recorded_twice(database):
    with connected(database) as target:
        mine = ledger()
        mine.take(target, "x")
        mine.record_done(target, "s", 1, "d", 1.5)
        with pytest.raises(LedgerMismatchError):
            mine.record_done(target, "s", 1, "d", 1.5)
        assert mine.units(target, "s")[1].state == "done"


def test_an_intent_survives_a_later_attempt_and_ends_as_done(database):
    with connected(database) as target:
        mine = ledger()
        mine.take(target, "x")
        mine.record_attempt(target, "s", 1, "d", attempts=2, waiting_since=None)
        mine.record_intent(target, "s", 1, "d", attempts=3)
        mine.record_attempt(target, "s", 1, "d", attempts=4, waiting_since=None)
        assert (mine.units(target, "s")[1].state, mine.units(target, "s")[1].attempts) == ("intent", 4)
        mine.record_done(target, "s", 1, "d", 2.0)
        assert mine.units(target, "s")[1].state == "done"


def test_a_step_goes_on_after_a_slice_and_begins_again_after_a_failure_or_a_crash(database):
    with connected(database) as target:
        mine = ledger()
        mine.take(target, "x")
        begin = lambda recovery=False: mine.begin_step(target, "s", "d", is_recovery=recovery, leaves_units=True)  # noqa: E731  # four short calls
        assert (begin().attempt, begin().is_new) == (1, False)
        mine.fail_step(target, "s", "why")
        again = begin()
        assert (again.attempt, again.is_new) == (2, True)
        assert begin(recovery=True).attempt == 3
        mine.finish_step(target, "s", "d", 1.0)
        assert mine.steps_done(target) == {"s"}


def test_directions_do_not_mix(database):
    run = uuid4()
    with connected(database) as target:
        ledger(1, run).take(target, "x")
        ledger(1, run).finish_step(target, "s", "d", 1.0)
        assert ledger(1, run, "rollback").steps_done(target) == frozenset()


def test_a_holder_that_let_go_leaves_nothing_to_recover(database):
    run = uuid4()
    with connected(database) as target:
        first = ledger(1, run)
        assert not first.seen(target).is_known
        first.take(target, "x")
        assert ledger(2, run).seen(target).is_recovery
        first.let_go(target)
        assert not ledger(2, run).seen(target).is_recovery
