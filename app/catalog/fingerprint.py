"""What a schema comes down to: a flat list of objects with their definitions, a hash over it, and the difference of two.

Left out, since they differ between databases whose schema is the same: owners, sizes, counters, object numbers, extension
versions, and the names of plain NOT NULL constraints (PostgreSQL 18 has them, 17 has not; the column says that it is NOT
NULL). The order of a table's columns is kept, since ``SELECT *`` shows it: the difference names it only where columns that
both sides have changed places.
"""

import hashlib
import json
from dataclasses import dataclass
from typing import Any, Literal, get_args

from app.catalog.outline import CanonicalObject, column_order, outline
from app.catalog.records import RelationKind, Schema

_RELATIONS = frozenset(get_args(RelationKind))


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaChange:
    """One object that is not the same in two schemas."""

    #: qualified: ``public.users.role`` for a column, ``public.users`` for a table
    object: str
    #: table, view, column, index, constraint, trigger, policy, enum, domain, function, sequence, extension, schema, column order
    kind: str
    change: Literal["added", "removed", "changed"]
    #: the later definition; of what was removed, the one it had
    definition: str
    #: the earlier definition of what was changed
    was: str | None = None

    def as_json(self) -> dict[str, Any]:
        """The change as the contract writes it."""
        content = {"object": self.object, "kind": self.kind, "change": self.change, "definition": self.definition}
        return content if self.was is None else {**content, "was": self.was}

    def sentence(self) -> str:
        """The change in a line: ``column public.users.role: added (public.role_kind NOT NULL)``."""
        was = "" if self.was is None else f", was {self.was}"
        return f"{self.kind} {self.object}: {self.change} ({' '.join(self.definition.split())}{was})"


def fingerprint(schema: Schema) -> str:
    """SHA-256 (hex) of the schema's canonical form."""
    canonical: list[Any] = [[found.kind, found.name, found.definition] for found in outline(schema).values()]
    canonical.sort()
    canonical.append({name: column_order(relation) for name, relation in sorted(schema.relations.items())})
    return hashlib.sha256(json.dumps(canonical, ensure_ascii=False, separators=(",", ":")).encode()).hexdigest()


def difference(before: Schema, after: Schema) -> list[SchemaChange]:
    """What was added, removed or changed from one schema to the other, by name; empty where their fingerprints are equal.

    A table that is on one side only is one change with its columns and constraints in the definition.
    """
    old, new = outline(before), outline(after)
    changes = [_change(old.get(key), new.get(key)) for key in sorted(old.keys() | new.keys(), key=lambda key: (key[1], key[0]))]
    found = [change for change in changes if change is not None]
    whole = {change.object for change in found if change.kind in _RELATIONS and change.change != "changed"}
    return [change for change in found if not _is_told_by(change, whole)] + _moved_columns(before, after)


def _is_told_by(change: SchemaChange, whole: set[str]) -> bool:
    return change.kind in {"column", "constraint"} and change.object.rpartition(".")[0] in whole


def _change(old: CanonicalObject | None, new: CanonicalObject | None) -> SchemaChange | None:
    if old is None and new is not None:
        return SchemaChange(object=new.name, kind=new.kind, change="added", definition=new.full or new.definition)
    if new is None and old is not None:
        return SchemaChange(object=old.name, kind=old.kind, change="removed", definition=old.full or old.definition)
    if old is None or new is None or old.definition == new.definition:
        return None
    return SchemaChange(object=new.name, kind=new.kind, change="changed", definition=new.definition, was=old.definition)


def _moved_columns(before: Schema, after: Schema) -> list[SchemaChange]:
    changes = []
    for name in sorted(before.relations.keys() & after.relations.keys()):
        old, new = column_order(before.relations[name]), column_order(after.relations[name])
        was = [column for column in old if column in new]
        now = [column for column in new if column in old]
        if was != now:
            changes.append(
                SchemaChange(object=name, kind="column order", change="changed", definition=", ".join(now), was=", ".join(was))
            )
    return changes
