"""A name without its schema that means another table for another search_path."""

from collections.abc import Iterator

from app.analysis.context import Context
from app.analysis.rule import Hit, Rule, manual
from app.sql.names import quote_qualified
from app.sql.relations import in_order


def check(context: Context) -> Iterator[Hit]:
    """Hit for the first unqualified name that several schemas of the search_path have."""
    schema = context.state.schema
    if schema is None or not context.effect.is_ddl:
        return
    path = context.state.search_path
    for name in in_order(context.statement.node):
        if "." in name:
            continue
        found = [
            place for place in path if f"{place}.{name}" in schema.relations and f"{place}.{name}" not in context.state.removed
        ]
        makes = context.kind == "CreateStmt" and name == context.body["relation"].get("relname")
        others = [place for place in found if place != context.state.creation_schema] if makes else found[1:]
        if others and (found or makes):
            meant = f"{context.state.creation_schema if makes else found[0]}.{name}"
            yield Hit(
                risk="medium",
                message=f"{name} means {meant} here, but {', '.join(f'{place}.{name}' for place in others)} is in the "
                "search_path, too: "
                "another session may mean that one.",
                safer=f"-- write the schema: {quote_qualified(meant)}",
            )
            return


RULE = Rule(
    id="name-found-elsewhere",
    title="A name without its schema fits several tables",
    why="PostgreSQL takes the first schema of the search_path that has the name. A role, a database or a connection "
    "pool with another "
    "search_path changes another table, and a new table of the same name hides the one that queries meant so far.",
    source=manual("ddl-schemas.html#DDL-SCHEMAS-PATH"),
    level="medium",
    bad="ALTER TABLE users ADD COLUMN note text;",
    good="ALTER TABLE public.users ADD COLUMN note text;",
    check=check,
    needs_target="two schemas of the search_path have a table of that name",
)
