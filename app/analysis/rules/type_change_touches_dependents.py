"""ALTER COLUMN TYPE on a column that other things are made of."""

from collections.abc import Iterator

from app.analysis.column_types import change_of, rebuilt_indexes, reread_checks
from app.analysis.context import Context
from app.analysis.refusals.columns import users_in_table
from app.analysis.rule import Hit, Rule, manual
from app.analysis.tables import Table


def check(context: Context) -> Iterator[Hit]:
    """Hit for indexes that are rebuilt, checks that are read again, and dependents that refuse the change."""
    for table, command in context.commands("AT_AlterColumnType"):
        name = str(command.get("name"))
        refusing = list(_refusing(context, table, name))
        if refusing:
            yield Hit(
                risk="high",
                message=f"The statement fails: {table.name}.{name} is used by {', '.join(refusing)}.",
                why="PostgreSQL refuses to change the type of a column that a view, rule, trigger or generated column uses "
                "(0A000).",
                safer="-- in one transaction: drop what uses it, change the type, make it again",
            )
        change = change_of(context.state, table, command, is_utc=context.options.is_utc)
        if change.work != "nothing":
            continue
        indexes = [index.name for index in rebuilt_indexes(table, command, change)]
        if indexes:
            yield Hit(
                risk=context.level(table, "build"),
                message=f"No rewrite of {table.name}, but {', '.join(indexes)} is built anew under ACCESS EXCLUSIVE "
                f"({context.size(table, 'build')}).",
                safer="-- build the index under its new definition CONCURRENTLY first, drop the old one, then change the type",
            )
        checks = reread_checks(table, command)
        if checks:
            yield Hit(
                risk=context.level(table, "scan"),
                message=f"{', '.join(checks)} mentions {name}: every row of {table.name} is read again under ACCESS EXCLUSIVE "
                f"({context.size(table, 'scan')}).",
                safer="-- drop the CHECK, change the type, add it again NOT VALID, then VALIDATE CONSTRAINT",
            )


def _refusing(context: Context, table: Table, column: str) -> Iterator[str]:
    for kind, dependent, columns in table.dependents:
        is_there = context.state.exists(dependent) is not False and dependent not in context.state.redefined
        if column in columns and kind in {"view", "materialized view", "rule", "policy"} and (is_there or kind == "policy"):
            yield f"the {kind} {dependent}"
    yield from users_in_table(table, column)


RULE = Rule(
    id="type-change-touches-dependents",
    title="A type change also touches what the column is used by",
    why="Even where no row is rewritten, indexes over other operators, expressions or predicates are built anew and CHECK "
    "constraints read every row, all under ACCESS EXCLUSIVE; views, rules and generated columns make the statement fail.",
    source=manual("sql-altertable.html#SQL-ALTERTABLE-NOTES"),
    level="high",
    bad="ALTER TABLE orders ALTER COLUMN note TYPE varchar(80);  -- with CREATE INDEX ... (lower(note))",
    good="ALTER TABLE users ALTER COLUMN nickname TYPE text;",
    check=check,
)
