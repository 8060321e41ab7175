"""The footprint of upkeep: TRUNCATE, REINDEX, VACUUM, CLUSTER, REFRESH, LOCK, RENAME, domains, comments, rights, publications."""

from app.analysis.footprint_queries import scan_sources
from app.analysis.marks import Marks
from app.analysis.tables import Table
from app.analysis.users import domain_users, sources_of
from app.sql.lock_levels import MODES, Mode
from app.sql.names import from_object, from_range_var, from_strings
from app.sql.tree import Node, find, option, strings

#: the first version that locks the partitions and heirs of what it analyzes, and a relation whose rights change (measured)
_LOCKS_MORE_SINCE = 18


def truncate(marks: Marks, body: Node) -> None:
    """TRUNCATE, with what CASCADE reaches."""
    for relation in body.get("relations", ()):
        table = marks.state.table_of(relation["RangeVar"])
        tables = marks.reached(table, relation["RangeVar"])
        if body.get("behavior") == "DROP_CASCADE":
            tables += [each for found in marks.referencing_closure(table) for each in marks.with_children(found)]
        for each in tables:
            marks.lock(each, "ACCESS EXCLUSIVE")
            marks.rewrites += [] if each.is_partitioned else [each.name]
            if body.get("restart_seqs"):
                marks.lock_sequences(each, "ACCESS EXCLUSIVE")


def reindex(marks: Marks, body: Node) -> None:
    """REINDEX: the table weakly, each index strongly."""
    if "relation" not in body:
        return
    mode: Mode = "SHARE UPDATE EXCLUSIVE" if option(body.get("params"), "concurrently") else "SHARE"
    name = from_range_var(body["relation"])
    table = marks.state.index(name)[0] if body.get("kind") == "REINDEX_OBJECT_INDEX" else marks.state.table(name)
    table = table or Table(name=marks.state.qualify(name))
    for each in marks.with_children(table) if table.is_partitioned else [table]:
        marks.lock(each, mode)
        if mode == "SHARE":
            # the index itself is locked too, and a query that might use it waits while it is planned
            marks.blocked[each.name] = ("reads", "writes")
        marks.build(each)


def vacuum(marks: Marks, body: Node) -> None:
    """VACUUM and ANALYZE; FULL writes the table anew."""
    full = option(body.get("options"), "full")
    if not body.get("rels"):
        _everything(marks, full=full)
    for entry in find(body.get("rels", []), "VacuumRelation"):
        table = marks.state.table_of(entry["relation"])
        marks.lock(table, "ACCESS EXCLUSIVE" if full else "SHARE UPDATE EXCLUSIVE")
        for child in marks.reached(table, entry["relation"])[1:]:
            if full:
                marks.lock(child, "ACCESS EXCLUSIVE" if table.is_partitioned else "ACCESS SHARE")
            else:
                marks.lock(child, "SHARE UPDATE EXCLUSIVE" if _analyzes(marks, table) else "ACCESS SHARE")
        if full:
            marks.rewrite(*(marks.with_children(table) if table.is_partitioned else [table]))


def _everything(marks: Marks, *, full: bool) -> None:
    """VACUUM and ANALYZE without a name: one table after the other, all that the role may."""
    relations = marks.state.schema.relations.values() if marks.state.schema else ()
    kinds = {"table", "materialized view"} | (set() if full else {"partitioned table"})
    for relation in relations:
        if relation.kind in kinds and relation.name not in marks.state.removed:
            table = marks.state.table(relation.name)
            marks.lock(table, "ACCESS EXCLUSIVE" if full else "SHARE UPDATE EXCLUSIVE")
            if full:
                marks.rewrite(table)


def _analyzes(marks: Marks, table: Table) -> bool:
    return table.is_partitioned or marks.server_version >= _LOCKS_MORE_SINCE


def cluster(marks: Marks, body: Node) -> None:
    """CLUSTER writes the table anew."""
    if "relation" in body:
        table = marks.state.table_of(body["relation"])
        marks.lock(table, "ACCESS EXCLUSIVE")
        marks.rewrite(table)


def refresh(marks: Marks, body: Node) -> None:
    """REFRESH MATERIALIZED VIEW reads what the view is made of, and reads itself to build its indexes or to compare."""
    view = marks.state.table_of(body["relation"])
    marks.lock(view, "EXCLUSIVE" if body.get("concurrent") else "ACCESS EXCLUSIVE")
    if not body.get("concurrent"):
        marks.rewrites.append(view.name)
    if body.get("concurrent") or view.indexes or not view.is_known:
        marks.scans.append(view.name)
    for source in sources_of(marks.state, view) if not body.get("skipData") else ():
        marks.read(source)
        scan_sources(marks, {"RangeVar": _range_var(source.name)})


def _range_var(name: str) -> Node:
    schema, _, bare = name.rpartition(".")
    return {"schemaname": schema, "relname": bare}


def lock(marks: Marks, body: Node) -> None:
    """LOCK TABLE; a view passes it on."""
    for relation in body.get("relations", ()):
        for table in marks.reached(marks.state.table_of(relation["RangeVar"]), relation["RangeVar"]):
            marks.read(table, MODES[int(body.get("mode", 8)) - 1])


def rename(marks: Marks, body: Node) -> None:
    """RENAME of a relation, column, constraint, trigger, policy or rule; of an index it locks no table."""
    kind = body.get("renameType")
    if kind == "OBJECT_ATTRIBUTE":
        for typed in marks.state.typed_tables(from_range_var(body["relation"])):
            marks.lock(typed, "ACCESS EXCLUSIVE")
    if "relation" not in body or kind in {"OBJECT_INDEX", "OBJECT_ATTRIBUTE", "OBJECT_DOMCONSTRAINT"}:
        return
    name = from_range_var(body["relation"])
    if (body.get("missing_ok") and marks.state.exists(name) is False) or marks.state.index(name)[1]:
        return
    table = marks.state.table(name)
    constraint = table.constraints.get(str(body.get("subname"))) if kind == "OBJECT_TABCONSTRAINT" else None
    goes_down = kind == "OBJECT_COLUMN" or (constraint is not None and constraint.kind in {"check", "not null"})
    goes_down = goes_down or (kind == "OBJECT_TRIGGER" and table.is_partitioned)
    for each in marks.reached(table, body["relation"]) if goes_down else [table]:
        marks.lock(each, "ACCESS EXCLUSIVE")


def move(marks: Marks, body: Node) -> None:
    """SET SCHEMA: a table takes its sequences along."""
    if "relation" in body:
        table = marks.state.table_of(body["relation"])
        marks.lock(table, "ACCESS EXCLUSIVE")
        marks.lock_sequences(table, "ACCESS EXCLUSIVE")


def depends(marks: Marks, body: Node) -> None:
    """DEPENDS ON EXTENSION looks at the table of a trigger."""
    if "relation" in body and body.get("objectType") == "OBJECT_TRIGGER":
        marks.lock(marks.state.table_of(body["relation"]), "ACCESS SHARE")


def domain(marks: Marks, body: Node) -> None:
    """ALTER DOMAIN reads every table that uses it, where it must check values."""
    checks = body.get("subtype") in {"O", "V"} or (
        body.get("subtype") == "C" and not body.get("def", {}).get("Constraint", {}).get("skip_validation")
    )
    if checks:
        for table in domain_users(marks.state, ".".join(strings(body.get("typeName", ())))):
            marks.lock(table, "SHARE")
            marks.scan(table)


_COMMENTED: dict[str, Mode] = {
    "OBJECT_TABLE": "SHARE UPDATE EXCLUSIVE",
    "OBJECT_COLUMN": "SHARE UPDATE EXCLUSIVE",
    "OBJECT_VIEW": "SHARE UPDATE EXCLUSIVE",
    "OBJECT_MATVIEW": "SHARE UPDATE EXCLUSIVE",
    "OBJECT_FOREIGN_TABLE": "SHARE UPDATE EXCLUSIVE",
    "OBJECT_SEQUENCE": "SHARE UPDATE EXCLUSIVE",
    "OBJECT_TABCONSTRAINT": "ACCESS SHARE",
    "OBJECT_TRIGGER": "ACCESS SHARE",
    "OBJECT_POLICY": "ACCESS SHARE",
    "OBJECT_RULE": "ACCESS SHARE",
}
_WHOLE = frozenset({"OBJECT_TABLE", "OBJECT_VIEW", "OBJECT_MATVIEW", "OBJECT_FOREIGN_TABLE", "OBJECT_SEQUENCE"})


def comment(marks: Marks, body: Node) -> None:
    """COMMENT on a relation, or on a part of one."""
    kind = str(body.get("objtype"))
    mode = _COMMENTED.get(kind)
    if mode is None:
        return
    entry = body.get("object", {})
    name = from_object(entry) if kind in _WHOLE else from_strings(entry["List"].get("items", ())[:-1])
    marks.lock(marks.state.table(name), mode)


def grant(marks: Marks, body: Node) -> None:
    """GRANT and REVOKE lock relations since PostgreSQL 18."""
    if body.get("objtype") in {"OBJECT_TABLE", "OBJECT_SEQUENCE"} and marks.server_version >= _LOCKS_MORE_SINCE:
        for node in find(body.get("objects", []), "RangeVar"):
            marks.lock(marks.state.table_of(node), "ACCESS SHARE")


def publication(marks: Marks, body: Node) -> None:
    """CREATE and ALTER PUBLICATION."""
    for node in find(body, "relation"):
        table = marks.state.table_of(node)
        for each in [table] if table.is_partitioned else marks.reached(table, node):
            marks.lock(each, "SHARE UPDATE EXCLUSIVE")
    if body.get("action") == "AP_SetObjects" and marks.state.schema is not None:
        # SET drops what is not named any more
        for name in marks.state.schema.publications.get(str(body.get("pubname")), ()):
            if name not in marks.state.removed:
                marks.lock(marks.state.table(name), "SHARE UPDATE EXCLUSIVE")
