"""Rows of the progress views as they were seen on real servers, and the bar that comes of them."""

import pytest

from app.catalog.activity import block_tree
from app.catalog.live import BlockEdge
from app.catalog.progress import ProgressBar


def row(phase, done=0, total=0, *, tuples=(0, 0), running=1.0, command="CREATE INDEX", **others):
    figures = {
        "phase": phase,
        "command": command,
        "blocks_done": done,
        "blocks_total": total,
        "tuples_done": tuples[0],
        "tuples_total": tuples[1],
        **others,
    }
    return {
        "source": "pg_stat_progress_create_index",
        "relation": "public.orders",
        "estimated_rows": 1000.0,
        "running_seconds": running,
        "row": figures,
    }


def fractions(bar, rows):
    return [bar.feed(each).fraction for each in rows]


def test_a_full_first_sample_of_a_scan_is_not_believed():
    bar = ProgressBar()
    first = bar.feed(row("building index: scanning table", 100, 100))
    assert (first.fraction, first.phase_fraction) == (0.0, None)
    assert bar.feed(row("building index: scanning table", 10, 100)).fraction == pytest.approx(0.055)


def test_the_bar_goes_on_over_phases_and_never_back():
    rows = [
        row("initializing"),
        row("building index: scanning table", 0, 100),
        row("building index: scanning table", 100, 100),
        row("building index: scanning table", 50, 100),
        row("building index: sorting live tuples", 100, 100),
        row("building index: loading tuples in tree", 0, 0, tuples=(500, 1000)),
    ]
    assert fractions(ProgressBar(), rows) == pytest.approx([0, 0, 0.55, 0.55, 0.55, 0.885])


def test_the_bar_is_not_full_before_the_statement_returned():
    bar = ProgressBar()
    bar.feed(row("building index: loading tuples in tree", tuples=(0, 1000)))
    assert bar.feed(row("building index: loading tuples in tree", tuples=(1000, 1000))).fraction == 0.99


def test_a_phase_without_counter_says_so():
    progress = ProgressBar().feed(row("building index: sorting live tuples"))
    assert progress.doing == "sorting live tuples (no counter in PostgreSQL)"
    assert (progress.phase_fraction, progress.phase_number) == (None, "3/5")


def test_a_rehearsals_shares_replace_the_usual_ones():
    measured = (("building index: scanning table", 0.9), ("building index: loading tuples in tree", 0.1))
    bar = ProgressBar(weights=measured)
    bar.feed(row("building index: scanning table", 0, 100))
    assert bar.feed(row("building index: scanning table", 50, 100)).fraction == pytest.approx(0.45)


def test_an_index_of_one_phase_is_counted_in_blocks():
    bar = ProgressBar()
    bar.feed(row("building index", 0, 100))
    assert bar.feed(row("building index", 30, 100)).fraction == pytest.approx(0.3)


def test_a_parallel_gin_build_has_its_own_phases():
    progress = ProgressBar().feed(row("building index: merging tuples", tuples=(50, 100)))
    assert progress.phase_number == "5/5"
    assert progress.fraction == pytest.approx(0.955)


def test_an_estimate_is_a_range_and_comes_only_after_ten_percent_and_five_seconds():
    def at(done, running):
        bar = ProgressBar()
        bar.feed(row("building index", 0, 100))
        return bar.feed(row("building index", done, 100, running=running)).eta_seconds

    assert at(50, 3) is None
    assert at(5, 30) is None
    low, high = at(50, 30)
    assert low < 30 < high


def test_an_unknown_phase_keeps_the_bar_where_it_was():
    bar = ProgressBar()
    bar.feed(row("building index: scanning table", 0, 100))
    bar.feed(row("building index: scanning table", 80, 100))
    progress = bar.feed(row("something of a later version"))
    assert (progress.fraction, progress.phase_number) == (pytest.approx(0.44), None)


def test_a_role_that_may_not_see_the_phase_gets_no_bar():
    progress = ProgressBar().feed(row(None))
    assert (progress.fraction, progress.phase, progress.doing) == (None, None, "hidden from this role")


def test_a_dump_is_counted_in_rows_against_the_estimate():
    copy = {"bytes_processed": 5000, "bytes_total": 0, "tuples_processed": 250, "command": "COPY TO", "type": "PIPE"}
    progress = ProgressBar().feed(
        {
            "source": "pg_stat_progress_copy",
            "relation": "public.orders",
            "estimated_rows": 1000.0,
            "running_seconds": 1.0,
            "row": copy,
        }
    )
    assert (progress.fraction, progress.rows_done, progress.bytes_done) == (0.25, 250, 5000)


def test_vacuum_and_analyze_count_their_scans():
    vacuum = {"phase": "scanning heap", "heap_blks_scanned": 50, "heap_blks_total": 100, "heap_blks_vacuumed": 0}
    analyze = {"phase": "acquiring sample rows", "sample_blks_scanned": 50, "sample_blks_total": 100}
    common = {"relation": "public.orders", "estimated_rows": None, "running_seconds": 1.0}
    assert ProgressBar().feed({"source": "pg_stat_progress_vacuum", "row": vacuum, **common}).fraction == pytest.approx(0.3)
    assert ProgressBar().feed({"source": "pg_stat_progress_analyze", "row": analyze, **common}).fraction == pytest.approx(0.4)


def edge(waiter, blocker):
    return BlockEdge(
        waiter_pid=waiter, blocker_pid=blocker, relation=None, wanted_mode="ShareLock", wait_seconds=None, queued_only=False
    )


def test_the_tree_around_a_session_has_its_victims_blockers_and_roots():
    tree = block_tree([edge(2, 1), edge(3, 2), edge(4, 3), edge(9, 8), edge(3, 1)], 2)
    assert tree.victims == {3: 1, 4: 2}
    assert tree.blockers == {1: 1}
    assert tree.roots == (1,)


def test_forty_waiters_that_block_each_other_are_walked_at_once():
    edges = [edge(waiter, blocker) for waiter in range(1, 41) for blocker in range(waiter)]
    assert len(block_tree(edges, 0).victims) == 40


def test_a_deadlock_has_no_root():
    assert block_tree([edge(1, 2), edge(2, 1)], 1).roots == ()
