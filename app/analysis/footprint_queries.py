"""The footprint of statements that read and write rows: SELECT, INSERT, UPDATE, DELETE, MERGE, and what holds them."""

from collections.abc import Callable, Iterator

from app.analysis.marks import Marks
from app.analysis.predicates import is_always_true
from app.analysis.row_routing import partitions_of_rows
from app.analysis.tables import Table
from app.sql.lock_levels import Mode
from app.sql.names import from_range_var
from app.sql.relations import in_order
from app.sql.tree import Node, find, option, strings

WRITES = ("InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt")


def select(marks: Marks, body: Node) -> None:
    """SELECT, with what its common table expressions change; SELECT INTO copies whole tables."""
    query = {key: value for key, value in body.items() if key != "intoClause"}
    for table in tables_of(marks, query):
        marks.read(table)
    for table in _row_locked(marks, query):
        marks.read(table, "ROW SHARE")
    for kind in WRITES:
        for inner in find(query, kind):
            write(kind)(marks, inner)
    if "intoClause" in body and is_whole(query):
        scan_sources(marks, query)
    use_sequences(marks, query)


def tables_of(marks: Marks, node: Node) -> list[Table]:
    """The relations that a tree names."""
    return [marks.state.table(name) for name in in_order({"query": node})]


def is_whole(query: Node) -> bool:
    """True where a query goes through everything it names: no WHERE, no LIMIT, no VALUES."""
    return not any({"whereClause", "limitCount", "valuesLists"} & set(each) for each in (query, *find(query, "SelectStmt")))


def scan_sources(marks: Marks, query: Node) -> None:
    """Note that a query reads every row of what it names, views taken for what they are made of."""
    pending = tables_of(marks, query)
    seen = set[str]()
    while pending:
        table = pending.pop(0)
        if table.name not in seen:
            seen.add(table.name)
            if table.kind == "view":
                pending += marks.sources(table)
            else:
                marks.scan(*marks.with_children(table))


def _row_locked(marks: Marks, query: Node) -> Iterator[Table]:
    for body in (query, *find(query, "SelectStmt")):
        for clause in find(body.get("lockingClause", []), "LockingClause"):
            if "lockedRels" not in clause:
                yield from tables_of(marks, {"from": body.get("fromClause", [])})
                continue
            wanted = {node["RangeVar"]["relname"] for node in clause["lockedRels"]}
            for node in find(body.get("fromClause", []), "RangeVar"):
                if node.get("alias", {}).get("aliasname", node["relname"]) in wanted:
                    yield marks.state.table_of(node)


def use_sequences(marks: Marks, query: Node) -> None:
    """nextval() and setval() with the name of a sequence lock it as a write does."""
    for call in find(query, "FuncCall"):
        if strings(call.get("funcname"))[-1:] not in {("nextval",), ("setval",)}:
            continue
        for constant in list(find(call.get("args", [])[:1], "A_Const"))[:1]:
            name = constant.get("sval", {}).get("sval")
            if isinstance(name, str) and marks.state.exists(name.replace('"', "")):
                marks.lock(marks.state.table(name.replace('"', "")), "ROW EXCLUSIVE")


def write(kind: str) -> Callable[[Marks, Node], None]:
    """INSERT, UPDATE, DELETE or MERGE."""

    def draw(marks: Marks, body: Node) -> None:
        target = marks.state.table_of(body["relation"])
        reached = [target] if kind == "InsertStmt" else marks.reached(target, body["relation"])
        for each in reached:
            marks.read(each, "ROW EXCLUSIVE")
        if kind in {"UpdateStmt", "DeleteStmt"} and target.kind != "view" and is_always_true(body.get("whereClause")):
            marks.scan(*reached)
        for table in tables_of(marks, body):
            if table.name != target.name:
                marks.read(table)
        _AFTER.get(kind, _nothing)(marks, target, body)
        for other in WRITES:
            # its common table expressions write too: WITH old AS (DELETE ... RETURNING *) INSERT ...
            for inner in find(body.get("withClause", {}), other):
                write(other)(marks, inner)

    return draw


def _nothing(marks: Marks, target: Table, body: Node) -> None:
    del marks, target, body


def _insert(marks: Marks, target: Table, body: Node) -> None:
    query = body.get("selectStmt", {}).get("SelectStmt", {})
    listed = {column["ResTarget"].get("name") for column in body.get("cols", ())}
    everything = not listed and "selectStmt" in body
    for partition in partitions_of_rows(marks.state, target, body):
        marks.lock(partition, "ROW EXCLUSIVE")
    if query and is_whole(query) and "selectStmt" in body:
        scan_sources(marks, query)
    for constraint in target.constraints.values():
        if constraint.references and (everything or listed & set(constraint.columns)):
            marks.lock(marks.state.table(constraint.references), "ROW SHARE")
    if not everything:
        for column in target.columns.values():
            if column.owned_sequence and column.name not in listed:
                marks.lock(marks.state.table(column.owned_sequence), "ROW EXCLUSIVE")


def _update(marks: Marks, target: Table, body: Node) -> None:
    changed = {entry["ResTarget"].get("name") for entry in body.get("targetList", ()) if "ResTarget" in entry}
    for constraint in target.constraints.values():
        if constraint.references and changed & set(constraint.columns):
            marks.lock(marks.state.table(constraint.references), "ROW SHARE")


def _delete(marks: Marks, target: Table, body: Node) -> None:
    del body
    for child, constraint in marks.state.referencing(target.name):
        if constraint.cascades:
            marks.lock(child, "ROW EXCLUSIVE")


_AFTER: dict[str, Callable[[Marks, Table, Node], None]] = {"InsertStmt": _insert, "UpdateStmt": _update, "DeleteStmt": _delete}


def explain(marks: Marks, body: Node) -> None:
    """EXPLAIN takes the locks of the statement; ANALYZE runs it."""
    statement = body.get("query", {})
    kind = next(iter(statement), "")
    if kind in WRITES and option(body.get("options"), "analyze"):
        write(kind)(marks, statement[kind])
    elif kind in WRITES:
        target = marks.state.table_of(statement[kind]["relation"])
        for table in tables_of(marks, statement):
            marks.read(table, "ROW EXCLUSIVE" if table.name == target.name else "ACCESS SHARE")
    elif kind == "SelectStmt":
        select(marks, statement[kind])


def held_query(marks: Marks, body: Node) -> None:
    """PREPARE and DECLARE CURSOR look at the relations of their query."""
    modes: dict[str, Mode] = {}
    for kind in WRITES:
        modes.update((from_range_var(inner["relation"]), "ROW EXCLUSIVE") for inner in find(body.get("query", {}), kind))
    for name in in_order({"query": body.get("query", {})}):
        marks.read(marks.state.table(name), modes.get(name, "ACCESS SHARE"))


def copy(marks: Marks, body: Node) -> None:
    """COPY of a table or of a query's result."""
    if "relation" in body:
        table = marks.state.table_of(body["relation"])
        marks.lock(table, "ROW EXCLUSIVE" if body.get("is_from") else "ACCESS SHARE")
        if not body.get("is_from"):
            marks.scan(table)
    elif "SelectStmt" in body.get("query", {}):
        select(marks, body["query"]["SelectStmt"])
