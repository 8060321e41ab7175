"""DELETE on a table whose rows others reference."""

from collections.abc import Iterator

from app.analysis.context import Context
from app.analysis.predicates import is_always_true
from app.analysis.rule import Hit, Rule, manual


def check(context: Context) -> Iterator[Hit]:
    """Hit where a referencing table has no index on the referencing columns."""
    if context.kind != "DeleteStmt" or is_always_true(context.body.get("whereClause")):
        return
    table = context.state.table_of(context.body["relation"])
    for child, constraint in context.state.referencing(table.name):
        if child.is_known and not context.is_small(child) and child.index_with_prefix(constraint.columns) is None:
            yield Hit(
                risk="medium",
                message=f"Each deleted row of {table.name} reads all of {child.name}: {', '.join(constraint.columns)} has "
                f"no index.",
                safer=f"CREATE INDEX CONCURRENTLY ON {child.name} ({', '.join(constraint.columns)});",
            )


RULE = Rule(
    id="delete-fans-out",
    title="Deleting a referenced row scans the referencing table",
    why="For every deleted row PostgreSQL looks for rows that reference it; without an index it reads the whole table each time.",
    source=manual("ddl-constraints.html#DDL-CONSTRAINTS-FK"),
    level="medium",
    bad="DELETE FROM orgs WHERE id = 5;",
    good="CREATE INDEX CONCURRENTLY users_org_idx ON users (org_id);\n"
    "CREATE INDEX CONCURRENTLY orders_org_idx ON orders (org_id);\nDELETE FROM orgs WHERE id = 5;",
    check=check,
)
