"""Statements that PostgreSQL refuses inside a transaction."""

from collections.abc import Iterator

from app.analysis.context import Context
from app.analysis.rule import Hit, Rule, manual


def check(context: Context) -> Iterator[Hit]:
    """Hit where such a statement stands inside a transaction."""
    if not context.effect.is_transactional and context.is_in_transaction():
        transaction = context.state.transaction
        began = transaction.began if transaction else "BEGIN"
        yield Hit(
            risk="high",
            message=f"{context.effect.command} can't run inside a transaction ({began}): the statement fails (25001).",
            safer="-- a step of its own, outside BEGIN and COMMIT",
        )


RULE = Rule(
    id="needs-own-transaction",
    title="It can't run inside a transaction",
    why="CREATE INDEX CONCURRENTLY, VACUUM and their like commit several times on their way, so PostgreSQL refuses them inside a "
    "transaction block.",
    source=manual("sql-createindex.html#SQL-CREATEINDEX-CONCURRENTLY"),
    level="high",
    bad="BEGIN;\nCREATE INDEX CONCURRENTLY users_age_idx ON users (age);\nCOMMIT;",
    good="CREATE INDEX CONCURRENTLY users_age_idx ON users (age);",
    check=check,
)
