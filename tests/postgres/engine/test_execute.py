from dataclasses import replace

import pytest

from app.backfill.ledger import LedgerMismatchError
from app.engine.order import Fenced, Finished, SliceEnded, StepFailed, StopReached, TargetAway, WaitingGate
from app.run import events
from app.run.journal import LeaseLostError
from tests.doubles.diary import Diary
from tests.doubles.orders import a_step, an_order, one_slice, to_the_end


def test_steps_run_in_order_and_each_says_what_it_did(each_database):
    diary = Diary()
    order = an_order(
        each_database,
        a_step("make", sql="CREATE TABLE t (a int); INSERT INTO t SELECT generate_series(1, 3);"),
        a_step("index", sql="CREATE INDEX CONCURRENTLY t_a ON t (a);"),
    )
    result = one_slice(order, diary)
    assert isinstance(result, Finished), result
    assert result.results["make"] == {"units": 1, "statements": 2}
    assert diary.types() == [
        "step_started",
        "statement_started",
        "statement_finished",
        "statement_started",
        "statement_finished",
        "unit_committed",
        "step_finished",
        "step_started",
        "statement_started",
        "statement_finished",
        "unit_committed",
        "step_finished",
    ]
    finished = diary.of(events.StatementFinished)
    assert [event.changed_rows for event in finished] == [-1, 3, -1]
    assert each_database.value("SELECT count(*) FROM t") == 3
    assert each_database.value("SELECT indisvalid FROM pg_index WHERE indexrelid = 't_a'::regclass") is True


def test_a_second_slice_of_a_finished_run_does_nothing(database):
    order = an_order(database, a_step("make", sql="CREATE TABLE t (a int)"))
    assert isinstance(one_slice(order), Finished)
    diary = Diary()
    assert isinstance(one_slice(replace(order, fence=2), diary), Finished)
    assert diary.events == []


def test_a_failing_statement_rolls_its_unit_back_and_tells_the_databases_own_words(database):
    diary = Diary()
    order = an_order(database, a_step("bad", sql="CREATE TABLE t (a int);\nINSERT INTO t VALUES ('x');"))
    result = one_slice(order, diary)
    assert isinstance(result, StepFailed)
    assert result.error.sqlstate == "22P02"
    (failed,) = diary.of(events.StepFailed)
    assert (failed.statement, failed.position, failed.sqlstate) == ("INSERT INTO t VALUES ('x')", 23, "22P02")
    assert database.value("SELECT to_regclass('t')") is None


def test_a_failed_step_can_be_tried_again_and_goes_on_behind_its_finished_units(database):
    database.execute("CREATE TABLE t (a int); INSERT INTO t VALUES (1), (1)")
    order = an_order(
        database,
        a_step("s", sql="ALTER TABLE t ADD b int; CREATE UNIQUE INDEX CONCURRENTLY t_a ON t (a); ALTER TABLE t ADD c int;"),
    )
    result = one_slice(order)
    assert isinstance(result, StepFailed)
    assert result.error.sqlstate == "23505"
    assert database.value("SELECT to_regclass('t_a')") is None, "the INVALID index is cleaned up"
    database.execute("UPDATE t SET a = 2 WHERE ctid = (SELECT min(ctid) FROM t)")
    diary = Diary()
    assert isinstance(one_slice(replace(order, fence=2), diary), Finished)
    assert diary.of(events.StepStarted)[0].attempt == 2
    assert [event.unit for event in diary.of(events.UnitCommitted)] == [2, 3]


def test_a_slice_ends_between_units_and_the_next_one_goes_on(database):
    steps = [a_step(f"s{number}", sql=f"CREATE TABLE t{number} (a int)") for number in range(4)]
    diary, order, slices = Diary(), an_order(database, *steps), 0
    while isinstance(result := one_slice(order, diary, seconds=0), SliceEnded):
        slices += 1
        order = replace(order, fence=order.fence + 1)
    assert isinstance(result, Finished)
    assert slices >= 3
    assert [event.step for event in diary.of(events.StepStarted)] == ["s0", "s1", "s2", "s3"]
    assert [event.step for event in diary.of(events.StepFinished)] == ["s0", "s1", "s2", "s3"]


def test_a_slice_never_ends_inside_a_transaction(database):
    order = an_order(database, a_step("s", sql="CREATE TABLE t (a int); INSERT INTO t VALUES (1); INSERT INTO t VALUES (2);"))
    assert isinstance(to_the_end(order, seconds=0), Finished)
    assert database.value("SELECT count(*) FROM t") == 2


def test_a_gate_waits_for_a_person_and_then_the_run_goes_on(database):
    diary = Diary()
    order = an_order(database, a_step("ask", "gate", ask="Is the release live?"), a_step("s", sql="CREATE TABLE t (a int)"))
    result = one_slice(order, diary)
    assert isinstance(result, WaitingGate)
    assert (result.step, result.reason) == ("ask", "Is the release live?")
    assert database.value("SELECT to_regclass('t')") is None
    assert isinstance(one_slice(replace(order, fence=2, opened_gates={"ask": "yes"}), diary), Finished)
    assert diary.types()[:3] == ["step_started", "gate_reached", "step_finished"]


@pytest.mark.parametrize("ask", ["pause", "cancel"])
def test_an_ask_stops_the_run_between_two_statements_and_nothing_is_half_done(database, ask):
    diary = Diary()

    def on_event(event):
        if isinstance(event, events.StatementFinished) and event.index == 1:
            diary.ask = ask

    diary.on_event = on_event
    order = an_order(database, a_step("s", sql="CREATE TABLE t (a int); CREATE TABLE u (a int);"))
    result = one_slice(order, diary)
    assert isinstance(result, StopReached)
    assert result.ask == ask
    assert database.value("SELECT to_regclass('t')") is None
    assert isinstance(one_slice(replace(order, fence=2)), Finished)
    assert database.value("SELECT to_regclass('u')::text") == "u"


def test_a_lower_fence_is_turned_away_before_it_does_anything(database):
    order = an_order(database, a_step("s", sql="CREATE TABLE t (a int)"), a_step("u", sql="CREATE TABLE u (a int)"))
    one_slice(replace(order, fence=5), seconds=0)
    diary = Diary()
    assert isinstance(one_slice(replace(order, fence=4), diary), Fenced)
    assert diary.events == []


def test_a_lost_lease_rolls_the_unit_back(database):
    diary = Diary()

    def on_event(event):
        if isinstance(event, events.StatementFinished):
            raise LeaseLostError

    diary.on_event = on_event
    assert isinstance(one_slice(an_order(database, a_step("s", sql="CREATE TABLE t (a int)")), diary), Fenced)
    assert database.value("SELECT to_regclass('t')") is None


def test_a_journal_that_breaks_in_a_transaction_leaves_nothing_behind(database):
    diary = Diary()

    def on_event(event):
        if isinstance(event, events.StatementFinished):
            raise ConnectionError("the journal is away")

    diary.on_event = on_event
    order = an_order(database, a_step("s", sql="CREATE TABLE t (a int)"))
    with pytest.raises(ConnectionError):
        one_slice(order, diary)
    assert database.value("SELECT to_regclass('t')") is None
    assert database.value("SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'headgate %'") == 0
    assert isinstance(one_slice(replace(order, fence=2)), Finished)


def test_a_journal_that_breaks_after_the_commit_does_not_make_it_happen_twice(database):
    database.execute("CREATE TABLE t (a int)")
    diary = Diary()

    def on_event(event):
        if isinstance(event, events.UnitCommitted):
            raise ConnectionError("the journal is away")

    diary.on_event = on_event
    order = an_order(database, a_step("s", sql="INSERT INTO t VALUES (1)"))
    with pytest.raises(ConnectionError):
        one_slice(order, diary)
    again = Diary()
    assert isinstance(one_slice(replace(order, fence=2), again), Finished)
    assert database.value("SELECT count(*) FROM t") == 1
    assert again.types() == ["step_started", "unit_found_done", "step_finished"]


def test_a_second_run_on_the_same_target_is_told_who_holds_it(database, monkeypatch):
    monkeypatch.setattr("app.engine.recover.PATIENCE_SECONDS", 0.2)
    first = an_order(database, a_step("s", sql="CREATE TABLE t (a int)"))
    diary, seen = Diary(), []

    def on_event(event):
        if isinstance(event, events.StepStarted):
            seen.append(one_slice(an_order(database, a_step("s", sql="CREATE TABLE u (a int)"))))

    diary.on_event = on_event
    assert isinstance(one_slice(first, diary), Finished)
    assert isinstance(seen[0], TargetAway)
    assert f"headgate run {first.number}" in seen[0].error.message


def test_a_target_that_forgot_a_finished_step_stops_the_run_for_a_person(database):
    order = an_order(database, a_step("s", sql="CREATE TABLE t (a int)"), steps_done=frozenset({"s"}))
    result = one_slice(order)
    assert isinstance(result, StepFailed)
    assert isinstance(result.error, LedgerMismatchError)
    assert database.value("SELECT to_regclass('t')") is None


def test_a_target_that_can_not_be_reached_is_away(database):
    order = an_order(database, a_step("s", sql="SELECT 1"), dsn="host=127.0.0.1 port=1 dbname=x")
    result = one_slice(order)
    assert isinstance(result, TargetAway)
    assert result.error.kind == "refused"


def test_a_session_that_is_ended_in_mid_transaction_is_settled_by_the_ledger(database):
    diary = Diary()

    def on_event(event):
        if isinstance(event, events.StatementFinished):
            database.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE '%% step 1'")

    diary.on_event = on_event
    order = an_order(database, a_step("s", sql="CREATE TABLE t (a int)"))
    assert isinstance(one_slice(order, diary), TargetAway)
    assert isinstance(one_slice(replace(order, fence=2)), Finished)
    assert database.value("SELECT to_regclass('t')::text") == "t"


def test_no_session_of_ours_is_left(database):
    one_slice(an_order(database, a_step("s", sql="CREATE TABLE t (a int)"), a_step("bad", sql="SELECT nope")))
    assert database.value("SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'headgate%'") == 0
    assert database.value("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'") == 0


def test_what_belongs_to_the_last_unit_is_written_with_it(database):
    database.execute("CREATE TABLE marks (name text)")
    mark = {
        "with_last_unit": {
            "s": lambda target: target.execute("INSERT INTO marks SELECT 'x' WHERE NOT EXISTS (SELECT FROM marks)")
        }
    }
    bad = an_order(database, a_step("s", sql="CREATE TABLE t (a int); SELECT 1/0"), options=mark)
    assert isinstance(one_slice(bad), StepFailed)
    assert database.value("SELECT count(*) FROM marks") == 0
    good = an_order(database, a_step("s", sql="CREATE TABLE t (a int)"), options=mark)
    assert isinstance(one_slice(good), Finished)
    assert database.value("SELECT count(*) FROM marks") == 1


def test_a_role_that_may_not_keep_the_ledger_fails_the_run_with_the_grant_in_its_log(database):
    database.execute("DROP ROLE IF EXISTS poor; CREATE ROLE poor LOGIN PASSWORD 'pw'")
    diary = Diary()
    result = one_slice(an_order(database, a_step("s", sql="SELECT 1"), dsn=database.dsn_for("poor", "pw")), diary)
    assert isinstance(result, StepFailed)
    (failed,) = diary.of(events.StepFailed)
    assert failed.step == "s"
    assert "GRANT CREATE ON DATABASE" in failed.hint


def test_a_run_of_another_headgate_by_the_same_number_is_not_mistaken_for_ours(database, monkeypatch):
    monkeypatch.setattr("app.engine.recover.PATIENCE_SECONDS", 0.2)
    ours = an_order(database, a_step("s", sql="CREATE TABLE t (a int)"), a_step("more", sql="CREATE TABLE t2 (a int)"))
    assert isinstance(one_slice(ours, seconds=0), SliceEnded)
    theirs, diary, seen = an_order(database, a_step("s", sql="CREATE TABLE u (a int)"), number=ours.number), Diary(), []

    def on_event(event):
        if isinstance(event, events.StatementFinished):
            seen.append(one_slice(replace(ours, fence=2)))

    diary.on_event = on_event
    assert isinstance(one_slice(theirs, diary), Finished)
    assert isinstance(seen[0], TargetAway)
    assert isinstance(one_slice(replace(ours, fence=3)), Finished)
