"""ALTER COLUMN ... TYPE and its way back: exact where the new type holds every value of the old one."""

import re

from app.catalog.records import Column, Index, Relation
from app.sql.inverse.command import Command
from app.sql.inverse.known import Known
from app.sql.inverse.undo import Undo, exact, lossy, manual
from app.sql.names import from_type_name, quote_identifier

_WHOLE_NUMBERS = ("smallint", "integer", "bigint")
_TEXTS = ("character varying", "text")
_SIZED = re.compile(r"(?P<name>[a-z ]+?)\((?P<size>[0-9]+)(?:,(?P<scale>-?[0-9]+))?\)")


def undo_alter_type(command: Command, known: Known) -> Undo:
    """The column gets its old type, collation and default back."""
    relation = known.relation(command.key)
    column = known.column(command.key, command.name)
    if relation is None or column is None:
        return manual("The type before is known to the catalog only.")
    if known.is_stale(command.key, "columns") or command.target.startswith("TYPE"):
        return manual("What the column is like now is not known after the statements before.")
    new_type = from_type_name(command.definition["typeName"])
    is_family = _same_family(column.type, new_type)
    obstacle = _obstacle(relation, column, is_family, known)
    if obstacle is not None:
        return manual(obstacle)
    back = command.alter(", ".join(f"ALTER COLUMN {quote_identifier(column.name)} {action}" for action in _actions(column)))
    if "raw_default" in command.definition:
        return lossy(back, reason="USING turned the values into others; the way back only casts them.")
    if _holds_every_value(column.type, new_type):
        return exact(back, reason="Fails where a value written since does not fit the old type.")
    return lossy(back, reason=f"What the change from {column.type} to {new_type} cut off or rounded stays lost.")


def _actions(column: Column) -> list[str]:
    collation = f" COLLATE {_qualified(column.collation)}" if column.collation else ""
    change = f"TYPE {column.type}{collation} USING {quote_identifier(column.name)}::{column.type}"
    if column.default is None or column.identity:
        return [change]
    return ["DROP DEFAULT", change, f"SET DEFAULT {column.default}"]


def _qualified(collation: str) -> str:
    namespace, _, name = collation.partition(".")
    return f"{quote_identifier(namespace)}.{quote_identifier(name)}"


def _obstacle(relation: Relation, column: Column, is_family: bool, known: Known) -> str | None:
    """Why casting back would not bring the schema back; ``is_family``: the same operators serve both types."""
    reasons = (
        (bool(column.generated), "The column is generated."),
        (
            bool(column.storage or column.compression),
            "A new type takes the column's own STORAGE and COMPRESSION away.",
        ),
        (
            column.owned_sequence is not None and not column.identity and not is_family,
            "The column takes its numbers from a sequence.",
        ),
        (
            not is_family and _is_in_expressions(relation, column.name),
            "PostgreSQL rewrites the checks and index expressions on the column, with casts that stay.",
        ),
        (
            _is_cast_in_expressions(relation, column),
            "An index expression or check casts to the type before, and would cast twice.",
        ),
        (
            any(known.is_decorated(f"index {index.name}") for index in relation.indexes if _is_rebuilt(index, column, is_family)),
            "An index that is built anew has a comment, statistics or a mark of its own.",
        ),
        (any(column.name in item.columns for item in relation.dependents), "Other objects depend on the column."),
        (
            not is_family and any(item.kind == "foreign key" and column.name in item.columns for item in relation.constraints),
            "A foreign key compares the column with one of another type.",
        ),
        (bool(known.children(relation.name)), "The table has partitions or heirs."),
    )
    return next((reason for applies, reason in reasons if applies), None)


def _is_in_expressions(relation: Relation, column: str) -> bool:
    in_checks = any(item.kind == "check" and column in item.columns for item in relation.constraints)
    return in_checks or any(
        column in index.depends_on and (index.predicate is not None or None in index.columns) for index in relation.indexes
    )


def _is_cast_in_expressions(relation: Relation, column: Column) -> bool:
    """True where PostgreSQL would print an expression with one more cast after the change and the way back."""
    cast = f"::{_base(column.type)}"
    texts = [item.definition for item in relation.constraints if item.kind == "check" and column.name in item.columns]
    texts += [index.definition for index in relation.indexes if column.name in index.depends_on]
    return _base(column.type) == "character varying" and any(cast in text for text in texts)


def _is_rebuilt(index: Index, column: Column, is_family: bool) -> bool:
    has_expression = index.predicate is not None or None in index.columns
    return column.name in index.depends_on and (has_expression or not is_family)


def _base(type_name: str) -> str:
    match = _SIZED.fullmatch(type_name)
    return match["name"] if match else type_name


def _same_family(old: str, new: str) -> bool:
    """True where the same operators and casts serve both, so that expressions come back as they were."""
    pair = {_base(old), _base(new)}
    return len(pair) == 1 or pair <= set(_WHOLE_NUMBERS) or pair <= set(_TEXTS)


def _holds_every_value(old: str, new: str) -> bool:
    if old == new:
        return True
    if old in _WHOLE_NUMBERS and new in _WHOLE_NUMBERS:
        return _WHOLE_NUMBERS.index(new) > _WHOLE_NUMBERS.index(old)
    if _base(old) in _TEXTS and _base(new) in _TEXTS:
        return new in _TEXTS or (old not in _TEXTS and _size(new) >= _size(old))
    if {_base(old), _base(new)} == {"numeric"}:
        return new == "numeric" or (old != "numeric" and _scale(new) >= _scale(old) and _digits(new) >= _digits(old))
    return (old, new) in {("real", "double precision"), ("json", "text"), ("date", "timestamp without time zone")}


def _size(type_name: str) -> int:
    match = _SIZED.fullmatch(type_name)
    return int(match["size"]) if match else 0


def _scale(type_name: str) -> int:
    match = _SIZED.fullmatch(type_name)
    return int(match["scale"] or 0) if match else 0


def _digits(type_name: str) -> int:
    """Digits before the decimal point."""
    return _size(type_name) - _scale(type_name)
