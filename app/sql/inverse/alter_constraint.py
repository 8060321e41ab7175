"""Commands of ALTER TABLE on constraints."""

from collections.abc import Callable, Mapping

from app.catalog.records import Constraint
from app.sql.inverse.chosen_names import chosen_constraint_name
from app.sql.inverse.command import Command
from app.sql.inverse.known import Known, find_constraint
from app.sql.inverse.restore import add_constraints
from app.sql.inverse.undo import Undo, exact, in_reverse, manual, nothing
from app.sql.names import quote_identifier
from app.sql.tree import strings

_INDEXED = frozenset({"primary key", "unique", "exclusion"})


def _add(command: Command, known: Known) -> Undo:  # noqa: PLR0911 - one return for each form of the statement
    constraint = command.definition
    name = constraint.get("conname")
    if name is None:
        name = (
            chosen_constraint_name(known, command.key, constraint) if "indexname" not in constraint else constraint["indexname"]
        )
    if name is None:
        return manual("The constraint has no name: name the constraint, so that it can be dropped by it.")
    drop = exact(command.alter(f"DROP CONSTRAINT {quote_identifier(name)}"))
    if constraint.get("contype") == "CONSTR_NOTNULL":
        return _not_null(command, known, drop)
    if "indexname" in constraint:
        return _using_index(command, known, drop)
    if constraint.get("contype") == "CONSTR_PRIMARY":
        return _with_nullable_columns(command, known, drop, strings(constraint.get("keys")))
    if constraint.get("contype") in {"CONSTR_UNIQUE", "CONSTR_EXCLUSION"} and known.children(command.key):
        return manual("A partition may have a matching index of its own that the constraint takes over.")
    if constraint.get("contype") == "CONSTR_CHECK" and any(
        find_constraint(child, str(name)) for child in known.children(command.key)
    ):
        return manual("A partition or heir has a constraint of that name, which would be merged.")
    return drop


def _not_null(command: Command, known: Known, drop: Undo) -> Undo:
    columns = strings(command.definition.get("keys"))
    column = known.column(command.key, columns[0]) if columns else None
    if known.schema is not None and (column is None or column.not_null):
        return manual("Whether the column was NOT NULL before is not known, or it was.")
    return drop


def _using_index(command: Command, known: Known, drop: Undo) -> Undo:
    """The index goes with the constraint, so it is built again under the name that it had."""
    namespace = command.key.rpartition(".")[0]
    index = known.index(f"{namespace}.{command.definition['indexname']}")
    if index is None:
        return manual("The index goes with the constraint, and how it is made is known to the catalog only.")
    if known.is_decorated(f"index {index.name}"):
        return manual("The index has a comment or a mark of its own, which goes with it.")
    back = in_reverse([exact(index.definition), drop])
    if command.definition.get("contype") != "CONSTR_PRIMARY":
        return back
    return _with_nullable_columns(command, known, back, tuple(column or "" for column in index.columns))


def _with_nullable_columns(command: Command, known: Known, back: Undo, columns: tuple[str, ...]) -> Undo:
    """A primary key makes its columns NOT NULL, and its end does not unmake that."""
    if known.children(command.key):
        return manual("A partition may have a matching index of its own that the key takes over.")
    relation = known.relation(command.key)
    found = [relation.column(name) if relation is not None else None for name in columns]
    if relation is None or not columns or any(column is None for column in found):
        return manual("Whether the columns of the key were NOT NULL before is known to the catalog only.")
    loosen = [
        exact(command.alter(f"ALTER COLUMN {quote_identifier(column.name)} DROP NOT NULL"))
        for column in found
        if column is not None and not column.not_null
    ]
    return in_reverse([*loosen, back])


def _drop(command: Command, known: Known) -> Undo:
    relation = known.relation(command.key)
    if known.is_made("constraint", f"{command.key}.{command.name}") and find_constraint(relation, command.name) is None:
        return manual("How the constraint was made is not followed: it was made by the same plan.")
    if relation is None:
        return manual("How the constraint was made is known to the catalog only.")
    constraint = relation.constraint(command.name)
    if constraint is None:
        if command.node.get("missing_ok"):
            return nothing("The constraint is not there: the statement does nothing.")
        return manual("The catalog has no such constraint.")
    if known.is_stale(command.key, "constraints"):
        return manual("What the constraint is like now is not known after the statements before.")
    obstacle = _obstacle(command, known, constraint)
    return (
        manual(obstacle)
        if obstacle
        else exact(*add_constraints([constraint]), reason="Fails where rows written since violate it.")
    )


def _obstacle(command: Command, known: Known, constraint: Constraint) -> str | None:
    if constraint.kind in _INDEXED and known.children(command.key):
        return "The constraint's indexes on the partitions would come back under other names."
    if command.cascades and constraint.kind in {"primary key", "unique"}:
        return "CASCADE may take foreign keys of other tables along."
    index = known.index(constraint.index) if constraint.index else None
    if index is not None and (index.is_replica_identity or known.is_decorated(f"index {index.name}")):
        return "The constraint's index is the table's replica identity, or has a comment or a mark of its own."
    if constraint.kind == "trigger":
        return "It is a constraint trigger."
    relation = known.relation(command.key)
    if relation is not None and relation.parents:
        return "The constraint may be inherited."
    return None


def _validate(_command: Command, _known: Known) -> Undo:
    return nothing("A validated constraint only says what holds for all rows; it may stay so.")


def _alter(command: Command, known: Known) -> Undo:
    change = command.definition
    if not change.get("alterDeferrability") or change.get("alterEnforceability") or change.get("alterInheritability"):
        return manual("There is no rule for undoing this change of a constraint.")
    constraint = find_constraint(known.relation(command.key), str(change["conname"]))
    if constraint is None or known.is_stale(command.key, "constraints"):
        return manual("Whether the constraint was deferrable before is known to the catalog only.")
    before = "NOT DEFERRABLE"
    if " DEFERRABLE" in constraint.definition and "NOT DEFERRABLE" not in constraint.definition:
        before = "DEFERRABLE" + (
            " INITIALLY DEFERRED" if "INITIALLY DEFERRED" in constraint.definition else " INITIALLY IMMEDIATE"
        )
    return exact(command.alter(f"ALTER CONSTRAINT {quote_identifier(constraint.name)} {before}"))


CONSTRAINT_COMMANDS: Mapping[str, Callable[[Command, Known], Undo]] = {
    "AT_AddConstraint": _add,
    "AT_DropConstraint": _drop,
    "AT_ValidateConstraint": _validate,
    "AT_AlterConstraint": _alter,
}
