"""An index goes before its replacement is there."""

from collections.abc import Iterator

from app.analysis.advance_tables import index_from
from app.analysis.context import Context
from app.analysis.rule import Hit, Rule, manual


def check(context: Context) -> Iterator[Hit]:
    """Hit where a later statement builds an index over the same leading column."""
    for _, name in context.dropped("OBJECT_INDEX"):
        table, index = context.state.index(name)
        if table is None or index is None or table.is_new:
            continue
        for statement in context.later:
            if statement.kind != "IndexStmt" or context.state.table_of(statement.body["relation"]).name != table.name:
                continue
            made = index_from(table, statement.body)
            if made.columns[:1] == index.columns[:1]:
                yield Hit(
                    risk="medium",
                    message=f"{index.name} goes before {made.name} is built: queries have neither meanwhile.",
                    safer="-- create the new index first, then drop the old one",
                )


RULE = Rule(
    id="index-replaced-too-early",
    title="The old index goes before the new one is valid",
    why="Between the two statements no index serves the queries, which read the whole table for as long as the build takes.",
    source=manual("sql-createindex.html#SQL-CREATEINDEX-CONCURRENTLY"),
    level="medium",
    bad="DROP INDEX CONCURRENTLY users_nick_idx;\nCREATE INDEX CONCURRENTLY users_nick2_idx ON users (nickname, age);",
    good="CREATE INDEX CONCURRENTLY users_nick2_idx ON users (nickname, age);\nDROP INDEX CONCURRENTLY users_nick_idx;",
    check=check,
)
