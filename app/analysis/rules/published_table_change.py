"""DDL on a table that a publication sends to subscribers."""

from collections.abc import Iterator

from app.analysis.context import Context
from app.analysis.rule import Hit, Rule, manual

_COMES = frozenset({"AT_AddColumn"})
_GOES = frozenset({"AT_DropColumn", "AT_AlterColumnType"})


def check(context: Context) -> Iterator[Hit]:
    """Hit where the columns of a published table change, or the table goes or gets another name."""
    published = context.options.publications
    if not published:
        return
    if context.table is not None and context.subtypes & (_COMES | _GOES):
        yield from _hit(context, context.table.name, comes=not context.subtypes & _GOES)
    elif context.kind == "RenameStmt" and context.body.get("renameType") in {"OBJECT_TABLE", "OBJECT_COLUMN"}:
        yield from _hit(context, context.state.table_of(context.body["relation"]).name, comes=False)
    else:
        for _, name in context.dropped("OBJECT_TABLE"):
            yield from _hit(context, context.state.table(name).name, comes=False)


def _hit(context: Context, name: str, *, comes: bool) -> Iterator[Hit]:
    publications = context.options.publications.get(name, ())
    if publications:
        order = (
            "add it on the subscribers first"
            if comes
            else "stop or change the subscribers first, or they end with an error at the next row"
        )
        yield Hit(
            risk="medium" if comes else "high",
            message=f"{name} is published by {', '.join(publications)}, and DDL is not replicated: {order}.",
        )


RULE = Rule(
    id="published-table-change",
    title="A table that is replicated logically changes on one side",
    why="Logical replication carries rows, not DDL. A subscriber that lacks a column that arrives stops with an error and keeps "
    "the publisher's WAL until somebody mends it; what is added goes to the subscribers first, what is dropped leaves "
    "here first.",
    source=manual("logical-replication-restrictions.html"),
    level="high",
    bad="ALTER TABLE users DROP COLUMN nickname;",
    good="ALTER TABLE users ALTER COLUMN nickname SET DEFAULT '';",
    check=check,
    needs_target="a publication sends the table",
)
