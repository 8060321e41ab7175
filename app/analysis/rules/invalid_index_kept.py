"""IF NOT EXISTS over an index that is invalid."""

from collections.abc import Iterator

from app.analysis.context import Context
from app.analysis.rule import Hit, Rule, manual
from app.sql.names import quote_qualified


def check(context: Context) -> Iterator[Hit]:
    """Hit where an index of that name exists and is invalid."""
    if context.kind != "IndexStmt" or not context.body.get("if_not_exists"):
        return
    _, index = context.state.index(str(context.body.get("idxname")))
    if index is not None and not index.is_valid:
        yield Hit(
            risk="high",
            message=f"{index.name} exists and is INVALID: IF NOT EXISTS keeps it as it is, and no query ever uses it.",
            safer=f"DROP INDEX CONCURRENTLY {quote_qualified(index.name)};  -- then create it again",
        )


RULE = Rule(
    id="invalid-index-kept",
    title="IF NOT EXISTS silently keeps an INVALID index",
    why="A CREATE INDEX CONCURRENTLY that was interrupted leaves an invalid index behind. The same statement again answers that "
    "all is well and does nothing (measured).",
    source=manual("sql-createindex.html#SQL-CREATEINDEX-CONCURRENTLY"),
    level="high",
    bad="CREATE INDEX CONCURRENTLY IF NOT EXISTS users_broken_idx ON users (age);",
    good="DROP INDEX CONCURRENTLY users_broken_idx;\nCREATE INDEX CONCURRENTLY users_broken_idx ON users (age);",
    check=check,
)
