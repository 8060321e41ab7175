"""ATTACH and DETACH PARTITION, INHERIT."""

from collections.abc import Callable, Mapping

from app.catalog.records import Constraint
from app.sql.inverse.command import Command
from app.sql.inverse.known import Known
from app.sql.inverse.undo import Undo, exact, manual


def _attach(command: Command, known: Known) -> Undo:
    parent = known.relation(command.key)
    name = command.definition["name"]
    child = known.relation(known.key(name))
    if not command.target.startswith("TABLE"):
        return manual("An index can't be detached from its parent again.")
    if parent is None or child is None:
        return manual("What the partition gets from its parent is known to the catalog only.")
    if parent.indexes or parent.triggers or any(item.kind in {"foreign key", "unique"} for item in parent.constraints):
        return manual(
            "The partition keeps the indexes, keys and triggers that it gets from its parent; their names are chosen then."
        )
    own = {_identity(item) for item in child.constraints}
    if any(_identity(item) not in own for item in parent.constraints):
        return manual("The partition keeps the constraints that it gets from its parent.")
    return exact(command.alter(f"DETACH PARTITION {known.sql(name)}"))


def _identity(item: Constraint) -> tuple[str, ...]:
    """By what a constraint of the parent finds its match: not-null by the column, all others by their name."""
    return ("not null", *item.columns) if item.kind == "not null" else ("named", item.name)


def _detach(command: Command, known: Known) -> Undo:
    name = command.definition["name"]
    child = known.relation(known.key(name))
    if child is None or child.partition_bound is None:
        return manual("The bounds of the partition are known to the catalog only.")
    if command.definition.get("concurrent"):
        return manual("DETACH CONCURRENTLY leaves a CHECK constraint behind, whose name is chosen then.")
    return exact(
        command.alter(f"ATTACH PARTITION {known.sql(name)} {child.partition_bound}"),
        reason="Fails where rows written since do not fit; checks every row of the partition.",
    )


def _inherit(command: Command, known: Known) -> Undo:
    relation = known.relation(command.key)
    if relation is None:
        return manual("Whether the table inherited before is known to the catalog only.")
    return exact(command.alter(f"NO INHERIT {known.sql(command.definition)}"))


PARTITION_COMMANDS: Mapping[str, Callable[[Command, Known], Undo]] = {
    "AT_AttachPartition": _attach,
    "AT_DetachPartition": _detach,
    "AT_AddInherit": _inherit,
}
