"""REFRESH MATERIALIZED VIEW without CONCURRENTLY."""

from collections.abc import Iterator

from app.analysis.context import Context
from app.analysis.rule import Hit, Rule, manual
from app.sql.names import quote_qualified


def check(context: Context) -> Iterator[Hit]:
    """Hit for a refresh that blocks the readers of a view that others use."""
    if context.kind != "RefreshMatViewStmt" or context.body.get("concurrent"):
        return
    view = context.state.table_of(context.body["relation"])
    if not view.is_new:
        yield Hit(
            risk="medium",
            message=f"Readers of {view.name} wait until the query behind it has run.",
            safer=f"REFRESH MATERIALIZED VIEW CONCURRENTLY {quote_qualified(view.name)};  -- needs a unique index",
        )


RULE = Rule(
    id="refresh-blocks",
    title="REFRESH blocks the readers of the view",
    why="ACCESS EXCLUSIVE is held while the whole query runs. CONCURRENTLY compares and changes rows while reads go on.",
    source=manual("sql-refreshmaterializedview.html"),
    level="medium",
    bad="REFRESH MATERIALIZED VIEW daily;",
    good="REFRESH MATERIALIZED VIEW CONCURRENTLY daily;",
    check=check,
)
