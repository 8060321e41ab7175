"""The tables that a change touches and those one foreign key away, as boxes and lines: what an ER diagram draws."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from app.catalog.outline import column_text
from app.catalog.records import Column, Constraint, Relation

Change = Literal["new", "changed", "removed", ""]
#: more tables than a person can take in at a look
MOST_BOXES = 24
#: columns of a box that are not keys and do not change give way first
MOST_COLUMNS = 12
_DRAWN = frozenset({"table", "partitioned table", "foreign table"})


@dataclass(frozen=True, slots=True, kw_only=True)
class BoxColumn:
    """One column of a table in the diagram."""

    name: str
    type: str
    change: Change = ""
    is_primary: bool = False
    is_foreign: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """One table of the diagram."""

    name: str
    change: Change = ""
    columns: tuple[BoxColumn, ...] = ()
    #: columns that are not shown
    hidden: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One foreign key."""

    name: str
    #: the referencing table and the referenced one
    child: str
    parent: str
    change: Change = ""
    columns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbourhood:
    """What the diagram draws."""

    boxes: tuple[Box, ...] = ()
    lines: tuple[Line, ...] = ()
    #: tables that belong to it and are not drawn: there are too many
    left_out: int = 0


def neighbourhood(
    before: Mapping[str, Relation], after: Mapping[str, Relation], changed: Collection[str], *, most: int = MOST_BOXES
) -> Neighbourhood:
    """The changed tables, then their neighbours by name, up to ``most`` tables; partitions are drawn by their parent alone."""
    lines = [*_lines(before, after)]
    tables = [name for name in sorted(changed) if _is_drawn(before, after, name)]
    beside = {line.parent if line.child in tables else line.child for line in lines if {line.child, line.parent} & {*tables}}
    wanted = tables + sorted(name for name in beside - {*tables} if _is_drawn(before, after, name))
    drawn = wanted[:most]
    kept = tuple(line for line in lines if line.child in drawn and line.parent in drawn and {line.child, line.parent} & {*tables})
    boxes = tuple(_box(before.get(name), after.get(name), changed=name in tables, lines=lines) for name in drawn)
    return Neighbourhood(boxes=boxes, lines=kept, left_out=len(wanted) - len(drawn))


def _is_drawn(before: Mapping[str, Relation], after: Mapping[str, Relation], name: str) -> bool:
    relation = after.get(name) or before.get(name)
    return relation is not None and relation.kind in _DRAWN and relation.partition_bound is None


def _lines(before: Mapping[str, Relation], after: Mapping[str, Relation]) -> Iterator[Line]:
    old, new = _foreign_keys(before), _foreign_keys(after)
    for key in sorted(old.keys() | new.keys()):
        change: Change = "" if key in old and key in new else "new" if key in new else "removed"
        constraint = new.get(key) or old[key]
        yield Line(
            name=constraint.name,
            child=constraint.relation,
            parent=constraint.references or "",
            change=change,
            columns=constraint.columns,
        )


def _foreign_keys(relations: Mapping[str, Relation]) -> dict[tuple[str, str], Constraint]:
    return {
        (constraint.relation, constraint.name): constraint
        for relation in relations.values()
        if relation.partition_bound is None
        for constraint in relation.constraints
        if constraint.kind == "foreign key" and constraint.references in relations and not _is_partition(relations, constraint)
    }


def _is_partition(relations: Mapping[str, Relation], constraint: Constraint) -> bool:
    """True for the copies that PostgreSQL makes for each partition of what is referenced."""
    return relations[constraint.references or ""].partition_bound is not None


def _box(before: Relation | None, after: Relation | None, *, changed: bool, lines: list[Line]) -> Box:
    relation = after or before
    assert relation is not None  # noqa: S101 - only names of one of the two are asked for
    columns = [*_columns(before, after)]
    referenced = {column for line in lines if line.child == relation.name for column in line.columns}
    keys = {column for item in relation.constraints if item.kind == "primary key" for column in item.columns}
    marked = [
        BoxColumn(
            name=column.name,
            type=column.type,
            change=change,
            is_primary=column.name in keys,
            is_foreign=column.name in referenced,
        )
        for column, change in columns
    ]
    told = [column for column in marked if column.change or column.is_primary or column.is_foreign]
    room = max(MOST_COLUMNS - len(told), 0)
    others = [column for column in marked if column not in told][:room]
    shown = tuple(column for column in marked if column in told or column in others)
    change: Change = "" if not changed else "new" if before is None else "removed" if after is None else "changed"
    # a new table is new as a whole; so are the columns of one that goes
    if change in {"new", "removed"}:
        shown = tuple(BoxColumn(name=c.name, type=c.type, is_primary=c.is_primary, is_foreign=c.is_foreign) for c in shown)
    return Box(name=relation.name, change=change, columns=shown, hidden=len(marked) - len(shown))


def _columns(before: Relation | None, after: Relation | None) -> Iterator[tuple[Column, Change]]:
    """The columns as they will be, then those that go."""
    old = {column.name: column for column in before.columns} if before else {}
    new = {column.name: column for column in after.columns} if after else {}
    for name, column in (new or old).items():
        was = old.get(name)
        yield (
            column,
            "" if not (old and new) or (was and column_text(was) == column_text(column)) else "changed" if was else "new",
        )
    if new:
        yield from ((column, "removed") for name, column in old.items() if name not in new)
