"""Who waits: the lock, how long its transaction holds it, and how often the relation is used; always with the inputs."""

import dataclasses
import json

import pytest

from app.analysis.analyse import analyse_plan, analyse_script
from app.analysis.basis import Basis
from app.analysis.impact import about
from app.analysis.report import Analysis
from app.catalog.records import QueryStatistics, Statistics
from app.plan.model import Phase, Plan, Step
from tests.doubles.shop import a_shop, sizes

LARGE = sizes(mebibytes=3_000, rows=20_000_000)


def query(text: str, *, per_second: float | None, number: int = 1, calls: int = 1000) -> QueryStatistics:
    return QueryStatistics(
        query_id=number, query=text, calls=calls, total_ms=1.0, mean_ms=0.1, rows=1, calls_per_second=per_second
    )


def busy(*queries: QueryStatistics, base: Statistics = LARGE) -> Statistics:
    return dataclasses.replace(base, queries=queries, has_statements=True, counted_seconds=720.0, is_since_last_look=True)


SHOP_TRAFFIC = busy(
    query("SELECT name FROM users WHERE id = $1", per_second=60.0, number=1),
    query("UPDATE users SET status = $1 WHERE id = $2", per_second=30.0, number=2),
    query("SELECT email FROM v_users", per_second=5.0, number=3),
    query("SELECT 1 FROM orders", per_second=500.0, number=4),
    query("INSERT INTO log SELECT 1, name FROM users", per_second=1.0, number=5),
    query("SELECT /* headgate */ count(*) FROM users", per_second=900.0, number=6),
)


def test_writes_wait_for_an_index_build_and_reads_do_not() -> None:
    report = analyse_script("CREATE INDEX i ON users (age)", schema=a_shop(), statistics=SHOP_TRAFFIC).statements[0]
    (impact,) = report.impact
    assert (impact.relation, impact.mode, impact.blocked, impact.calls_per_second) == ("public.users", "SHARE", ("writes",), 30.0)
    assert impact.held_ms is not None
    assert impact.waiting_statements == round(30.0 * impact.held_ms[2] / 1000)
    assert impact.basis == "SHARE held 6.6 s to 46.5 s; 30.0 writes a second (4 known statements, over the last 12 min)"


def test_access_exclusive_makes_readers_of_the_table_and_of_its_views_wait() -> None:
    found = analyse_script("ALTER TABLE users ALTER COLUMN age TYPE bigint", schema=a_shop(), statistics=SHOP_TRAFFIC)
    (impact,) = [impact for impact in found.statements[0].impact if impact.relation == "public.users"]
    assert impact.calls_per_second == 96.0
    assert found.worst_moment is not None
    assert found.worst_moment.sentence == "about 13,000 statements would wait, the longest 2 min"


def test_a_lock_is_held_until_its_transaction_ends() -> None:
    script = "BEGIN; ALTER TABLE users ADD COLUMN x int; CREATE INDEX i ON orders (qty); COMMIT;"
    together = analyse_script(script, schema=a_shop(), statistics=SHOP_TRAFFIC).statements
    apart = analyse_script(
        script.replace("BEGIN;", "").replace("COMMIT;", ""), schema=a_shop(), statistics=SHOP_TRAFFIC
    ).statements
    assert together[1].impact[0].held_ms is not None
    assert apart[0].impact[0].held_ms is not None
    assert together[1].impact[0].held_ms[2] > 40_000
    assert "until its transaction ends" in together[1].impact[0].basis
    assert apart[0].impact[0].held_ms[2] < 50


def test_a_lock_counts_once_in_a_transaction() -> None:
    script = "BEGIN; ALTER TABLE users ADD COLUMN x int; ALTER TABLE users ADD COLUMN y int; COMMIT;"
    found = analyse_script(script, schema=a_shop(), statistics=SHOP_TRAFFIC).statements
    assert [len(report.impact) for report in found] == [0, 1, 0, 0]


def test_what_is_not_measured_is_said_and_never_counted_as_nothing() -> None:
    sized = analyse_script("CREATE INDEX i ON users (age)", schema=a_shop(), statistics=LARGE)
    assert sized.statements[0].impact[0].waiting_statements is None
    assert sized.worst_moment is not None
    assert sized.worst_moment.sentence.endswith("how many is not known: traffic not measured")
    for unsized in (
        analyse_script("CREATE INDEX i ON users (age)"),
        analyse_script("CREATE INDEX i ON users (age)", schema=a_shop(), statistics=SHOP_TRAFFIC, assume_large=True),
    ):
        assert unsized.worst_moment is not None
        assert (
            unsized.worst_moment.sentence == "writes on public.users would wait, for how long is not known: its size is unknown"
        )


def test_without_pg_stat_statements_the_tables_own_counters_stand_in() -> None:
    counted = sizes(mebibytes=3_000, rows=20_000_000, per_second=40.0)
    impact = analyse_script("CREATE INDEX i ON users (age)", schema=a_shop(), statistics=counted).statements[0].impact[0]
    assert impact.calls_per_second == 40.0
    assert "scans and changed rows of the table" in impact.basis


def test_the_queue_behind_the_lock_request_is_bounded_by_the_lock_timeout() -> None:
    step = Step(id="s", kind="sql", title="s", spec={"sql": "ALTER TABLE users ADD COLUMN x int"})
    plan = Plan(name="p", phases=(Phase(name="expand", steps=(step,)),))
    basis = Basis(schema=a_shop(), statistics=SHOP_TRAFFIC, lock_timeout_ms=2000.0)
    impact = analyse_plan(plan, basis=basis).statements[0].impact[0]
    assert (impact.queued_statements, impact.queue_ms) == (192, 2000.0)


def test_nobody_waits_where_no_lock_blocks() -> None:
    found = analyse_script("CREATE INDEX CONCURRENTLY i ON users (age)", schema=a_shop(), statistics=SHOP_TRAFFIC)
    assert found.worst_moment is not None
    assert found.worst_moment.sentence.startswith("nobody would wait")
    assert [work.kind for work in found.statements[0].work] == ["build beside"]
    assert found.statements[0].duration_ms is not None


@pytest.mark.parametrize(("count", "shown"), [(0, "0"), (17, "17"), (423, "420"), (4_234, "4,200"), (1_860_000, "1,900,000")])
def test_two_figures_are_all_that_an_estimate_can_vouch_for(count: int, shown: str) -> None:
    assert about(count) == shown


def test_an_analysis_with_impacts_survives_its_way_through_json() -> None:
    found = analyse_script("ALTER TABLE users ALTER COLUMN age TYPE bigint", schema=a_shop(), statistics=SHOP_TRAFFIC)
    assert Analysis.from_json(json.loads(json.dumps(found.as_json()))) == found
