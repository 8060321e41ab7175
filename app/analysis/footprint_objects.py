"""The footprint of CREATE: what a new object locks, and reads, of what is there already."""

from app.analysis.footprint_partitions import lock_referenced
from app.analysis.footprint_queries import WRITES, is_whole, scan_sources, select, tables_of
from app.analysis.marks import Marks
from app.analysis.partitions import default_excludes
from app.analysis.tables import Table
from app.sql.lock_levels import Mode, statement_mode
from app.sql.names import from_range_var, from_strings
from app.sql.tree import Node, find, strings


def create_table(marks: Marks, body: Node) -> None:
    """CREATE TABLE: the tables that it references, copies, inherits from or is a partition of."""
    name = from_range_var(body["relation"])
    if body.get("if_not_exists") and marks.state.exists(name):
        return
    for constraint in find(body, "Constraint"):
        if "pktable" in constraint and from_range_var(constraint["pktable"]) != name:
            marks.lock_with_children(marks.state.table_of(constraint["pktable"]), "SHARE ROW EXCLUSIVE")
    for clause in find(body, "TableLikeClause"):
        marks.lock(marks.state.table_of(clause["relation"]), "ACCESS SHARE")
    for node in body.get("inhRelations", ()):
        parent = marks.state.table_of(node["RangeVar"])
        if "partbound" in body:
            _partition_of(marks, parent, body["partbound"])
        else:
            marks.lock(parent, "SHARE UPDATE EXCLUSIVE")


def _partition_of(marks: Marks, parent: Table, bound: Node) -> None:
    marks.lock(parent, "ACCESS EXCLUSIVE")
    lock_referenced(marks, parent, "SHARE ROW EXCLUSIVE")
    default = marks.state.default_partition(parent.name)
    if default:
        marks.lock_with_children(default, "ACCESS EXCLUSIVE")
        if not default_excludes(parent, default, bound):
            marks.scan(*marks.with_children(default))


def create_as(marks: Marks, body: Node) -> None:
    """CREATE TABLE AS and CREATE MATERIALIZED VIEW run their query unless told WITH NO DATA."""
    target = body.get("into", {})
    if body.get("if_not_exists") and marks.state.exists(from_range_var(target["rel"])):
        return
    query = body.get("query", {})
    if "SelectStmt" in query:
        select(marks, query["SelectStmt"])
        if is_whole(query["SelectStmt"]) and not target.get("skipData"):
            scan_sources(marks, query)


def create_index(marks: Marks, body: Node) -> None:
    """CREATE INDEX: a partitioned table with all its partitions, unless ONLY leaves them out; heirs never."""
    table = marks.state.table_of(body["relation"])
    mode: Mode = "SHARE UPDATE EXCLUSIVE" if body.get("concurrent") else "SHARE"
    goes_down = table.is_partitioned and bool(body["relation"].get("inh", False))
    reached = marks.with_children(table) if goes_down else [table]
    for each in reached:
        marks.lock(each, mode)
    is_parent_alone = not table.is_known and not table.is_new and not body["relation"].get("inh", False)
    is_there = body.get("if_not_exists") and "idxname" in body and marks.state.index(str(body["idxname"]))[1]
    if not is_parent_alone and not is_there:
        marks.build(*reached)


def view(marks: Marks, body: Node) -> None:
    """CREATE VIEW looks at what it is made of; replacing one locks it."""
    for table in tables_of(marks, body.get("query", {})):
        marks.lock(table, "ACCESS SHARE")
    if body.get("replace") and marks.state.exists(from_range_var(body["view"])):
        marks.lock(marks.state.table_of(body["view"]), "ACCESS EXCLUSIVE")


def trigger(marks: Marks, body: Node) -> None:
    """CREATE TRIGGER: a row trigger of a partitioned table goes down to its partitions."""
    table = marks.state.table_of(body["relation"])
    for each in marks.with_children(table) if table.is_partitioned and body.get("row") else [table]:
        marks.lock(each, "SHARE ROW EXCLUSIVE")
    if "constrrel" in body:
        marks.lock(marks.state.table_of(body["constrrel"]), "ACCESS SHARE")


def policy(marks: Marks, body: Node) -> None:
    """CREATE and ALTER POLICY, with the tables that the conditions name."""
    table = marks.state.table_of(body["table"])
    marks.lock(table, "ACCESS EXCLUSIVE")
    for other in tables_of(marks, {key: value for key, value in body.items() if key != "table"}):
        marks.lock(other, "ACCESS SHARE")


def rule(marks: Marks, body: Node) -> None:
    """CREATE RULE, with the relations that its actions name."""
    marks.lock(marks.state.table_of(body["relation"]), "ACCESS EXCLUSIVE")
    for action in body.get("actions", ()):
        for kind in WRITES:
            if kind in action:
                marks.lock(marks.state.table_of(action[kind]["relation"]), "ROW EXCLUSIVE")
        for table in tables_of(marks, action):
            if table.name.rpartition(".")[2] not in {"old", "new"}:
                marks.lock(table, "ACCESS SHARE")


def function(marks: Marks, body: Node) -> None:
    """CREATE FUNCTION with a body of SQL statements (BEGIN ATOMIC, RETURN) looks at what they name."""
    for table in tables_of(marks, body.get("sql_body", {})):
        marks.lock(table, "ACCESS SHARE")


def sequence(marks: Marks, body: Node) -> None:
    """CREATE and ALTER SEQUENCE; OWNED BY looks at the table."""
    mode = statement_mode("AlterSeqStmt", body)
    name = from_range_var(body["sequence"])
    if "if_not_exists" in body or "for_identity" in body or marks.state.exists(name) is False:
        mode = None
    for element in find(body.get("options", []), "DefElem"):
        owner = strings(element.get("arg", {}).get("List", {}).get("items", ()))
        if element.get("defname") == "owned_by" and len(owner) > 1:
            items = element["arg"]["List"]["items"]
            marks.lock(marks.state.table(from_strings(items[:-1])), "ACCESS SHARE")
    if mode is not None:
        marks.lock(marks.state.table(name), mode)


def statistics(marks: Marks, body: Node) -> None:
    """CREATE STATISTICS."""
    for node in find(body.get("relations", []), "RangeVar"):
        marks.lock(marks.state.table_of(node), "SHARE UPDATE EXCLUSIVE")
