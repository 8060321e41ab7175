"""A column of type json."""

from collections.abc import Iterator

from app.analysis.context import Context
from app.analysis.rule import Hit, Rule, manual
from app.sql.names import raw_type


def check(context: Context) -> Iterator[Hit]:
    """Hit for each new column of type json."""
    for table, definition, _ in context.added_columns():
        if raw_type(definition.get("typeName", {})) == "json":
            yield Hit(
                risk="low",
                message=f"{definition['colname']} is json: SELECT DISTINCT and GROUP BY over all columns of {table.name} "
                f"will fail.",
                safer="-- use jsonb, which can be compared and indexed",
                location=definition.get("location"),
            )


RULE = Rule(
    id="json-has-no-equality",
    title="json can't be compared",
    why="The type json has no equality operator, so existing queries with SELECT DISTINCT or GROUP BY over whole rows fail.",
    source=manual("datatype-json.html"),
    level="low",
    bad="ALTER TABLE users ADD COLUMN settings json;",
    good="ALTER TABLE users ADD COLUMN settings jsonb;",
    check=check,
)
