"""Replica identity, publications and subscriptions."""

from collections.abc import Iterator

from app.analysis.context import Context
from app.analysis.rule import Hit, Rule, manual

_STATEMENTS = {"AlterPublicationStmt", "AlterSubscriptionStmt", "CreateSubscriptionStmt"}


def check(context: Context) -> Iterator[Hit]:
    """Hit where what subscribers get changes."""
    for table, _ in context.commands("AT_ReplicaIdentity"):
        yield Hit(risk="medium", message=f"Subscribers of {table.name} find changed rows by another identity from now on.")
    if context.kind in _STATEMENTS:
        yield Hit(risk="medium", message=f"{context.effect.command} changes what is replicated.")
    for _, name in context.dropped("OBJECT_PUBLICATION"):
        yield Hit(risk="high", message=f"Subscribers of {name} get nothing any more.")


RULE = Rule(
    id="replication-change",
    title="What logical replication carries changes",
    why="Subscribers that can't find a row by the new identity stop with an error, and tables that leave a publication stop "
    "being copied without one. DDL itself is never replicated.",
    source=manual("logical-replication-publication.html"),
    level="medium",
    bad="ALTER TABLE users REPLICA IDENTITY NOTHING;",
    good="CREATE PUBLICATION p FOR TABLE users;",
    check=check,
)
