"""The proof of a recipe: run under traffic, compared with the plain statement, undone, compared with before."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from uuid import uuid4

from app.analysis.analyse import analyse_plan
from app.catalog.records import Relation, Schema
from app.catalog.schema import read_schema
from app.engine.order import Finished, WaitingGate
from app.plan.model import Phase, Plan, Step
from app.recipes.apply import apply
from app.recipes.offers import recipes_for
from app.recipes.registry import RECIPES
from app.sql.split import split
from tests.doubles.databases import Database, fresh_database
from tests.doubles.diary import Diary
from tests.doubles.orders import QUICK, an_order, to_the_end
from tests.postgres.recipes.traffic import Query, Traffic, traffic

#: what a lock may make others wait for: the engine's own limit, and a server that shares two cores with others
LIMIT_MS = QUICK.lock_timeout_ms + 1_500


@dataclass(frozen=True, kw_only=True)
class Case:
    """One statement, the world that it meets, and who uses that."""

    recipe: str
    setup: str
    statement: str
    old: Sequence[Query]
    #: what the application says after the first gate; None: the same
    new: Sequence[Query] | None = None
    #: the last step can't be undone: how many steps of the end are left out before the way back
    keeps: int = 0
    #: objects that the recipe makes besides, and that stay
    besides: frozenset[str] = field(default_factory=frozenset)
    #: the plain statement's result in the recipe's own words, where they differ
    plain: str | None = None


def schema_of(database: Database) -> Schema:
    with database.connect() as connection:
        return read_schema(connection)


def plan_of(case: Case, schema: Schema) -> Plan:
    step = Step(id="change", kind="sql", title="Change", spec={"sql": case.statement})
    plan = Plan(name="p", phases=(Phase(name="expand", steps=(step,)),))
    version = schema.server_version_num // 10_000
    assert RECIPES[case.recipe].matches(split(case.statement)[0], schema, version), "the recipe does not see its statement"
    return apply(plan, "change", 1, RECIPES[case.recipe], schema)


def shape(schema: Schema, besides: Iterable[str] = ()) -> dict[str, object]:
    """A schema without the order of columns and the state of use."""
    without = set(besides)
    return {
        "relations": {name: _relation(relation, without) for name, relation in schema.relations.items() if name not in without},
        "enums": dict(schema.enums),
        "functions": {name: item.definition for name, item in schema.functions.items() if name not in without},
        "sequences": {name: item for name, item in schema.sequences.items() if name not in without},
    }


def _relation(relation: Relation, without: set[str]) -> dict[str, object]:
    return {
        "kind": relation.kind,
        "columns": sorted((replace(column) for column in relation.columns), key=lambda column: column.name),
        "indexes": sorted(
            (index.name, index.definition, index.is_valid, index.constraint)
            for index in relation.indexes
            if index.name not in without
        ),
        "constraints": sorted((item.name, item.kind, item.definition, item.is_validated) for item in relation.constraints),
        "triggers": sorted(trigger.definition for trigger in relation.triggers if trigger.name not in without),
        "view": relation.view_definition,
        "comment": relation.comment,
        "grants": relation.grants,
    }


def run_forward(database: Database, case: Case, plan: Plan, seen: Traffic):
    """Drive the plan to its end; at the first gate the application becomes the next release."""
    order = an_order(database, plan=plan)
    while isinstance(result := to_the_end(order, Diary()), WaitingGate):
        if case.new is not None:
            seen.queries = case.new
        order = replace(order, fence=order.fence + 1, opened_gates={**order.opened_gates, result.step: "yes"})
    assert isinstance(result, Finished), result
    return order


def prove(database: Database, case: Case) -> None:
    """Forward under traffic, the plain statement elsewhere, then back."""
    database.execute(case.setup)
    before = schema_of(database)
    plan = plan_of(case, before)
    check_findings(plan, before)
    with traffic(database, case.old) as seen:
        order = run_forward(database, case, plan, seen)
    assert seen.failures == [], seen.failures[:3]
    assert seen.rounds > 0
    assert seen.slowest_ms < LIMIT_MS
    after = schema_of(database)
    with fresh_database(database.server) as other:
        other.execute(case.setup)
        other.execute(case.plain or case.statement)
        assert shape(after, case.besides) == shape(schema_of(other))
    undo(database, case, plan, before, order)


def check_findings(plan: Plan, schema: Schema) -> None:
    """Taken as large and busy, the plan holds no high risk but what is for ever, and nothing asks for a recipe again."""
    report = analyse_plan(plan, schema=schema, assume_large=True)
    high = {finding.rule for finding in report.findings() if finding.risk == "high" and not finding.accepted}
    assert high <= {"column-drop-is-for-ever", "table-drop-is-for-ever"}
    assert recipes_for(report, plan, schema) == ()


def undo(database: Database, case: Case, plan: Plan, before: Schema, order) -> None:
    """Back from the end, or in a fresh database from before the steps that nobody can undo."""
    if not case.keeps:
        back(database, order)
        assert shape(schema_of(database)) == shape(before)
        return
    with fresh_database(database.server) as other:
        other.execute(case.setup)
        steps = tuple(plan.steps())[: -case.keeps]
        shorter = replace(plan, phases=(Phase(name="expand", steps=steps),))
        back(other, run_forward(other, case, shorter, Traffic()))
        assert shape(schema_of(other)) == shape(before)


def back(database: Database, order) -> None:
    undoing = replace(order, key=uuid4(), fence=1, direction="rollback", forward_key=order.key)
    result = to_the_end(undoing, Diary())
    assert isinstance(result, Finished), result
