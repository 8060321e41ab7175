"""What a statement takes, rewrites and scans: the facts that the rules explain and the rehearsal later confirms."""

from collections.abc import Callable
from dataclasses import dataclass, field

from app.analysis import footprint_upkeep as upkeep
from app.analysis.footprint_alter import alter_index, alter_table
from app.analysis.marks import Marks
from app.analysis.predicates import is_always_true
from app.analysis.report import Lock
from app.analysis.state import Held, State
from app.analysis.tables import Table
from app.sql.lock_levels import MODES, Mode, blocks, statement_mode
from app.sql.names import from_object, from_range_var
from app.sql.relations import in_order
from app.sql.tree import Node, find, strings


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
            select = body.get("selectStmt", {}).get("SelectStmt", {})
            if not {"valuesLists", "whereClause", "limitCount"} & set(select):
                for name in in_order({"query": select}):
                    marks.scan(marks.state.table(name))
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
        elif body.get("behavior") == "DROP_CASCADE" and kind in {"OBJECT_TYPE", "OBJECT_DOMAIN", "OBJECT_FUNCTION"}:
            for table in marks.users_of(name.rpartition(".")[2], kind):
                marks.lock(table, "ACCESS EXCLUSIVE")
        elif kind in {"OBJECT_TRIGGER", "OBJECT_POLICY", "OBJECT_RULE"}:
            marks.lock(marks.state.table(".".join(strings(entry["List"].get("items", ()))[:-1])), "ACCESS EXCLUSIVE")


def _view(marks: Marks, body: Node) -> None:
    _query(marks, body.get("query", {}))
    if body.get("replace") and marks.state.exists(from_range_var(body["view"])):
        marks.lock(marks.state.table_of(body["view"]), "ACCESS EXCLUSIVE")


def _create_as(marks: Marks, body: Node) -> None:
    query = body.get("query", {})
    _query(marks, query)
    is_whole = not any("limitCount" in select for select in find(query, "SelectStmt")) and not body.get("into", {}).get(
        "skipData"
    )
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
    "TruncateStmt": upkeep.truncate,
    "ReindexStmt": upkeep.reindex,
    "VacuumStmt": upkeep.vacuum,
    "ClusterStmt": upkeep.cluster,
    "RefreshMatViewStmt": upkeep.refresh,
    "LockStmt": upkeep.lock,
    "ViewStmt": _view,
    "RenameStmt": upkeep.rename,
    "AlterDomainStmt": upkeep.domain,
    "CommentStmt": upkeep.comment,
    "GrantStmt": upkeep.grant,
    "CreatePublicationStmt": upkeep.publication,
    "AlterPublicationStmt": upkeep.publication,
    "CreateStatsStmt": upkeep.statistics,
    "ExplainStmt": _explain,
}
