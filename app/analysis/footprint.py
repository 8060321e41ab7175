"""What a statement takes, rewrites and scans: the facts that the rules explain and the rehearsal later confirms."""

from collections.abc import Callable
from dataclasses import dataclass, field

from app.analysis.footprint_alter import alter_index, alter_table
from app.analysis.marks import Marks
from app.analysis.predicates import is_always_true
from app.analysis.report import Lock
from app.analysis.state import Held, State
from app.analysis.tables import Table
from app.sql.lock_levels import MODES, Mode, blocks, statement_mode
from app.sql.names import from_object, from_range_var
from app.sql.relations import in_order
from app.sql.tree import Node, find, option, strings


@dataclass(frozen=True, slots=True, kw_only=True)
class Footprint:
    """Locks on relations, and the relations whose rows it writes anew or reads from end to end."""

    locks: tuple[Lock, ...] = ()
    rewrites: tuple[str, ...] = ()
    scans: tuple[str, ...] = ()
    #: tables on which an index is built
    builds: tuple[str, ...] = ()
    held: tuple[Held, ...] = field(default=(), repr=False)


def footprint(
    kind: str, body: Node, state: State, *, server_version: int = 18, is_utc: bool = True, number: int = 0
) -> Footprint:
    """The footprint of one statement before it runs, in the state before it."""
    marks = Marks(state=state, server_version=server_version, is_utc=is_utc)
    draw = _DRAWN.get(kind)
    if draw:
        draw(marks, body)
    else:
        _by_table(marks, kind, body)
    locks = tuple(
        Lock(relation=name, mode=mode, blocks=marks.blocked.get(name, blocks(mode)))
        for name, mode in sorted(marks.locks.items(), key=lambda item: -MODES.index(item[1]))
    )
    held = tuple(
        Held(relation=name, mode=mode, statement=number)
        for name, mode in marks.locks.items()
        if name not in state.tables or not state.tables[name].is_new
    )
    return Footprint(
        locks=locks,
        rewrites=tuple(dict.fromkeys(marks.rewrites)),
        scans=tuple(dict.fromkeys(marks.scans)),
        builds=tuple(dict.fromkeys(marks.builds)),
        held=held,
    )


def _by_table(marks: Marks, kind: str, body: Node) -> None:
    """What the lock table says about the relation that is named first."""
    mode = statement_mode(kind, body)
    node = body.get("relation") or body.get("table") or body.get("sequence")
    if mode and isinstance(node, dict) and "relname" in node:
        marks.lock(marks.state.table_of(node), mode)


def _query(marks: Marks, body: Node) -> None:
    query = {key: value for key, value in body.items() if key != "intoClause"}
    for name in in_order({"query": query}):
        marks.lock(marks.state.table(name), "ACCESS SHARE")
        if "intoClause" in body:
            marks.scan(marks.state.table(name))


def _dml(kind: str) -> Callable[[Marks, Node], None]:
    def draw(marks: Marks, body: Node) -> None:
        target = marks.state.table_of(body["relation"])
        marks.lock(target, "ROW EXCLUSIVE")
        if kind in {"UpdateStmt", "DeleteStmt"} and is_always_true(body.get("whereClause")):
            marks.scan(target)
        for name in in_order({"query": body}):
            if marks.state.qualify(name) != target.name:
                marks.lock(marks.state.table(name), "ACCESS SHARE")
        if kind == "InsertStmt":
            for constraint in target.constraints.values():
                if constraint.references:
                    marks.lock(marks.state.table(constraint.references), "ROW SHARE")

    return draw


def _create_table(marks: Marks, body: Node) -> None:
    for constraint in find(body, "Constraint"):
        if "pktable" in constraint and from_range_var(constraint["pktable"]) != from_range_var(body["relation"]):
            marks.lock_with_partitions(marks.state.table_of(constraint["pktable"]), "SHARE ROW EXCLUSIVE")
    for clause in find(body, "TableLikeClause"):
        marks.lock(marks.state.table_of(clause["relation"]), "ACCESS SHARE")
    for node in body.get("inhRelations", ()):
        parent = marks.state.table_of(node["RangeVar"])
        if "partbound" not in body:
            marks.lock(parent, "SHARE UPDATE EXCLUSIVE")
            continue
        marks.lock(parent, "ACCESS EXCLUSIVE")
        default = marks.state.default_partition(parent.name)
        if default:
            marks.lock(default, "ACCESS EXCLUSIVE")
            marks.scan(default)


def _create_index(marks: Marks, body: Node) -> None:
    table = marks.state.table_of(body["relation"])
    mode: Mode = "SHARE UPDATE EXCLUSIVE" if body.get("concurrent") else "SHARE"
    marks.lock(table, mode)
    only_parent = body["relation"].get("inh") is not True and table.is_partitioned
    if not only_parent:
        for child in marks.state.children(table.name) if table.is_partitioned else ():
            marks.lock(child, mode)
    if body.get("if_not_exists") and marks.state.index(str(body.get("idxname")))[1]:
        return
    if not only_parent:
        marks.build(table)


_RELATIONS = frozenset({"OBJECT_TABLE", "OBJECT_FOREIGN_TABLE", "OBJECT_VIEW", "OBJECT_MATVIEW", "OBJECT_SEQUENCE"})


def _drop(marks: Marks, body: Node) -> None:
    kind = str(body.get("removeType"))
    mode: Mode = "SHARE UPDATE EXCLUSIVE" if body.get("concurrent") else "ACCESS EXCLUSIVE"
    for entry in body.get("objects", ()):
        name = from_object(entry)
        if kind == "OBJECT_INDEX":
            table, _ = marks.state.index(name)
            marks.lock(table or Table(name=marks.state.qualify(name)), mode)
        elif body.get("missing_ok") and kind in _RELATIONS and marks.state.exists(name) is False:
            continue
        elif kind in {"OBJECT_TABLE", "OBJECT_FOREIGN_TABLE"}:
            marks.drop_table(marks.state.table(name), cascades=body.get("behavior") == "DROP_CASCADE")
        elif kind in {"OBJECT_VIEW", "OBJECT_MATVIEW", "OBJECT_SEQUENCE"}:
            marks.lock(marks.state.table(name), "ACCESS EXCLUSIVE")
        elif kind in {"OBJECT_TRIGGER", "OBJECT_POLICY", "OBJECT_RULE"}:
            marks.lock(marks.state.table(".".join(strings(entry["List"].get("items", ()))[:-1])), "ACCESS EXCLUSIVE")


def _truncate(marks: Marks, body: Node) -> None:
    for relation in body.get("relations", ()):
        table = marks.state.table_of(relation["RangeVar"])
        tables = [table, *marks.state.children(table.name)]
        if body.get("behavior") == "DROP_CASCADE":
            tables += marks.referencing_closure(table)
        for each in tables:
            marks.lock(each, "ACCESS EXCLUSIVE")
            marks.rewrites += [] if each.is_partitioned else [each.name]


def _reindex(marks: Marks, body: Node) -> None:
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


def _vacuum(marks: Marks, body: Node) -> None:
    full = option(body.get("options"), "full")
    for entry in find(body.get("rels", []), "VacuumRelation"):
        table = marks.state.table_of(entry["relation"])
        marks.lock(table, "ACCESS EXCLUSIVE" if full else "SHARE UPDATE EXCLUSIVE")
        if full:
            marks.rewrite(table)


def _cluster(marks: Marks, body: Node) -> None:
    if "relation" in body:
        table = marks.state.table_of(body["relation"])
        marks.lock(table, "ACCESS EXCLUSIVE")
        marks.rewrite(table)


def _refresh(marks: Marks, body: Node) -> None:
    view = marks.state.table_of(body["relation"])
    marks.lock(view, "EXCLUSIVE" if body.get("concurrent") else "ACCESS EXCLUSIVE")
    if not body.get("concurrent"):
        marks.rewrites.append(view.name)
    marks.scans.append(view.name)


def _lock(marks: Marks, body: Node) -> None:
    for relation in body.get("relations", ()):
        marks.lock(marks.state.table_of(relation["RangeVar"]), MODES[int(body.get("mode", 8)) - 1])


def _view(marks: Marks, body: Node) -> None:
    _query(marks, body.get("query", {}))
    if body.get("replace") and marks.state.exists(from_range_var(body["view"])):
        marks.lock(marks.state.table_of(body["view"]), "ACCESS EXCLUSIVE")


def _rename(marks: Marks, body: Node) -> None:
    if "relation" not in body:
        return
    if body.get("renameType") == "OBJECT_INDEX":
        return
    if body.get("renameType") == "OBJECT_COLUMN":
        marks.lock_with_partitions(marks.state.table_of(body["relation"]), "ACCESS EXCLUSIVE")
    elif body.get("renameType") not in {"OBJECT_DOMCONSTRAINT", "OBJECT_ATTRIBUTE"}:
        marks.lock(marks.state.table_of(body["relation"]), "ACCESS EXCLUSIVE")


def _domain(marks: Marks, body: Node) -> None:
    checks = body.get("subtype") in {"O", "V"} or (
        body.get("subtype") == "C" and not body.get("def", {}).get("Constraint", {}).get("skip_validation")
    )
    if checks:
        for table in marks.domain_users(strings(body.get("typeName", ()))):
            marks.lock(table, "SHARE")
            marks.scan(table)


def _comment(marks: Marks, body: Node) -> None:
    if body.get("objtype") in {"OBJECT_TABLE", "OBJECT_COLUMN", "OBJECT_VIEW", "OBJECT_MATVIEW"}:
        for name in in_order({"CommentStmt": body}):
            marks.lock(marks.state.table(name), "SHARE UPDATE EXCLUSIVE")


def _grant(marks: Marks, body: Node) -> None:
    if body.get("objtype") == "OBJECT_TABLE" and marks.server_version >= 18:  # noqa: PLR2004  # older servers take no lock
        for node in find(body.get("objects", []), "RangeVar"):
            marks.lock(marks.state.table_of(node), "ACCESS SHARE")


def _publication(marks: Marks, body: Node) -> None:
    for node in find(body, "relation"):
        marks.lock(marks.state.table_of(node), "SHARE UPDATE EXCLUSIVE")


def _statistics(marks: Marks, body: Node) -> None:
    for node in find(body.get("relations", []), "RangeVar"):
        marks.lock(marks.state.table_of(node), "SHARE UPDATE EXCLUSIVE")


def _create_as(marks: Marks, body: Node) -> None:
    query = body.get("query", {})
    _query(marks, query)
    is_whole = not any("limitCount" in select for select in find(query, "SelectStmt")) and not body.get("into", {}).get("skipData")
    for name in in_order({"query": query}) if is_whole else ():
        if marks.state.table(name).kind != "view":
            marks.scan(marks.state.table(name))


def _explain(marks: Marks, body: Node) -> None:
    _query(marks, body.get("query", {}))


_DRAWN: dict[str, Callable[[Marks, Node], None]] = {
    "AlterTableStmt": lambda marks, body: (alter_index if body.get("objtype") == "OBJECT_INDEX" else alter_table)(marks, body),
    "SelectStmt": _query,
    "InsertStmt": _dml("InsertStmt"),
    "UpdateStmt": _dml("UpdateStmt"),
    "DeleteStmt": _dml("DeleteStmt"),
    "MergeStmt": _dml("MergeStmt"),
    "CreateStmt": _create_table,
    "CreateTableAsStmt": _create_as,
    "IndexStmt": _create_index,
    "DropStmt": _drop,
    "TruncateStmt": _truncate,
    "ReindexStmt": _reindex,
    "VacuumStmt": _vacuum,
    "ClusterStmt": _cluster,
    "RefreshMatViewStmt": _refresh,
    "LockStmt": _lock,
    "ViewStmt": _view,
    "RenameStmt": _rename,
    "AlterDomainStmt": _domain,
    "CommentStmt": _comment,
    "GrantStmt": _grant,
    "CreatePublicationStmt": _publication,
    "AlterPublicationStmt": _publication,
    "CreateStatsStmt": _statistics,
    "ExplainStmt": _explain,
}
