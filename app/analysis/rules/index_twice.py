"""An index over columns that an index leads with already."""

from collections.abc import Iterator

from app.analysis.advance_tables import index_from
from app.analysis.context import Context
from app.analysis.rule import Hit, Rule, manual


def check(context: Context) -> Iterator[Hit]:
    """Hit where a valid index of the same leading columns exists."""
    if context.kind != "IndexStmt" or "whereClause" in context.body or context.body.get("unique"):
        return
    table = context.state.table_of(context.body["relation"])
    made = index_from(table, context.body)
    if None in made.columns or not made.columns or context.body.get("accessMethod", "btree") != "btree":
        return
    for index in table.indexes.values():
        same = index.columns[: len(made.columns)] == made.columns and index.name != made.name
        if same and index.is_valid and not index.has_predicate:
            word = "the same columns" if index.columns == made.columns else "these columns first"
            yield Hit(risk="low", message=f"{index.name} has {word} already: the new index costs writes and brings little.")
            return


RULE = Rule(
    id="index-twice",
    title="An index of these columns exists",
    why="Every index makes each write slower and takes room; a prefix of another index is seldom worth both.",
    source=manual("indexes-multicolumn.html"),
    level="low",
    bad="CREATE INDEX CONCURRENTLY users_nick_again ON users (nickname);",
    good="CREATE INDEX CONCURRENTLY users_age_idx ON users (age);",
    check=check,
)
