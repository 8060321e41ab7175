"""The footprint of upkeep: TRUNCATE, REINDEX, VACUUM, CLUSTER, REFRESH, LOCK, RENAME, domains, comments, rights, publications."""

from app.analysis.marks import Marks
from app.analysis.tables import Table
from app.sql.lock_levels import MODES, Mode
from app.sql.names import from_range_var
from app.sql.relations import in_order
from app.sql.tree import Node, find, option, strings


def truncate(marks: Marks, body: Node) -> None:
    """TRUNCATE, with what CASCADE reaches."""
    for relation in body.get("relations", ()):
        table = marks.state.table_of(relation["RangeVar"])
        tables = [table, *marks.state.children(table.name)]
        if body.get("behavior") == "DROP_CASCADE":
            tables += marks.referencing_closure(table)
        for each in tables:
            marks.lock(each, "ACCESS EXCLUSIVE")
            marks.rewrites += [] if each.is_partitioned else [each.name]


def reindex(marks: Marks, body: Node) -> None:
    """REINDEX: the table weakly, each index strongly."""
    if "relation" not in body:
        return
    mode: Mode = "SHARE UPDATE EXCLUSIVE" if option(body.get("params"), "concurrently") else "SHARE"
    name = from_range_var(body["relation"])
    table = marks.state.index(name)[0] if body.get("kind") == "REINDEX_OBJECT_INDEX" else marks.state.table(name)
    table = table or Table(name=marks.state.qualify(name))
    for each in [table, *marks.state.children(table.name)]:
        marks.lock(each, mode)
        if mode == "SHARE":
            # the index itself is locked too, and a query that might use it waits while it is planned
            marks.blocked[each.name] = ("reads", "writes")
        marks.build(each)


def vacuum(marks: Marks, body: Node) -> None:
    """VACUUM and ANALYZE; FULL writes the table anew."""
    full = option(body.get("options"), "full")
    for entry in find(body.get("rels", []), "VacuumRelation"):
        table = marks.state.table_of(entry["relation"])
        marks.lock(table, "ACCESS EXCLUSIVE" if full else "SHARE UPDATE EXCLUSIVE")
        if full:
            marks.rewrite(table)


def cluster(marks: Marks, body: Node) -> None:
    """CLUSTER writes the table anew."""
    if "relation" in body:
        table = marks.state.table_of(body["relation"])
        marks.lock(table, "ACCESS EXCLUSIVE")
        marks.rewrite(table)


def refresh(marks: Marks, body: Node) -> None:
    """REFRESH MATERIALIZED VIEW reads what the view is made of."""
    view = marks.state.table_of(body["relation"])
    marks.lock(view, "EXCLUSIVE" if body.get("concurrent") else "ACCESS EXCLUSIVE")
    if not body.get("concurrent"):
        marks.rewrites.append(view.name)
    marks.scans.append(view.name)
    for source in marks.sources_of(view):
        marks.lock(source, "ACCESS SHARE")
        marks.scan(source)


def lock(marks: Marks, body: Node) -> None:
    """LOCK TABLE."""
    for relation in body.get("relations", ()):
        marks.lock(marks.state.table_of(relation["RangeVar"]), MODES[int(body.get("mode", 8)) - 1])


def rename(marks: Marks, body: Node) -> None:
    """RENAME of a relation, column or constraint; of an index it locks no table."""
    if "relation" not in body:
        return
    if body.get("renameType") == "OBJECT_INDEX":
        return
    if body.get("renameType") == "OBJECT_COLUMN":
        marks.lock_with_partitions(marks.state.table_of(body["relation"]), "ACCESS EXCLUSIVE")
    elif body.get("renameType") not in {"OBJECT_DOMCONSTRAINT", "OBJECT_ATTRIBUTE"}:
        marks.lock(marks.state.table_of(body["relation"]), "ACCESS EXCLUSIVE")


def domain(marks: Marks, body: Node) -> None:
    """ALTER DOMAIN reads every table that uses it, where it must check values."""
    checks = body.get("subtype") in {"O", "V"} or (
        body.get("subtype") == "C" and not body.get("def", {}).get("Constraint", {}).get("skip_validation")
    )
    if checks:
        for table in marks.domain_users(strings(body.get("typeName", ()))):
            marks.lock(table, "SHARE")
            marks.scan(table)


def comment(marks: Marks, body: Node) -> None:
    """COMMENT."""
    if body.get("objtype") in {"OBJECT_TABLE", "OBJECT_COLUMN", "OBJECT_VIEW", "OBJECT_MATVIEW"}:
        for name in in_order({"CommentStmt": body}):
            marks.lock(marks.state.table(name), "SHARE UPDATE EXCLUSIVE")


def grant(marks: Marks, body: Node) -> None:
    """GRANT and REVOKE lock relations since PostgreSQL 18."""
    if body.get("objtype") == "OBJECT_TABLE" and marks.server_version >= 18:  # noqa: PLR2004  # older servers take no lock
        for node in find(body.get("objects", []), "RangeVar"):
            marks.lock(marks.state.table_of(node), "ACCESS SHARE")


def publication(marks: Marks, body: Node) -> None:
    """CREATE and ALTER PUBLICATION."""
    for node in find(body, "relation"):
        marks.lock(marks.state.table_of(node), "SHARE UPDATE EXCLUSIVE")


def statistics(marks: Marks, body: Node) -> None:
    """CREATE STATISTICS."""
    for node in find(body.get("relations", []), "RangeVar"):
        marks.lock(marks.state.table_of(node), "SHARE UPDATE EXCLUSIVE")
