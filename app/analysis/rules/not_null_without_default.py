"""ADD COLUMN NOT NULL that has nothing to put into the rows that are there."""

from collections.abc import Iterator

from app.analysis.context import Context
from app.analysis.rule import Hit, Rule, manual
from app.analysis.safer import not_null
from app.sql.names import SERIAL_TYPES, quote_identifier, quote_qualified, raw_type

_FILLS = frozenset({"CONSTR_DEFAULT", "CONSTR_IDENTITY", "CONSTR_GENERATED"})


def check(context: Context) -> Iterator[Hit]:
    """Hit for each NOT NULL column without a default: it fails as soon as the table has a row."""
    for table, definition, constraints in context.added_columns():
        kinds = {constraint.get("contype") for constraint in constraints}
        if not kinds & {"CONSTR_NOTNULL", "CONSTR_PRIMARY"} or kinds & _FILLS:
            continue
        is_serial = raw_type(definition.get("typeName", {})) in SERIAL_TYPES
        if is_serial or table.is_empty:
            continue
        name = definition["colname"]
        added = f"ALTER TABLE {quote_qualified(table.name)} ADD COLUMN {quote_identifier(name)} ...;\n"
        yield Hit(
            risk="high",
            message=f"{name} is NOT NULL and has no default: the statement fails as soon as {table.name} holds a row.",
            safer=added + not_null(table, name, context.options.server_version),
            location=definition.get("location"),
        )


RULE = Rule(
    id="not-null-without-default",
    title="A NOT NULL column without a default fails on a table with rows",
    why="The rows that are there would hold NULL in the new column, so PostgreSQL refuses the statement (23502). Code that does "
    "not know the column yet could not insert either.",
    source=manual("sql-altertable.html"),
    level="high",
    bad="ALTER TABLE users ADD COLUMN plan text NOT NULL;",
    good="ALTER TABLE users ADD COLUMN plan text NOT NULL DEFAULT 'free';",
    check=check,
)
