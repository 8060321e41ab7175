"""The footprint of ALTER TABLE's commands on constraints."""

from app.analysis.marks import Marks
from app.analysis.state import State
from app.analysis.tables import Table
from app.sql.lock_levels import Mode
from app.sql.tree import Node, strings

_PARTITIONS_LOCKED_FOR_KEYS_SINCE = 18


def add(marks: Marks, table: Table, command: Node, reached: list[Table]) -> None:
    """ADD CONSTRAINT: locks at the other end of a foreign key; rows read, or an index built, unless that is put off."""
    constraint = command["def"]["Constraint"]
    contype, put_off = constraint.get("contype"), bool(constraint.get("skip_validation"))
    if contype == "CONSTR_FOREIGN":
        marks.lock_with_children(marks.state.table_of(constraint["pktable"]), "SHARE ROW EXCLUSIVE")
        if not put_off:
            marks.scan(*reached)
    elif contype in {"CONSTR_UNIQUE", "CONSTR_PRIMARY", "CONSTR_EXCLUSION"}:
        _add_index(marks, table, constraint, reached)
    elif contype == "CONSTR_NOTNULL" and not put_off:
        columns = strings(constraint.get("keys"))
        scanned = [table] if constraint.get("is_no_inherit") else reached
        marks.scan(*(each for each in scanned if not all(each.proves_not_null(name) for name in columns)))
    elif contype == "CONSTR_CHECK" and not put_off and constraint.get("is_enforced"):
        marks.scan(*([table] if constraint.get("is_no_inherit") else reached))


def _add_index(marks: Marks, table: Table, constraint: Node, reached: list[Table]) -> None:
    if constraint.get("indexname"):
        if primary_key_scans(marks.state, table, constraint):
            marks.scan(table)
        return
    marks.build(*(reached if table.is_partitioned else [table]))
    if constraint.get("contype") == "CONSTR_PRIMARY" and not table.is_partitioned:
        missing = [name for name in strings(constraint.get("keys")) if not table.proves_not_null(name)]
        marks.scan(*(reached[1:] if missing else ()))


def partition_mode(marks: Marks, partition: Table, command: Node) -> Mode | None:
    """The mode on a partition while ADD UNIQUE or ADD PRIMARY KEY builds its index; None for every other command.

    Older servers only keep writes out, unless the primary key makes a column NOT NULL (measured on 15, 17 and 18).
    """
    constraint = command.get("def", {}).get("Constraint", {})
    contype = constraint.get("contype")
    if contype not in {"CONSTR_UNIQUE", "CONSTR_PRIMARY"} or constraint.get("indexname"):
        return None
    proven = contype == "CONSTR_UNIQUE" or all(partition.proves_not_null(name) for name in strings(constraint.get("keys")))
    return "SHARE" if proven and marks.server_version < _PARTITIONS_LOCKED_FOR_KEYS_SINCE else "ACCESS EXCLUSIVE"


def primary_key_scans(state: State, table: Table, constraint: Node) -> bool:
    """True where PRIMARY KEY USING INDEX must first look for NULLs, because a column may hold them."""
    if constraint.get("contype") != "CONSTR_PRIMARY":
        return False
    _, index = state.index(str(constraint.get("indexname")))
    if index is None:
        return False
    return any(name is not None and not table.proves_not_null(name) for name in index.columns)


def validate(marks: Marks, table: Table, command: Node, reached: list[Table]) -> None:
    """VALIDATE CONSTRAINT reads the rows, and of a foreign key the other end; one that is valid already costs nothing."""
    found = table.constraints.get(str(command.get("name")))
    if found is not None and found.is_validated:
        return
    marks.scan(*reached)
    if found is not None and found.references:
        parent = marks.state.table(found.references)
        marks.lock(parent, "ROW SHARE")
        for child in marks.state.children(parent.name):
            marks.lock(child, "ACCESS SHARE")


def drop(marks: Marks, table: Table, command: Node, reached: list[Table]) -> None:
    """DROP CONSTRAINT: the other end of a foreign key too."""
    del reached
    found = table.constraints.get(str(command.get("name")))
    if found is None:
        return
    if found.references:
        marks.lock_with_children(marks.state.table(found.references), "ACCESS EXCLUSIVE")
    if command.get("behavior") == "DROP_CASCADE" and found.kind in {"primary key", "unique"}:
        for child, constraint in marks.state.referencing(table.name):
            if not constraint.referenced_columns or set(constraint.referenced_columns) == set(found.columns):
                marks.lock_with_children(child, "ACCESS EXCLUSIVE")


def alter(marks: Marks, table: Table, command: Node, reached: list[Table]) -> None:
    """ALTER CONSTRAINT: making a foreign key enforced reads the rows, making it not enforced locks the other end."""
    change = command["def"]["ATAlterConstraint"]
    found = table.constraints.get(str(change.get("conname")))
    if not change.get("alterEnforceability"):
        return
    is_enforced = bool(change.get("is_enforced"))
    if is_enforced:
        marks.scan(*reached)
    if found is not None and found.references:
        mode: Mode = "SHARE ROW EXCLUSIVE" if is_enforced else "ACCESS EXCLUSIVE"
        marks.lock_with_children(marks.state.table(found.references), mode)
