"""All looks of a run, from the one before it to the newest."""

from datetime import UTC, datetime

from app.monitoring.evidence import Evidence
from app.monitoring.integrity import Integrity
from app.monitoring.watch import Look, compared_looks, judge_watch
from app.plan.model import Phase, Plan, Step
from tests.unit.monitoring.figures import control, snapshot, statement

LOOSE = Step(
    id="loose",
    kind="sql",
    title="loose",
    spec={"sql": "ALTER TABLE orders ADD CONSTRAINT c CHECK (total > 0) NOT VALID"},
)
PLAN = Plan(name="x", phases=(Phase(name="expand", steps=(LOOSE,)),))
END = datetime(2026, 1, 1, 2, tzinfo=UTC)


def look(window, hours, calls, mean_ms=1.0):
    return Look(window=window, snapshot=snapshot(hours, statement("a", calls, mean_ms), *control(calls, 1.0)))


def test_nothing_is_compared_before_both_sides_were_looked_at():
    assert compared_looks([], PLAN) is None
    assert compared_looks([look("before", 1, 100)], PLAN) is None
    assert compared_looks([look("now", 1, 100)], PLAN) is None


def test_the_newest_look_is_held_against_the_last_one_before_the_run():
    looks = [look("1h", 4, 4000), look("before", 1, 1000), look("now", 3, 3000), look("before", 2, 2000)]
    found = compared_looks(looks, PLAN)
    assert (found.before_at, found.after_at) == (looks[3].snapshot.taken_at, looks[0].snapshot.taken_at)
    # before: from the look an hour earlier; after: from the look right after the run
    assert (found.statements[0].calls_before, found.statements[0].calls_after) == (1000, 1000)


def test_a_single_look_after_the_run_is_compared_from_the_look_before_it():
    found = compared_looks([look("before", 1, 1000), look("now", 2, 1500)], PLAN)
    assert found.statements[0].calls_after == 500


def test_the_watch_judges_every_item_and_knows_what_the_plan_leaves_open_on_purpose():
    looks = [look("before", 1, 1000), look("now", 2, 2000), look("1w", 200, 3000)]
    evidence = Evidence(integrity=Integrity(unvalidated=("public.orders.c",)))
    watch = judge_watch(looks, plan=PLAN, evidence=evidence, finished_at=END, now=datetime(2026, 1, 10, tzinfo=UTC))
    states = {judgement.item_id: judgement.state for judgement in watch.judgements}
    assert len(states) == 9
    assert states["no-orphans"] == "passed"
    assert states["query-performance-stable"] == "passed"
    assert watch.verdict.state == "fine"
    assert watch.as_json()["judgements"][0]["window"] == "1h"
