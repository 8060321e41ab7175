"""UPDATE and DELETE whose WHERE has no index to go by."""

from collections.abc import Iterator

from app.analysis.context import Context
from app.analysis.predicates import is_always_true, touches_few_rows
from app.analysis.rule import Hit, Rule, manual
from app.analysis.tables import columns_in
from app.sql.names import quote_identifier, quote_qualified


def check(context: Context) -> Iterator[Hit]:
    """Hit where no index begins with a column of the WHERE."""
    if context.kind not in {"UpdateStmt", "DeleteStmt"} or context.body.get("fromClause") or context.body.get("usingClause"):
        return
    where = context.body.get("whereClause")
    table = context.state.table_of(context.body["relation"])
    if is_always_true(where) or not table.is_known or table.is_new or context.is_small(table) or touches_few_rows(context):
        return
    named = sorted(columns_in(where) & table.columns.keys())
    leading = {index.columns[0] for index in table.indexes.values() if index.is_valid and index.columns}
    partial = any(
        index.has_predicate or None in index.columns for index in table.indexes.values() if set(named) & {*index.depends_on}
    )
    if named and not leading & {*named} and not partial:
        yield Hit(
            risk="medium",
            message=f"No index of {table.name} begins with {' or '.join(named)}: all of it is read to find the rows, "
            "also by each batch.",
            safer=f"CREATE INDEX CONCURRENTLY ON {quote_qualified(table.name)} ({quote_identifier(named[0])});",
        )


RULE = Rule(
    id="rows-found-by-scan",
    title="The rows to change are found by reading the whole table",
    why="Without an index for its WHERE an UPDATE or DELETE reads every page, and batches by hand read them again "
    "each time. A backfill "
    "step walks a key instead.",
    source=manual("indexes-intro.html"),
    level="medium",
    bad="UPDATE users SET status = 'x' WHERE email = 'a' OR email = 'b';",
    good="UPDATE users SET status = 'x' WHERE nickname = 'a';",
    check=check,
)
