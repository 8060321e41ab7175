"""The schema before and after a plan, table by table: which are new, modified and removed, and what each is made of."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, get_args

from app.catalog.definition import DiffLine, definition, line_difference
from app.catalog.encoding import from_json, to_json
from app.catalog.fingerprint import SchemaChange, difference
from app.catalog.neighbourhood import Neighbourhood, neighbourhood
from app.catalog.records import Relation, RelationKind, Schema

Basis = Literal["rehearsal", "statements"]
#: tables whose definitions are kept; a plan over more is a plan about all of them alike
MOST_TABLES = 200
_TOLD_BY_RELATIONS = frozenset(
    {"column", "constraint", "index", "trigger", "policy", "column order", *get_args(RelationKind)}
) - {"sequence"}


@dataclass(frozen=True, slots=True, kw_only=True)
class TablePreview:
    """One relation that the plan changes."""

    table: str
    kind: str
    change: Literal["new", "modified", "removed"]
    #: SQL; None where there is none
    before: str | None = None
    #: SQL; None where it goes, or where it is not certain
    after: str | None = None
    #: why the definition after the plan is not certain; empty where it is
    doubts: tuple[str, ...] = ()

    @property
    def difference(self) -> tuple[DiffLine, ...]:
        """Both definitions as one text with marks; the earlier one alone where the later one is not certain."""
        return line_difference(self.before, self.before if self.doubts else self.after)


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What a plan makes of a schema."""

    #: "rehearsal": seen on a shadow; "statements": foreseen from the catalog and the statements
    basis: Basis
    tables: tuple[TablePreview, ...] = ()
    #: changes that belong to no relation: of an enum, a function, a sequence, an extension
    others: tuple[SchemaChange, ...] = ()
    diagram: Neighbourhood = field(default_factory=Neighbourhood)
    #: changed tables beyond MOST_TABLES
    left_out: int = 0
    #: why nothing is certain any more, from some statement on
    doubts: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """As the documents of ``analyze`` and ``rehearse`` have it."""
        return to_json(self)

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "Preview":
        """What ``as_json`` wrote."""
        return from_json(cls, content)


def preview(before: Schema, after: Schema, *, basis: Basis, doubts: Mapping[str, Collection[str]] | None = None) -> Preview:
    """The preview of two schemas. ``doubts``: relation -> why it is not certain to be like that; "" for all of them."""
    uncertain = doubts or {}
    changes = _differences(before, after)
    changed = sorted({*_relations(changes, before, after), *(name for name in uncertain if name)})
    found = [
        _table(name, before.relations.get(name), after.relations.get(name), tuple(uncertain.get(name, ()))) for name in changed
    ]
    tables = [table for table in found if table is not None]
    return Preview(
        basis=basis,
        tables=tuple(tables[:MOST_TABLES]),
        others=tuple(change for change in changes if change.kind not in _TOLD_BY_RELATIONS),
        diagram=neighbourhood(before.relations, after.relations, {table.table for table in tables}),
        left_out=max(len(tables) - MOST_TABLES, 0),
        doubts=tuple(uncertain.get("", ())),
    )


def _differences(before: Schema, after: Schema) -> list[SchemaChange]:
    """What ``difference`` finds, which is spared the relations that are equal in everything."""
    old, new = before.relations, after.relations
    touched = [name for name in old.keys() | new.keys() if old.get(name) is not new.get(name) and old.get(name) != new.get(name)]

    def cut(schema: Schema) -> Schema:
        return replace(schema, relations={name: schema.relations[name] for name in touched if name in schema.relations})

    return difference(cut(before), cut(after))


def _table(name: str, old: Relation | None, new: Relation | None, doubts: tuple[str, ...]) -> TablePreview | None:
    relation = new or old
    if relation is None:
        return None
    return TablePreview(
        table=name,
        kind=relation.kind,
        change="new" if old is None else "removed" if new is None else "modified",
        before=definition(old) if old else None,
        after=definition(new) if new and not doubts else None,
        doubts=doubts,
    )


def _relations(changes: Sequence[SchemaChange], before: Schema, after: Schema) -> Iterator[str]:
    """The relations that the changes are about."""
    indexes = {
        index.name: relation.name
        for schema in (before, after)
        for relation in schema.relations.values()
        for index in relation.indexes
    }
    known = before.relations.keys() | after.relations.keys()
    for change in changes:
        name = indexes.get(change.object, "") if change.kind == "index" else change.object
        for candidate in (name, *_parents(name)):
            if candidate in known:
                yield candidate
                break


def _parents(name: str) -> Iterator[str]:
    """``public.users.id`` -> ``public.users``, for every dot: names may have dots themselves."""
    while "." in name:
        name = name.rpartition(".")[0]
        yield name
