"""CREATE OR REPLACE FUNCTION where something calls the function."""

import re
from collections.abc import Iterator

from app.analysis.context import Context
from app.analysis.rule import Hit, Rule, manual
from app.catalog.records import Relation
from app.sql.tree import strings

#: what keeps values that the old body has computed
_KEEPS = "what was computed by the old body stays as it is"


def check(context: Context) -> Iterator[Hit]:
    """Hit for a replaced function that the catalog finds in use, by what it is used for."""
    schema = context.state.schema
    if context.kind != "CreateFunctionStmt" or not context.body.get("replace") or schema is None:
        return
    name = strings(context.body.get("funcname"))[-1]
    if not any(signature.partition("(")[0].rpartition(".")[2] == name for signature in schema.functions):
        return
    called = re.compile(rf'(?<![\w"]){re.escape(name)}\(')
    relations = [relation for key, relation in schema.relations.items() if key not in context.state.removed]
    kept = [use for relation in relations for use in _keeping(relation, called)]
    run = [use for relation in relations for use in _running(relation, called)]
    if kept:
        yield Hit(risk="high", message=f"{name} is used by {_listed(kept)}: {_KEEPS} and no longer fits.")
    elif run:
        yield Hit(risk="medium", message=f"{name} is used by {_listed(run)}: they run the new body from the commit on.")


def _keeping(relation: Relation, called: re.Pattern[str]) -> Iterator[str]:
    yield from (f"index {index.name}" for index in relation.indexes if called.search(index.definition))
    for column in relation.columns:
        if column.generated and called.search(column.default or ""):
            yield f"the generated column {relation.name}.{column.name}"
    for constraint in relation.constraints:
        if called.search(constraint.definition):
            yield f"the constraint {constraint.name} of {relation.name}"
    if relation.kind == "materialized view" and called.search(relation.view_definition or ""):
        yield f"materialized view {relation.name}"


def _running(relation: Relation, called: re.Pattern[str]) -> Iterator[str]:
    yield from (
        f"trigger {trigger.name} of {relation.name}" for trigger in relation.triggers if called.search(trigger.definition)
    )
    for column in relation.columns:
        if not column.generated and called.search(column.default or ""):
            yield f"the default of {relation.name}.{column.name}"
    yield from (f"policy {policy.name} of {relation.name}" for policy in relation.policies if called.search(policy.definition))
    if relation.kind == "view" and called.search(relation.view_definition or ""):
        yield f"view {relation.name}"


def _listed(uses: list[str]) -> str:
    return ", ".join(uses[:4]) + (f" and {len(uses) - 4} more" if len(uses) > 4 else "")  # noqa: PLR2004  # so many are named


RULE = Rule(
    id="function-in-use",
    title="A function is replaced while indexes, views, triggers or defaults use it",
    why="Indexes, generated columns, constraints and materialized views hold what the old body computed, and "
    "PostgreSQL computes nothing "
    "again: a search by the index then misses rows. Triggers, views, defaults and policies run the new body at once, "
    "also for the "
    "application that is deployed now.",
    source=manual("sql-createfunction.html"),
    level="high",
    bad="CREATE OR REPLACE FUNCTION slug(t text) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT upper(t) $$;",
    good="CREATE FUNCTION slug2(t text) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT upper(t) $$;",
    check=check,
    needs_target="an index calls the function",
)
