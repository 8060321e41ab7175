"""The footprint of DROP: the object, what it belongs to, and what CASCADE takes along."""

from collections.abc import Callable

from app.analysis.marks import Marks
from app.analysis.tables import Table
from app.analysis.users import function_users, type_users
from app.sql.lock_levels import Mode
from app.sql.names import from_object, from_strings
from app.sql.tree import Node

_RELATIONS = frozenset({"OBJECT_TABLE", "OBJECT_FOREIGN_TABLE", "OBJECT_VIEW", "OBJECT_MATVIEW", "OBJECT_SEQUENCE"})


def drop(marks: Marks, body: Node) -> None:
    """DROP of one or more objects of a kind."""
    kind = str(body.get("removeType"))
    draw = _DRAWN.get(kind)
    for entry in body.get("objects", ()) if draw else ():
        is_gone = body.get("missing_ok") and kind in _RELATIONS and marks.state.exists(from_object(entry)) is False
        if draw and not is_gone:
            draw(marks, entry, body)


def _cascades(body: Node) -> bool:
    return body.get("behavior") == "DROP_CASCADE"


def _index(marks: Marks, entry: Node, body: Node) -> None:
    name = from_object(entry)
    table, _ = marks.state.index(name)
    if table is None and body.get("missing_ok") and marks.state.schema is not None:
        return
    table = table or Table(name=marks.state.qualify(name))
    mode: Mode = "SHARE UPDATE EXCLUSIVE" if body.get("concurrent") else "ACCESS EXCLUSIVE"
    for each in marks.with_children(table) if table.is_partitioned else [table]:
        marks.lock(each, mode)


def _table(marks: Marks, entry: Node, body: Node) -> None:
    marks.drop_table(marks.state.table(from_object(entry)), cascades=_cascades(body))


def _view(marks: Marks, entry: Node, body: Node) -> None:
    view = marks.state.table(from_object(entry))
    marks.lock(view, "ACCESS EXCLUSIVE")
    if _cascades(body):
        marks.drop_views(view)


def _sequence(marks: Marks, entry: Node, body: Node) -> None:
    sequence = marks.state.table(from_object(entry))
    marks.lock(sequence, "ACCESS EXCLUSIVE")
    facts = marks.state.schema.sequences.get(sequence.name) if marks.state.schema else None
    if _cascades(body) and facts is not None and facts.owned_by:
        marks.lock(marks.state.table(facts.owned_by.rpartition(".")[0]), "ACCESS EXCLUSIVE")


def _type(marks: Marks, entry: Node, body: Node) -> None:
    for table in type_users(marks.state, from_object(entry).rpartition(".")[2]) if _cascades(body) else ():
        marks.lock(table, "ACCESS EXCLUSIVE")


def _function(marks: Marks, entry: Node, body: Node) -> None:
    for table in function_users(marks.state, from_object(entry).rpartition(".")[2]) if _cascades(body) else ():
        marks.lock(table, "ACCESS EXCLUSIVE")


def _part(marks: Marks, entry: Node, body: Node) -> None:
    """A trigger, policy or rule locks its relation, where the catalog does not say that there is none of that name."""
    items = entry["List"].get("items", ())
    table, name = marks.state.table(from_strings(items[:-1])), from_strings(items[-1:])
    known = {"OBJECT_TRIGGER": table.triggers, "OBJECT_POLICY": table.policies}.get(str(body.get("removeType")))
    if body.get("missing_ok") and table.is_known and known is not None and name not in known:
        return
    goes_down = table.is_partitioned and body.get("removeType") == "OBJECT_TRIGGER"
    for each in marks.with_children(table) if goes_down else [table]:
        marks.lock(each, "ACCESS EXCLUSIVE")


def _statistics(marks: Marks, entry: Node, body: Node) -> None:
    del body
    name = from_object(entry)
    for relation in marks.state.schema.relations.values() if marks.state.schema else ():
        for statistics in relation.statistics:
            if name in {statistics.name, statistics.name.rpartition(".")[2]}:
                marks.lock(marks.state.table(relation.name), "SHARE UPDATE EXCLUSIVE")


def _schema(marks: Marks, entry: Node, body: Node) -> None:
    del body
    prefix = f"{from_object(entry)}."
    catalog = marks.state.schema
    for name in (*catalog.relations, *catalog.sequences) if catalog else ():
        if name.startswith(prefix) and name not in marks.state.removed:
            table = marks.state.table(name)
            if table.kind.endswith("table"):
                marks.drop_table(table, cascades=True)
            elif table.kind != "composite type":
                marks.lock(table, "ACCESS EXCLUSIVE")
                marks.drop_views(table)


def _extension(marks: Marks, entry: Node, body: Node) -> None:
    """Who needs the extension, by the catalog; without one, who has a column of the type that many are named after."""
    users = marks.state.schema.extension_users if marks.state.schema else {}
    for name in users.get(from_object(entry), ()) if _cascades(body) else ():
        if name not in marks.state.removed:
            table = marks.state.table(name)
            marks.lock(table, "ACCESS EXCLUSIVE")
            if table.kind == "view":
                marks.drop_views(table)
    _type(marks, entry, body)


_DRAWN: dict[str, Callable[[Marks, Node, Node], None]] = {
    "OBJECT_INDEX": _index,
    "OBJECT_TABLE": _table,
    "OBJECT_FOREIGN_TABLE": _table,
    "OBJECT_VIEW": _view,
    "OBJECT_MATVIEW": _view,
    "OBJECT_SEQUENCE": _sequence,
    "OBJECT_TYPE": _type,
    "OBJECT_DOMAIN": _type,
    "OBJECT_SCHEMA": _schema,
    "OBJECT_EXTENSION": _extension,
    "OBJECT_FUNCTION": _function,
    "OBJECT_TRIGGER": _part,
    "OBJECT_POLICY": _part,
    "OBJECT_RULE": _part,
    "OBJECT_STATISTIC_EXT": _statistics,
}
