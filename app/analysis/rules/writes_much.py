"""A statement that writes a lot in one transaction."""

from collections.abc import Iterator

from app.analysis.context import Context
from app.analysis.rule import Hit, Rule, manual
from app.analysis.work import works_of

#: bytes of WAL for one byte of the table, by class of work (measured: 1.2 to 1.5 of the total size, 2.4 for every row)
_WAL = {"rewrite": 1.4, "bulk": 2.4, "build": 0.3, "build beside": 0.3}
MUCH_BYTES = 1024**3


def check(context: Context) -> Iterator[Hit]:
    """Hit where about a GiB of WAL or more comes from one statement."""
    if context.options.assume_large:
        return
    works = [(work, _WAL.get(work.kind, 0.0) * (work.table_bytes or 0)) for work in works_of(context)]
    total = sum(size for _, size in works)
    if total >= MUCH_BYTES:
        names = ", ".join(dict.fromkeys(work.relation for work, size in works if size))
        yield Hit(
            risk="medium",
            message=f"Writes about {total / 1024**3:.1f} GiB of WAL for {names} in one transaction: standbys, the "
            "archive and replication "
            "slots fall behind by as much, and the disk needs room for it.",
        )


RULE = Rule(
    id="writes-much",
    title="Much is written in one transaction",
    why="Every changed row and every rebuilt page goes to the WAL. Until it commits nothing of it can be cleaned "
    "away, standbys replay it "
    "in one go, and a cancelled statement has written it all for nothing. Batches can pause; one statement can't.",
    source=manual("wal-configuration.html"),
    level="medium",
    bad="UPDATE users SET status = 'active';",
    good="UPDATE users SET status = 'active' WHERE id = 5;",
    check=check,
    needs_target="the table is larger than half a GiB",
)
