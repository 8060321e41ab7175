"""ADD COLUMN of a domain that checks its values."""

from collections.abc import Iterator

from app.analysis.context import Context
from app.analysis.domains import is_checked
from app.analysis.rule import Hit, Rule, manual
from app.sql.names import from_type_name


def check(context: Context) -> Iterator[Hit]:
    """Hit for each new column whose type is a domain with a constraint."""
    for table, definition, _ in context.added_columns():
        if "typeName" in definition and is_checked(context.state, from_type_name(definition["typeName"])):
            domain = from_type_name(definition["typeName"])
            yield Hit(
                risk=context.level(table, "rewrite"),
                message=f"{definition['colname']} has the domain {domain}, which checks its values: {table.name} is rewritten "
                f"even without a default ({context.size(table, 'rewrite')}).",
                safer="-- use the domain's base type and a CHECK ... NOT VALID on the table, then VALIDATE CONSTRAINT",
                location=definition.get("location"),
            )


RULE = Rule(
    id="constrained-domain-rewrites",
    title="A column of a domain with constraints rewrites the table",
    why="PostgreSQL evaluates the domain's constraint for every row by writing the table anew under ACCESS EXCLUSIVE "
    "(measured on "
    "15, 17 and 18), even where the column is NULL everywhere.",
    source=manual("sql-createdomain.html"),
    level="high",
    bad="CREATE DOMAIN email AS text CHECK (value LIKE '%@%');\nALTER TABLE users ADD COLUMN second_email email;",
    good="ALTER TABLE users ADD COLUMN second_email text;",
    check=check,
)
