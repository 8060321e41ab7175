"""What a reviewer is told about two revisions."""

from dataclasses import replace

from app.plan.changes import differences
from app.plan.model import AcceptedRisk, Brief, Phase, Plan, Rollback, Step


def step(name: str, sql: str = "SELECT 1;", back: str = "SELECT 2;") -> Step:
    return Step(id=name, kind="sql", title=name.upper(), spec={"sql": sql}, rollback=Rollback(grade="lossless", sql=back))


def plan(*steps: Step, contract: tuple[Step, ...] = (), **fields: object) -> Plan:
    return Plan(name="p", phases=(Phase(name="expand", steps=steps), Phase(name="contract", steps=contract)), **fields)


def said(old: Plan, new: Plan) -> list[tuple[str, str, str]]:
    return [(change.kind, change.of, change.sentence) for change in differences(old, new)]


A, B, C = step("a"), step("b"), step("c")


def test_equal_plans_have_no_differences() -> None:
    assert differences(plan(A, B), plan(A, B)) == []


def test_a_new_step_is_shown_whole() -> None:
    (change,) = differences(plan(A), plan(A, B))
    assert (change.kind, change.sentence) == ("added", "Step b is new, in expand.")
    assert "+SELECT 1;" in change.lines
    assert change.changes_what_runs


def test_a_removed_step_is_shown_whole() -> None:
    (change,) = differences(plan(A, B), plan(A))
    assert (change.kind, change.what) == ("removed", "b")
    assert "-SELECT 1;" in change.lines


def test_the_fewest_moves_explain_another_order() -> None:
    assert said(plan(A, B, C), plan(C, A, B)) == [("moved", "step", "Step c moved to the beginning.")]


def test_a_step_that_only_shifts_because_another_is_new_has_not_moved() -> None:
    assert [kind for kind, _, _ in said(plan(A, B), plan(C, A, B))] == ["added"]


def test_another_phase_is_a_move() -> None:
    assert said(plan(A, B), plan(A, contract=(B,))) == [("moved", "step", "Step b moved from expand to contract.")]


def test_changed_sql_comes_as_a_diff() -> None:
    (change,) = differences(plan(A), plan(step("a", "SELECT 1;\nSELECT 3;")))
    assert change.sentence == "Step a changed: what it does."
    assert "+SELECT 3;" in change.lines
    assert "-SELECT 1;" not in change.lines


def test_a_changed_way_back_is_named() -> None:
    (change,) = differences(plan(A), plan(step("a", back="SELECT 9;")))
    assert change.sentence == "Step a changed: its way back."
    assert {"-SELECT 2;", "+SELECT 9;"} <= set(change.lines)


def test_a_new_title_does_not_change_what_runs() -> None:
    (change,) = differences(plan(A), plan(replace(A, title="Other")))
    assert not change.changes_what_runs


def test_risks_brief_and_name_are_compared() -> None:
    risk = AcceptedRisk(rule="r", reason="small", step="a")
    old = plan(A, brief=Brief(summary="one\ntwo"))
    new = replace(plan(A, brief=Brief(summary="one\n2"), accepted=(risk,)), name="q", tool="prisma")
    assert said(old, new) == [
        ("added", "accepted", "The risk r in step a is accepted: small"),
        ("changed", "brief", "Summary was rewritten."),
        ("changed", "name", 'The plan is now called "q".'),
        ("changed", "name", "The plan belongs to the tool prisma, before (none)."),
    ]
    assert said(new, old)[0] == ("removed", "accepted", "The risk r in step a is no longer accepted.")
