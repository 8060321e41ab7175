"""DROP CONSTRAINT of a unique or primary key constraint."""

from collections.abc import Iterator

from app.analysis.context import Context
from app.analysis.rule import Hit, Rule, manual


def check(context: Context) -> Iterator[Hit]:
    """Hit where a unique or primary key constraint goes, known by the catalog or by its usual name."""
    for table, command in context.commands("AT_DropConstraint"):
        name = str(command.get("name"))
        found = table.constraints.get(name)
        if found is not None and (found.is_new or found.kind not in {"unique", "primary key", "exclusion"}):
            continue
        if found is None and (table.is_known or not name.endswith(("_pkey", "_key", "_unique", "_uniq", "_uk", "_pk"))):
            continue
        keys = [f"{fact.name} of {child.name}" for child, fact in context.state.referencing(table.name) if found]
        yield Hit(
            risk="high",
            message=f"Dropping {name} removes its index on {table.name}: queries that use it read the whole table, and "
            f"duplicates "
            "are no longer refused." + (f" Foreign keys depend on it: {', '.join(keys)}." if keys else ""),
            safer="-- build the replacement with CREATE UNIQUE INDEX CONCURRENTLY first, and add it USING INDEX",
        )


RULE = Rule(
    id="unique-constraint-drop",
    title="Dropping a unique or primary key removes its index",
    why="The index goes with the constraint: queries, foreign keys, replica identity and ON CONFLICT that rely on it fail "
    "or slow "
    "down at once.",
    source=manual("sql-altertable.html"),
    level="high",
    bad="ALTER TABLE users DROP CONSTRAINT users_pkey CASCADE;",
    good="ALTER TABLE users DROP CONSTRAINT age_positive;",
    check=check,
)
