"""Two looks held against each other: intervals, resets, crashes, the control group, verdicts."""

import dataclasses

import pytest

from app.monitoring.compare import compare
from app.monitoring.differences import Comparison
from app.monitoring.figures import Snapshot
from app.monitoring.verdict import Thresholds, Verdict, judge_statement, verdict
from tests.unit.monitoring.figures import EPOCH, control, index, snapshot, statement, table


def states(before, after, **others):
    judged = verdict(compare(before, after, **others))
    return {found.key.rpartition(":")[2]: found.state for found in judged.statements}


def test_only_what_came_after_the_first_look_counts_for_the_time_after():
    before = snapshot(1, statement("a", 1000, 2.0))
    after = snapshot(2, statement("a", 1500, 2.0 * 1000 / 1500 + 10.0 * 500 / 1500))
    (found,) = compare(before, after).statements
    assert (found.calls_before, found.calls_after) == (1000, 500)
    assert found.mean_after_ms == pytest.approx(10.0)
    assert found.call_rate_ratio == pytest.approx(0.5)


def test_an_earlier_look_narrows_the_time_before():
    earlier = snapshot(1, statement("a", 1000, 2.0))
    before = snapshot(2, statement("a", 1100, 2.0))
    after = snapshot(3, statement("a", 1200, 2.0))
    found = compare(before, after, earlier=earlier)
    assert (found.statements[0].calls_before, found.seconds_before) == (100, 3600)


def test_a_statement_that_became_three_times_slower_is_worse():
    before = snapshot(1, statement("a", 1000, 2.0), *control(1000, 1.0))
    after = snapshot(2, statement("a", 2000, 4.0), *control(2000, 1.0))
    assert states(before, after) == {"a": "worse"}


def test_a_busy_day_is_not_laid_to_the_migration():
    before = snapshot(1, statement("a", 1000, 2.0), *control(1000, 1.0))
    # everything takes 1.6 times as long in the second interval
    after = snapshot(2, statement("a", 2000, 2.6), *control(2000, 1.3))
    found = compare(before, after)
    assert found.control_factor == pytest.approx(1.6)
    assert states(before, after) == {"a": "same"}
    assert verdict(found).state == "fine"


def test_without_a_control_group_the_factor_is_one_and_the_confidence_is_low():
    found = compare(snapshot(1, statement("a", 1000, 2.0)), snapshot(2, statement("a", 2000, 2.0)))
    assert (found.control_factor, found.control_size) == (1.0, 0)
    assert verdict(found).statements[0].confidence == "low"


def test_few_calls_are_enough_for_a_catastrophe_and_for_nothing_else():
    before = snapshot(1, statement("dead", 1000, 1.0), statement("rare", 1000, 1.0))
    after = snapshot(
        2,
        statement("dead", 1010, (1000 * 1.0 + 10 * 7000.0) / 1010, squares=1000 * 1.25 + 10 * 7000.0**2 * 1.01),
        statement("rare", 1010, (1000 * 1.0 + 10 * 1.1) / 1010),
    )
    assert states(before, after) == {"dead": "worse", "rare": "unknown"}


def test_new_and_gone_statements_are_findings():
    before = snapshot(1, statement("a", 1000, 1.0), statement("gone", 500, 1.0), statement("seldom", 3, 1.0))
    after = snapshot(
        2, statement("a", 2000, 1.0), statement("new", 50, 1.0), statement("gone", 500, 1.0), statement("seldom", 3, 1.0)
    )
    assert states(before, after) == {"a": "same", "new": "new", "gone": "gone", "seldom": "unknown"}


def test_a_new_statement_that_is_slow_is_watched():
    before = snapshot(1, statement("a", 1000, 1.0))
    after = snapshot(2, statement("a", 2000, 1.0), statement("new", 50, 900.0))
    judged = verdict(compare(before, after))
    assert judged.state == "watch"
    assert any("new and slow" in reason for reason in judged.reasons)


def test_an_entry_that_began_again_counts_as_a_whole():
    before = snapshot(1, statement("a", 1000, 1.0), statement("b", 10, 1.0, since=100.0))
    after = snapshot(2, statement("a", 300, 1.0), statement("b", 300, 1.0, since=200.0))
    found = {each.key.rpartition(":")[2]: each for each in compare(before, after).statements}
    assert (found["a"].calls_after, found["b"].calls_after) == (300, 300)
    assert found["a"].notes == ("its counters began again within the interval",)


def test_a_reset_of_pg_stat_statements_is_named_and_what_was_counted_since_is_compared():
    later = dataclasses.replace(EPOCH, statements_reset="2026-01-01T02:30:00+00:00")
    before, after = snapshot(2, statement("a", 1000, 2.0)), snapshot(3, statement("a", 600, 2.0), epoch=later)
    found = compare(before, after)
    assert found.statements[0].calls_after == 600
    assert found.notes == ("The counters of pg_stat_statements were reset: statements are compared since then.",)


def test_a_statement_of_the_control_group_that_was_not_kept_at_first_does_not_count():
    before = snapshot(1, statement("a", 1000, 1.0), *control(1000, 1.0))
    after = snapshot(2, statement("a", 2000, 1.0), *control(2000, 1.0), statement("x", 10**6, 99.0, touches=False))
    assert compare(before, after).control_size == 10


def test_the_plans_own_statements_are_left_out():
    before, after = snapshot(1, statement("a", 10, 1.0)), snapshot(2, statement("a", 20, 1.0), statement("fill", 9, 500.0))
    assert [found.key for found in compare(before, after, ignore=["fill"]).statements] == ["10:top:a"]


def test_a_crash_is_told_by_the_background_writer_and_not_by_the_servers_start():
    crashed = dataclasses.replace(EPOCH, background_reset="2026-01-01T01:30:00+00:00")
    before = snapshot(1, tables=[table(sequential_scans=500)], indexes=[index("public.i", 400)])
    after = snapshot(2, tables=[table(sequential_scans=700)], indexes=[index("public.i", 450)], epoch=crashed)
    found = compare(before, after)
    assert found.tables["public.users"].sequential_scans == 700
    assert found.indexes["public.i"].scans == 450
    assert found.notes == ("The counters of tables and indexes began again at zero: a crash or a reset.",)


def test_a_clean_restart_keeps_the_counters():
    restarted = dataclasses.replace(EPOCH, server_started="2026-01-01T01:30:00+00:00")
    before, after = (
        snapshot(1, tables=[table(sequential_scans=500)]),
        snapshot(2, tables=[table(sequential_scans=700)], epoch=restarted),
    )
    found = compare(before, after)
    assert found.tables["public.users"].sequential_scans == 200
    assert found.notes == ("The server was restarted; its counters were kept.",)


def test_another_database_is_not_compared():
    other = dataclasses.replace(EPOCH, system_identifier="2")
    assert "nothing can be compared" in compare(snapshot(1), snapshot(2, epoch=other)).notes[0]


def test_an_index_that_was_built_again_counts_from_zero():
    before = snapshot(1, indexes=[index("public.i", 4000, counter=1), index("public.old", 9)])
    after = snapshot(2, indexes=[index("public.i", 20, counter=2), index("public.new", 7, counter=3)])
    found = compare(before, after).indexes
    assert {name: (each.presence, each.scans) for name, each in found.items()} == {
        "public.i": ("both", 20),
        "public.new": ("new", 7),
        "public.old": ("gone", None),
    }


def test_rates_of_the_database_need_an_earlier_look():
    looks = [
        snapshot(hour, database={"xact_commit": 36_000 * hour, "xact_rollback": 36 * hour, "deadlocks": 0}) for hour in (1, 2, 3)
    ]
    without = compare(looks[1], looks[2]).database
    found = compare(looks[1], looks[2], earlier=looks[0]).database
    assert (without.commits_before, without.commits_after) == (None, 10.0)
    assert (found.commits_before, found.transactions_before, found.rollbacks_before) == (10.0, 36_036, 36)


def test_a_look_right_after_the_run_leaves_the_runs_own_work_out():
    before = snapshot(1, statement("a", 100, 1.0), tables=[table(rows_updated=0)])
    since = snapshot(2, statement("a", 1100, 1.0), tables=[table(rows_updated=10**6)])
    after = snapshot(3, statement("a", 1200, 1.0), tables=[table(rows_updated=10**6 + 5)])
    assert compare(before, after, since=since).statements[0].calls_after == 100


def test_unknown_is_said_where_nothing_can_be_compared():
    nothing = verdict(compare(snapshot(1, has_statements=False), snapshot(2, has_statements=False)))
    assert (nothing.state, nothing.reasons) == ("unknown", ("There is no pg_stat_statements: statements can't be compared.",))
    assert verdict(compare(snapshot(1), snapshot(2))).state == "unknown"


def test_a_verdict_wants_most_of_the_time_before_to_be_seen_again():
    before = snapshot(1, statement("a", 1000, 1.0), statement("b", 1000, 1.0))
    after = snapshot(2, statement("a", 2000, 1.0), statement("b", 1003, 1.0))
    assert verdict(compare(before, after)).state == "unknown"


def test_more_blocks_a_call_are_a_second_witness():
    limits = Thresholds()
    before = snapshot(1, statement("a", 1000, 0.10, stddev_ms=0.01, blocks=3), *control(1000, 1.0))
    after = snapshot(2, statement("a", 2000, 0.115, stddev_ms=0.02, blocks=30), *control(2000, 1.0))
    (found,) = compare(before, after).statements
    assert found.blocks_ratio == pytest.approx(19.0)
    assert judge_statement(found, limits) == "slower"


def test_a_longest_call_is_named_only_where_it_is_certain():
    before = snapshot(1, statement("a", 100, 1.0, max_ms=50.0), statement("b", 100, 1.0, max_ms=50.0))
    after = snapshot(2, statement("a", 200, 1.0, max_ms=80.0), statement("b", 200, 1.0, max_ms=50.0))
    found = {each.key.rpartition(":")[2]: each.new_max_ms for each in compare(before, after).statements}
    assert found == {"a": 80.0, "b": None}


def test_everything_survives_its_way_through_json():
    before = snapshot(1, statement("a", 1000, 2.0), tables=[table()], indexes=[index("public.i", 4)])
    after = snapshot(2, statement("a", 2000, 4.0), tables=[table()], indexes=[index("public.i", 5)])
    found = compare(before, after)
    judged = verdict(found)
    assert Snapshot.from_json(before.as_json()) == before
    assert Comparison.from_json(found.as_json()) == found
    assert Verdict.from_json(judged.as_json()) == judged
