"""A change of columns under statements that sessions have prepared."""

from collections.abc import Iterator

from app.analysis.context import Context
from app.analysis.rule import Hit, Rule, manual
from app.analysis.traffic import Traffic

_CHANGES = frozenset({"AT_AddColumn", "AT_DropColumn", "AT_AlterColumnType"})


def check(context: Context) -> Iterator[Hit]:
    """Hit where known statements read whole rows of the table."""
    statistics = context.state.statistics
    if context.table is None or not context.subtypes & _CHANGES or statistics is None or not statistics.queries:
        return
    name = context.table.name
    traffic = Traffic([name], schema=context.state.schema, statistics=statistics, texts=context.state.known_texts())
    stars = [found for found in traffic.queries(name) if found.identity.has_star]
    if stars:
        count = "1 known statement reads" if len(stars) == 1 else f"{len(stars)} known statements read"
        yield Hit(
            risk="low",
            message=f"{count} whole rows of {name}: a session that has prepared it fails once with "
            "“cached plan must not change result type” (0A000).",
            safer="-- name the columns in SELECT, or let the pool open new connections after the change",
        )


RULE = Rule(
    id="prepared-statement-fails-once",
    title="Prepared SELECT * fails once in each session",
    why="A server-prepared statement keeps the shape of its result. After a column comes, goes or changes its type, "
    "SELECT * has another "
    "shape, and the next execution fails (measured); inside a transaction the whole transaction is lost. Drivers that prepare by "
    "themselves, and poolers, are affected.",
    source=manual("sql-prepare.html"),
    level="low",
    bad="ALTER TABLE users ADD COLUMN note text;",
    good=None,
    check=check,
    needs_target="pg_stat_statements knows a SELECT * of the table",
)
