"""CREATE INDEX without CONCURRENTLY."""

import re
from collections.abc import Iterator

from app.analysis.context import Context
from app.analysis.rule import Hit, Rule, manual
from app.sql.names import quote_identifier, quote_qualified

_INDEX = re.compile(r"\bINDEX\b", re.IGNORECASE)


def check(context: Context) -> Iterator[Hit]:
    """Hit for an index that is built while writes to a table that others use wait."""
    if context.kind != "IndexStmt" or context.body.get("concurrent"):
        return
    table = context.state.table_of(context.body["relation"])
    if not table.is_new and not table.is_known and not context.body["relation"].get("inh", False):
        # ONLY makes sense for a partitioned table, where the index of the parent alone is a matter of milliseconds
        yield Hit(
            risk="low",
            message=f"ONLY: {table.name} is taken as partitioned, where nothing is built yet; on a plain table writes would wait "
            "for the whole build.",
        )
        return
    if table.is_new or not context.footprint.builds:
        return
    partitions = len(list(context.state.children(table.name))) if table.is_partitioned else 0
    many = f" and its {partitions} partitions" if partitions else ""
    unique = "UNIQUE " if context.body.get("unique") else ""
    name = quote_identifier(str(context.body.get("idxname", "name")))
    yield Hit(
        risk=context.level(table, "build", "writes"),
        message=f"Writes to {table.name}{many} wait until the index is built ({context.size(table, 'build')}).",
        safer=(
            f"-- the parent first: CREATE {unique}INDEX {name} ON ONLY {quote_qualified(table.name)} (...);\n"
            f"-- then CREATE {unique}INDEX CONCURRENTLY on each partition, and ALTER INDEX {name} ATTACH PARTITION ...;"
        )
        if table.is_partitioned
        else "-- outside a transaction:\n" + _INDEX.sub(r"\g<0> CONCURRENTLY", context.statement.text, count=1) + ";",
    )


RULE = Rule(
    id="index-blocks-writes",
    title="CREATE INDEX blocks writes until it is built",
    why="The build holds SHARE on the table: every INSERT, UPDATE and DELETE waits. CONCURRENTLY builds in two passes without "
    "blocking anybody, outside a transaction.",
    source=manual("sql-createindex.html#SQL-CREATEINDEX-CONCURRENTLY"),
    level="high",
    bad="CREATE INDEX users_age_idx ON users (age);",
    good="CREATE INDEX CONCURRENTLY users_age_idx ON users (age);",
    check=check,
)
