"""Rows that NOT NULL refuses, in all its spellings, and rows for which a new column has no value."""

from collections.abc import Iterator, Sequence

from app.analysis.context import Context
from app.analysis.probes.probe import Probe
from app.analysis.probes.rows import lacks, select, target_relation
from app.analysis.tables import Table
from app.sql.names import SERIAL_TYPES, quote_identifier, raw_type
from app.sql.tree import strings

_FILLED = frozenset({"CONSTR_DEFAULT", "CONSTR_IDENTITY", "CONSTR_GENERATED"})


def not_null(context: Context) -> Iterator[Probe]:
    """SET NOT NULL and NOT NULL constraints."""
    for table, command in context.commands("AT_SetNotNull"):
        name = str(command.get("name"))
        if not table.proves_not_null(name):
            yield from nulls(context, table, [name], effect="SET NOT NULL fails")
    for table, command in context.commands("AT_AddConstraint"):
        constraint = command["def"]["Constraint"]
        if constraint.get("contype") == "CONSTR_NOTNULL":
            later = "is refused by VALIDATE, and any UPDATE of them fails from then on"
            effect = later if constraint.get("skip_validation") else "the constraint can't be added"
            yield from nulls(context, table, strings(constraint.get("keys")), effect=effect)


def nulls(context: Context, table: Table, columns: Sequence[str], *, effect: str) -> Iterator[Probe]:
    """Which rows hold NULL in one of the columns."""
    relation = target_relation(context.state.schema, table.name)
    if relation is None or not columns:
        return
    new = lacks(relation, columns)
    condition = " OR ".join(f"{quote_identifier(name)} IS NULL" for name in columns)
    yield Probe(
        kind="nulls",
        relation=relation.name,
        found=f"{{n}} of {relation.name} hold NULL in {' or '.join(columns)}",
        effect=effect,
        question=None if new else select(relation, columns, condition),
        why_not=f"the plan itself makes {new}" if new else "",
    )


def without_value(context: Context) -> Iterator[Probe]:
    """A new column that is NOT NULL and has nothing to put into the rows that are there."""
    for table, definition, constraints in context.added_columns():
        kinds = {constraint.get("contype") for constraint in constraints}
        needs = bool(kinds & {"CONSTR_NOTNULL", "CONSTR_PRIMARY"})
        if not needs or kinds & _FILLED or raw_type(definition.get("typeName", {})) in SERIAL_TYPES:
            continue
        relation = target_relation(context.state.schema, table.name)
        if relation is not None:
            yield Probe(
                kind="rows",
                relation=relation.name,
                found=f"{{n}} of {relation.name} would have no value in {definition.get('colname')}",
                effect="ADD COLUMN fails",
                question=select(relation, (), "true"),
            )
