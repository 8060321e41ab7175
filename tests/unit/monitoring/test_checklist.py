"""The monitoring checklist judged by evidence."""

import dataclasses
from datetime import UTC, datetime, timedelta

import pytest

from app.monitoring.checklist import evaluate, evaluate_item
from app.monitoring.compare import compare
from app.monitoring.evidence import Evidence
from app.monitoring.integrity import ForeignKeyCheck, Integrity
from app.monitoring.verdict import verdict
from app.plan.checklist import MONITORING_CHECKLIST, ChecklistItem
from app.run.events import LockNotGranted, StepFailed, StepFinished
from app.verification.report import Item, Verification
from tests.unit.monitoring.figures import control, index, snapshot, statement, table

END = datetime(2026, 1, 1, 2, tzinfo=UTC)
LATER = END + timedelta(days=8)
MIB = 1024 * 1024
ITEMS = {item.id: item for item in MONITORING_CHECKLIST}
PASSED = Verification(items=(Item(id="schema", title="Schema as rehearsed", state="passed", looked_at=""),))
DONE = (StepFinished(step="add", duration_ms=1.0),)


def judge(item_id, evidence, now=LATER):
    return evaluate_item(ITEMS[item_id], evidence, finished_at=END, now=now)


def looks(before, after, **others):
    found = compare(before, after, **others)
    return Evidence(comparison=found, verdict=verdict(found))


def commits(*numbers, rollbacks=(0, 0, 0), deadlocks=(0, 0, 0), **others):
    """Three looks, an hour apart, with these cumulative counters."""
    made = [
        snapshot(hour, database={"xact_commit": number, "xact_rollback": back, "deadlocks": dead, "sessions_fatal": 0, **others})
        for hour, number, back, dead in zip((0, 1, 2), numbers, rollbacks, deadlocks, strict=True)
    ]
    return looks(made[1], made[2], earlier=made[0])


def test_without_any_evidence_nothing_passes():
    states = {found.item_id: found.state for found in evaluate(Evidence(), finished_at=END, now=LATER)}
    assert states == dict.fromkeys(ITEMS, "unknown")


def test_an_item_passes_only_when_its_window_is_over_but_fails_at_once():
    good, bad = Evidence(events=DONE, verification=PASSED), Evidence(events=(StepFailed(step="add", message="boom"),))
    early = END + timedelta(minutes=5)
    assert judge("no-migration-errors", good, early).state == "pending"
    assert judge("no-migration-errors", good, early).sentence.startswith("So far: 1 step finished")
    assert judge("no-migration-errors", bad, early).state == "failed"
    assert judge("no-migration-errors", good).state == "passed"


def test_an_item_of_a_persons_own_stays_pending():
    own = ChecklistItem(id="ours", group="Ours", window="24h", text="Ask support")
    assert evaluate_item(own, Evidence(), finished_at=END, now=LATER).sentence == "A person has to say so."


def test_a_step_that_failed_and_then_finished_is_no_error():
    lock = LockNotGranted(step="add", attempt=1, attempts=5, waited_ms=1.0, retry_in_ms=1.0)
    events = (lock, StepFailed(step="add", message="boom"), *DONE)
    found = judge("no-migration-errors", Evidence(events=events, verification=PASSED))
    assert found.state == "passed"
    assert found.sentence == "1 step finished, 1 retry; verification: 1 passed."
    broken = Verification(items=(Item(id="indexes", title="No invalid indexes", state="failed", looked_at=""),))
    assert judge("no-migration-errors", Evidence(events=events, verification=broken)).state == "failed"


def test_the_application_responds_while_its_commits_keep_coming():
    steady = judge("application-responding", commits(0, 36_000, 72_000))
    assert (steady.state, steady.sentence) == (
        "passed",
        "10.0 commits/s (before 10.0). No health address is set: this is the database's side only.",
    )
    assert judge("application-responding", commits(0, 36_000, 40_000)).state == "unknown"
    assert judge("application-responding", commits(0, 36_000, 40_000, lock_waiters=9)).state == "failed"
    full = commits(0, 36_000, 72_000, connections=97, connections_usable=97)
    assert judge("application-responding", full).state == "failed"


def test_with_one_look_before_the_run_the_calls_on_the_plans_tables_tell():
    before = snapshot(1, statement("a", 1000, 2.0))
    found = judge("application-responding", looks(before, snapshot(2, statement("a", 2000, 2.0))))
    assert (found.state, found.sentence.partition(").")[0]) == ("passed", "0.3 calls/s on the plan's tables (before 0.3")
    assert judge("application-responding", looks(before, snapshot(2, statement("a", 1100, 2.0)))).state == "unknown"


def test_an_address_that_does_not_answer_fails():
    evidence = dataclasses.replace(commits(0, 36_000, 72_000), health=(100, 50))
    assert judge("application-responding", evidence).state == "failed"
    fine = judge("application-responding", dataclasses.replace(evidence, health=(100, 99)))
    assert (fine.state, fine.sentence) == ("passed", "10.0 commits/s (before 10.0).")


@pytest.mark.parametrize(
    ("rollbacks", "state"),
    [((0, 40, 80), "passed"), ((0, 40, 1200), "failed"), ((0, 1000, 1100), "passed")],
)
def test_more_rollbacks_than_before_are_more_errors(rollbacks, state):
    assert judge("error-rates", commits(0, 36_000, 72_000, rollbacks=rollbacks)).state == state


def test_few_transactions_prove_nothing_and_deadlocks_prove_much():
    assert judge("error-rates", commits(0, 36_000, 36_100)).state == "unknown"
    assert judge("error-rates", commits(0, 36_000, 72_000, deadlocks=(0, 0, 5))).state == "failed"


def test_queries_are_judged_by_the_verdict():
    before = snapshot(1, statement("a", 1000, 2.0), *control(1000, 1.0))
    same = judge("query-performance-stable", looks(before, snapshot(2, statement("a", 2000, 2.0), *control(2000, 1.0))))
    assert (same.state, same.sentence) == ("passed", "1 of 1 statement as fast as before or faster; everything else at 1.00x.")
    worse = judge("query-performance-stable", looks(before, snapshot(2, statement("a", 2000, 9.0), *control(2000, 1.0))))
    assert worse.state == "failed"
    assert worse.figures["states"] == {"worse": 1}
    assert judge("query-performance-stable", looks(before, snapshot(2, *control(2000, 1.0)))).state == "unknown"


def test_a_slow_new_statement_fails_its_item_and_a_fast_one_is_listed():
    before = snapshot(1, statement("a", 1000, 2.0))
    fast = judge("no-slow-queries", looks(before, snapshot(2, statement("a", 2000, 2.0), statement("n", 90, 3.0))))
    assert (fast.state, fast.sentence) == ("passed", "1 new statement, the slowest 3 ms on average.")
    slow = judge("no-slow-queries", looks(before, snapshot(2, statement("a", 2000, 2.0), statement("n", 90, 890.0))))
    assert slow.state == "failed"


def key(orphans, evidence="0 rows point nowhere"):
    return ForeignKeyCheck(relation="public.orders", name="orders_user_fk", is_validated=True, orphans=orphans, evidence=evidence)


def test_data_is_verified_by_checks_and_foreign_keys():
    good = Evidence(verification=PASSED, integrity=Integrity(foreign_keys=(key(0),)))
    assert judge("data-integrity", good).sentence == "0 checks held, 1 foreign key checked, 0 orphans."
    bad = dataclasses.replace(good, integrity=Integrity(foreign_keys=(key(31, "31 rows point nowhere"),)))
    assert judge("data-integrity", bad).sentence == "public.orders.orders_user_fk: 31 rows point nowhere."
    silent = dataclasses.replace(good, integrity=Integrity(foreign_keys=(key(None, "stopped after its time limit of 30 s"),)))
    assert judge("data-integrity", silent).state == "unknown"


def test_a_new_index_has_to_be_used_unless_it_guards_a_constraint():
    def after(scans, reads, **others):
        return looks(
            snapshot(1, tables=[table()]),
            snapshot(2, tables=[table(index_scans=reads)], indexes=[index("public.i", scans, **others)]),
        )

    assert judge("index-usage", after(48, 5000)).sentence == "public.i: 48 scans."
    assert judge("index-usage", after(0, 5000, bytes=3 * MIB)).sentence == (
        "public.i was never used while public.users was read 5,000 times, takes 3.0 MB."
    )
    assert judge("index-usage", after(0, 5)).state == "unknown"
    assert judge("index-usage", after(0, 5000, is_unique=True)).state == "passed"
    assert judge("index-usage", after(0, 5000, is_valid=False)).state == "failed"


def test_a_table_may_grow_as_predicted_and_not_much_more():
    def after(size, **others):
        return looks(
            snapshot(1, tables=[table()]), snapshot(2, tables=[table(table_bytes=size * MIB, estimated_rows=1000, **others)])
        )

    assert judge("table-size", after(180)).state == "passed"
    assert judge("table-size", after(300)).state == "failed"
    predicted = dataclasses.replace(after(180), predicted_bytes={"public.users": 108 * MIB})
    assert judge("table-size", predicted).state == "failed"
    assert judge("table-size", after(110, dead_rows=900, vacuum_at_dead_rows=250)).state == "failed"
    assert judge("table-size", after(110, dead_rows=900, vacuum_at_dead_rows=250, last_vacuum="2026-01-01")).state == "passed"


def test_a_size_that_can_not_be_read_is_unknown():
    evidence = looks(snapshot(1, tables=[table()]), snapshot(2, tables=[table(table_bytes=None)]))
    assert judge("table-size", evidence).state == "unknown"


def test_orphans_and_left_overs_fail_the_last_item():
    assert judge("no-orphans", Evidence(integrity=Integrity(foreign_keys=(key(0),)))).state == "passed"
    loose = Evidence(integrity=Integrity(unvalidated=("public.orders.c",)))
    assert judge("no-orphans", loose).state == "failed"
    assert judge("no-orphans", dataclasses.replace(loose, loose_on_purpose=frozenset({"public.orders.c"}))).state == "passed"
    assert judge("no-orphans", Evidence(integrity=Integrity(invalid_indexes=("public.i",)))).state == "failed"
    assert judge("no-orphans", Evidence(integrity=Integrity(foreign_keys=(key(2, "2 rows point nowhere"),)))).state == "failed"
