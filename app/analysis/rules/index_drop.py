"""DROP INDEX."""

from collections.abc import Iterator

from app.analysis.context import Context
from app.analysis.rule import Hit, Rule, manual
from app.sql.names import quote_qualified


def check(context: Context) -> Iterator[Hit]:
    """Hit for each index that goes and that the input did not make."""
    concurrent = bool(context.body.get("concurrent"))
    for _, name in context.dropped("OBJECT_INDEX"):
        table, index = context.state.index(name)
        if index is not None and (index.is_new or (table and table.is_new)):
            continue
        if index is None and context.state.schema is not None and context.body.get("missing_ok"):
            continue
        scans = index.scans if index else None
        on = f" on {table.name}" if table else ""
        if concurrent and not scans:
            level, used = "low", "was never used since statistics began" if scans == 0 else "its use is not known here"
        else:
            level = "high"
            used = f"{scans:,} scans so far" if scans else "queries that use it slow down at once"
        if scans == 0 and not concurrent and not context.options.assume_large:
            level, used = "medium", "it was never used since statistics began"
        if index is not None and not index.is_valid:
            level, used = "low" if concurrent else "medium", "it is invalid, so no query uses it"
        yield Hit(
            risk=level,  # type: ignore[arg-type]  # one of the three words above
            message=f"The index {name}{on} goes: {used}."
            + ("" if concurrent else " DROP INDEX takes ACCESS EXCLUSIVE on the table and queues behind every transaction."),
            safer=None if concurrent else f"-- outside a transaction:\nDROP INDEX CONCURRENTLY {quote_qualified(name)};",
        )


RULE = Rule(
    id="index-drop",
    title="Removing an index slows down the queries that use it",
    why="No data is lost, but a query that relied on the index reads the whole table from now on, and building it again takes "
    "time. Without CONCURRENTLY the table is locked with ACCESS EXCLUSIVE as well.",
    source=manual("sql-dropindex.html"),
    level="high",
    bad="DROP INDEX users_nick_idx;",
    good="DROP INDEX CONCURRENTLY users_unused_idx;",
    check=check,
)
