"""ADD COLUMN that numbers every row that is there."""

from collections.abc import Iterator

from app.analysis.context import Context
from app.analysis.rule import Hit, Rule, manual
from app.sql.names import SERIAL_TYPES, quote_identifier, quote_qualified, raw_type


def check(context: Context) -> Iterator[Hit]:
    """Hit for each serial or identity column on a table that others use."""
    for table, definition, constraints in context.added_columns():
        is_serial = raw_type(definition.get("typeName", {})) in SERIAL_TYPES
        if not is_serial and not any(constraint.get("contype") == "CONSTR_IDENTITY" for constraint in constraints):
            continue
        name, t = definition["colname"], quote_qualified(table.name)
        sequence = quote_qualified(f"{table.name}_{name}_seq")
        yield Hit(
            risk=context.level(table, "rewrite"),
            message=f"{name} numbers every row of {table.name}, which rewrites it ({context.size(table, 'rewrite')}).",
            safer=f"ALTER TABLE {t} ADD COLUMN {quote_identifier(name)} bigint;\n"
            f"CREATE SEQUENCE {sequence} OWNED BY {t}.{quote_identifier(name)};\n"
            f"ALTER TABLE {t} ALTER COLUMN {quote_identifier(name)} SET DEFAULT nextval('{sequence}');\n"
            f"-- then a backfill step: SET {quote_identifier(name)} = nextval('{sequence}') WHERE {quote_identifier(name)} "
            f"IS NULL",
            location=definition.get("location"),
        )


RULE = Rule(
    id="serial-or-identity-rewrites",
    title="A serial or identity column on an existing table rewrites it",
    why="Every row gets a number of its own, so the whole table is written anew under ACCESS EXCLUSIVE.",
    source=manual("sql-altertable.html#SQL-ALTERTABLE-NOTES"),
    level="high",
    bad="ALTER TABLE users ADD COLUMN number bigserial;",
    good="ALTER TABLE users ADD COLUMN number bigint;",
    check=check,
)
