"""A recipe in the place of a statement: what stands around it, ids, phases, and ways back."""

from dataclasses import replace

import pytest

from app.analysis.analyse import analyse_plan
from app.plan.document import read_plan
from app.plan.model import AcceptedRisk, Phase, Plan, Rollback, Step
from app.plan.writing import write_plan
from app.recipes.apply import RecipeNotForThisError, apply
from app.recipes.offers import recipes_for
from app.recipes.registry import RECIPES
from tests.unit.recipes.shop import a_schema


def a_step(step_id: str, sql: str, **also) -> Step:
    back = Rollback(grade="lossless", reason="nothing to undo")
    return Step(
        id=step_id, kind="sql", title=step_id, spec={"sql": sql, **also}, rollback=back, source_file="a.sql", source_line=3
    )


def a_gate(step_id: str) -> Step:
    return Step(id=step_id, kind="gate", title=step_id, spec={"ask": "Go on"})


def a_plan(*steps: Step, migrate: tuple[Step, ...] = (), contract: tuple[Step, ...] = ()) -> Plan:
    named = (("expand", steps), ("migrate", migrate), ("contract", contract))
    return Plan(name="p", phases=tuple(Phase(name=name, steps=members) for name, members in named if members))


def ids(plan: Plan) -> dict[str, list[str]]:
    return {phase.name: [step.id for step in phase.steps] for phase in plan.phases}


UNIQUE = 'ALTER TABLE "Users" ADD UNIQUE (org)'
NOT_NULL = 'ALTER TABLE "Users" ALTER org SET NOT NULL'


def test_a_statement_between_others_leaves_them_before_and_behind():
    step = a_step("s", f"CREATE TABLE a (x int);\n{UNIQUE};\nCREATE TABLE b (x int)", lock_timeout_ms=70)
    plan = apply(a_plan(step), "s", 2, RECIPES["add-unique"], a_schema())
    first, *recipe, last = plan.steps()
    assert (first.id, first.spec["sql"]) == ("s", "CREATE TABLE a (x int);\n")
    assert (last.id, last.spec["sql"]) == ("s-rest", "CREATE TABLE b (x int);\n")
    assert last.rollback.sql == "DROP TABLE b;\n"
    assert all(step.id.startswith("s-") and step.source_file == "a.sql" for step in recipe)
    assert {step.spec.get("lock_timeout_ms") for step in recipe if step.kind == "sql"} == {70}


def test_one_command_of_an_alter_table_is_taken_out_of_it():
    step = a_step("s", 'ALTER TABLE "Users" ADD a int, ADD UNIQUE (org), ADD b int')
    plan = apply(a_plan(step), "s", 1, RECIPES["add-unique"], a_schema())
    first, *_, last = plan.steps()
    assert first.spec["sql"] == 'ALTER TABLE "Users" ADD COLUMN a int;\n'
    assert last.spec["sql"] == 'ALTER TABLE "Users" ADD COLUMN b int;\n'


def test_ids_stay_unique_when_the_same_recipe_comes_twice():
    plan = a_plan(a_step("s", f"{UNIQUE}; {UNIQUE}"), a_step("s-rest", "SELECT 1"))
    plan = apply(plan, "s", 1, RECIPES["add-unique"], a_schema())
    plan = apply(plan, "s-rest-2", 1, RECIPES["add-unique"], a_schema())
    names = [step.id for step in plan.steps()]
    assert len(names) == len(set(names))
    assert "s-rest" in names


def test_each_step_goes_to_its_own_phase_and_strangers_stay_where_they_were():
    other = a_step("other", "CREATE TABLE other (x int)")
    fill = a_step("fill", "UPDATE other SET x = 1")
    plan = apply(a_plan(a_step("s", NOT_NULL), other, migrate=(fill,)), "s", 1, RECIPES["add-not-null"], a_schema())
    assert ids(plan) == {
        "expand": ["s-org-written", "other"],
        "migrate": ["s-org-no-nulls", "fill"],
        "contract": ["s-org-not-null", "s-org-not-null-proven"],
    }


def test_what_was_written_behind_the_statement_and_touches_its_table_waits_for_it():
    after = a_step("after", 'ALTER TABLE "Users" ADD UNIQUE (org)')
    behind = a_step("behind", "CREATE TABLE other (x int)")
    plan = apply(a_plan(a_step("s", NOT_NULL), after, a_gate("live"), behind), "s", 1, RECIPES["add-not-null"], a_schema())
    assert ids(plan)["contract"] == ["s-org-not-null", "s-org-not-null-proven", "after", "live", "behind"]


def test_nothing_of_it_runs_before_what_the_statement_was_written_behind():
    fill = a_step("fill", 'UPDATE "Users" SET org = 1')
    plan = apply(a_plan(migrate=(fill, a_step("s", UNIQUE))), "s", 1, RECIPES["add-unique"], a_schema())
    assert list(ids(plan)) == ["migrate"]
    assert ids(plan)["migrate"][0] == "fill"


def test_a_gate_before_the_statement_stays_before_it():
    plan = apply(a_plan(migrate=(a_gate("live"), a_step("s", UNIQUE))), "s", 1, RECIPES["add-unique"], a_schema())
    assert ids(plan)["migrate"][0] == "live"
    assert list(ids(plan)) == ["migrate"]


@pytest.mark.parametrize("recipe", ["change-type", "drop-column", "rename-column", "fill-columns", "generated-column"])
def test_the_plan_that_comes_out_can_be_written_and_read_again(recipe: str):
    sql = {
        "change-type": 'ALTER TABLE "Users" ALTER org TYPE bigint',
        "drop-column": 'ALTER TABLE "Users" DROP COLUMN note',
        "rename-column": 'ALTER TABLE "Users" RENAME "Nick" TO nick',
        "fill-columns": 'UPDATE "Users" SET full_name = "Nick" || note',
        "generated-column": 'ALTER TABLE "Users" ADD c int GENERATED ALWAYS AS (org * 2) STORED',
    }[recipe]
    plan = apply(a_plan(a_step("s", sql)), "s", 1, RECIPES[recipe], a_schema())
    assert read_plan(write_plan(plan)).digest() == plan.digest()


def test_a_statement_that_is_not_there_and_a_recipe_that_does_not_fit_are_refused():
    plan = a_plan(a_step("s", UNIQUE), a_gate("g"))
    for step, index, recipe in (("s", 2, "add-unique"), ("s", 0, "add-unique"), ("g", 1, "add-unique"), ("x", 1, "add-unique")):
        with pytest.raises(RecipeNotForThisError):
            apply(plan, step, index, RECIPES[recipe], a_schema())
    with pytest.raises(RecipeNotForThisError, match="is not for this statement"):
        apply(plan, "s", 1, RECIPES["add-check"], a_schema())


def test_recipes_are_offered_for_what_the_rules_found_and_nobody_accepted():
    plan = a_plan(a_step("s", f"CREATE TABLE a (x int); {UNIQUE}"), a_step("t", "CREATE INDEX i ON a (x)"))
    report = analyse_plan(plan, schema=a_schema())
    offers = recipes_for(report, plan, a_schema())
    assert [(offer.step, offer.statement, offer.recipe) for offer in offers] == [("s", 2, "add-unique")]
    rules = {finding.rule for finding in report.findings()}
    accepted = replace(plan, accepted=tuple(AcceptedRisk(rule=rule, reason="known") for rule in rules))
    assert recipes_for(analyse_plan(accepted, schema=a_schema()), accepted, a_schema()) == ()


def test_a_recipe_leaves_nothing_of_high_risk_where_it_was_offered_for_that():
    plan = apply(a_plan(a_step("s", UNIQUE)), "s", 1, RECIPES["add-unique"], a_schema())
    assert analyse_plan(plan, schema=a_schema()).risk != "high"
