"""UPDATE, DELETE and MERGE that may touch many rows at once."""

from collections.abc import Iterator

from app.analysis.context import Context
from app.analysis.predicates import changes_few_rows, is_always_true
from app.analysis.rule import Hit, Rule, manual
from app.sql.names import quote_qualified
from app.sql.tree import Node, find

_WORDS = {"UpdateStmt": "UPDATE", "DeleteStmt": "DELETE", "MergeStmt": "MERGE"}


def check(context: Context) -> Iterator[Hit]:
    """Hit for a change of an unknown number of rows, also inside a WITH."""
    if context.kind in _WORDS:
        yield from _judged(context, context.kind, context.body)
    if context.kind in {*_WORDS, "SelectStmt", "InsertStmt", "CreateTableAsStmt"}:
        for expression in find(context.body, "CommonTableExpr"):
            for kind in _WORDS.keys() & expression.get("ctequery", {}).keys():
                yield from _judged(context, kind, expression["ctequery"][kind])


def _judged(context: Context, kind: str, body: Node) -> Iterator[Hit]:
    table = context.state.table_of(body["relation"])
    if table.is_new or table.is_empty:
        return
    everything = (
        kind != "MergeStmt"
        and is_always_true(body.get("whereClause"))
        and not (body.get("fromClause") or body.get("usingClause"))
    )
    if everything or not changes_few_rows(body, table, is_small=context.is_small(table)):
        yield _hit(context, kind, table.name, everything=everything)


def _hit(context: Context, kind: str, name: str, *, everything: bool) -> Hit:
    table = context.state.table(name)
    what = "every row" if everything else "all matching rows"
    small = context.is_small(table)
    loses = everything and kind == "DeleteStmt"
    level = "low" if small and not loses else context.level(table, "bulk", "writes")
    t, word = quote_qualified(name), _WORDS[kind]
    by_hand = f"-- {word} ... WHERE id IN (SELECT id FROM {t} WHERE ... LIMIT 1000)"  # noqa: S608  # shown, never run
    return Hit(
        risk="high" if loses else level,
        message=f"{word} changes {what} of {name} in one statement ({context.size(table, 'bulk')}): "
        "their locks are held until it commits.",
        safer=f"-- a backfill step changes {t} in small batches that can be paused, or by hand:\n{by_hand}",
    )


RULE = Rule(
    id="update-in-one-bite",
    title="Many rows are changed in one statement",
    why="Every changed row stays locked until the statement commits, the table grows by as many dead rows, replicas lag behind, "
    "and a cancelled statement has done nothing. Without WHERE nothing limits it at all.",
    source=manual("routine-vacuuming.html#VACUUM-FOR-SPACE-RECOVERY"),
    level="high",
    bad="UPDATE users SET status = 'active';",
    good="UPDATE users SET status = 'active' WHERE id = 5;",
    check=check,
)
