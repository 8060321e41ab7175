"""How each statement changes what is known: the state after it, for the statements that follow."""

from collections.abc import Callable, Iterable
from typing import TypeVar

from app.analysis.advance_alter import alter_table
from app.analysis.advance_tables import create_table, index_from
from app.analysis.domains import domain_of
from app.analysis.functions import facts_of
from app.analysis.state import DomainFacts, Held, State, Transaction
from app.analysis.tables import ColumnFacts, ConstraintFacts, Table
from app.sql.lock_levels import MODES
from app.sql.names import from_object, from_range_var, from_strings, from_type_name
from app.sql.tree import Node, constant, find, strings

_F = TypeVar("_F", ColumnFacts, ConstraintFacts)


def advance(state: State, kind: str, body: Node) -> None:
    """Change ``state`` to what holds after the statement."""
    change = _CHANGES.get(kind)
    if change:
        change(state, body)


def hold(state: State, locks: Iterable[Held]) -> None:
    """Keep the locks of a statement until the open transaction ends."""
    if state.transaction:
        known = {(lock.relation, lock.mode) for lock in state.transaction.held}
        state.transaction.held.extend(
            lock for lock in locks if MODES.index(lock.mode) >= MODES.index("SHARE") and (lock.relation, lock.mode) not in known
        )


def _create(state: State, body: Node) -> None:
    create_table(state, body)


def _create_as(state: State, body: Node) -> None:
    target = body.get("into", body.get("intoClause", {})).get("rel")
    if target:
        kind = "materialized view" if body.get("objtype") == "OBJECT_MATVIEW" else "table"
        _add_new(state, target, kind)


def _add_new(state: State, node: Node, kind: str) -> Table:
    schema = node.get("schemaname") or ("pg_temp" if node.get("relpersistence") == "t" else state.creation_schema)
    name = f"{schema}.{node['relname']}"
    table = Table(name=name, kind=kind, is_new=True)
    state.tables[name] = table
    state.removed.discard(name)
    return table


def _view(state: State, body: Node) -> None:
    if state.exists(from_range_var(body["view"])) is not True:
        _add_new(state, body["view"], "view")
    else:
        state.redefined.add(state.qualify(from_range_var(body["view"])))


def _sequence(state: State, body: Node) -> None:
    if state.exists(from_range_var(body["sequence"])) is not True:
        _add_new(state, body["sequence"], "sequence")


def _index(state: State, body: Node) -> None:
    table = state.table_of(body["relation"])
    index = index_from(table, body)
    if index.name not in table.indexes:
        state.add_index(table, index)


def _drop(state: State, body: Node) -> None:
    kind = str(body.get("removeType"))
    for entry in body.get("objects", ()):
        name = from_object(entry)
        if kind == "OBJECT_INDEX":
            table, index = state.index(name)
            if table and index:
                del table.indexes[index.name]
        elif kind in {"OBJECT_TABLE", "OBJECT_VIEW", "OBJECT_MATVIEW", "OBJECT_FOREIGN_TABLE", "OBJECT_SEQUENCE"}:
            _remove(state, state.qualify(name))
        elif kind == "OBJECT_POLICY":
            parts = strings(entry["List"].get("items", ()))
            state.table(".".join(parts[:-1])).policies.pop(parts[-1], None)
        elif kind == "OBJECT_SCHEMA":
            known = (*state.schema.relations, *state.schema.sequences) if state.schema else ()
            for relation in [found for found in (*state.tables, *known) if found.startswith(f"{name}.")]:
                _remove(state, relation)


def _remove(state: State, name: str) -> None:
    table = state.tables.pop(name, None)
    for parent in table.parents if table else ():
        state.remove_child(parent, Table(name=name, parents=(parent,)))
    state.removed.add(name)


def _rename(state: State, body: Node) -> None:
    kind = str(body.get("renameType"))
    new = str(body.get("newname"))
    if "relation" not in body:
        return
    if kind == "OBJECT_INDEX":
        table, index = state.index(from_range_var(body["relation"]))
        if table and index:
            del table.indexes[index.name]
            index.name = f"{index.name.rpartition('.')[0]}.{new}"
            state.add_index(table, index)
        return
    table = state.table_of(body["relation"])
    if kind == "OBJECT_COLUMN":
        _rename_key(table.columns, str(body.get("subname")), new)
    elif kind == "OBJECT_TABCONSTRAINT":
        _rename_key(table.constraints, str(body.get("subname")), new)
    elif kind in {"OBJECT_TABLE", "OBJECT_VIEW", "OBJECT_MATVIEW", "OBJECT_SEQUENCE"}:
        _move(state, table, f"{table.name.rpartition('.')[0]}.{new}")


def _rename_key(facts: dict[str, _F], old: str, new: str) -> None:
    found = facts.pop(old, None)
    if found is not None:
        found.name = new
        facts[new] = found


def _move(state: State, table: Table, name: str) -> None:
    state.tables.pop(table.name, None)
    state.removed.add(table.name)
    state.removed.discard(name)
    for index in table.indexes.values():
        state.add_index(table, index)
    table.name = name
    state.tables[name] = table
    for index in table.indexes.values():
        state.add_index(table, index)


def _set_schema(state: State, body: Node) -> None:
    if body.get("objectType") in {"OBJECT_TABLE", "OBJECT_VIEW", "OBJECT_MATVIEW", "OBJECT_SEQUENCE"} and "relation" in body:
        table = state.table_of(body["relation"])
        _move(state, table, f"{body.get('newschema')}.{table.name.rpartition('.')[2]}")


def _truncate(state: State, body: Node) -> None:
    for relation in body.get("relations", ()):
        state.table_of(relation["RangeVar"]).is_empty = True


def _delete(state: State, body: Node) -> None:
    if "whereClause" not in body and "usingClause" not in body:
        state.table_of(body["relation"]).is_empty = True


def _insert(state: State, body: Node) -> None:
    state.table_of(body["relation"]).is_empty = False


def _policy(state: State, body: Node) -> None:
    state.table_of(body["table"]).policies[str(body.get("policy_name"))] = ""


def _trigger(state: State, body: Node) -> None:
    state.table_of(body["relation"]).triggers[str(body.get("trigname"))] = ""


def _domain(state: State, body: Node) -> None:
    checking = {"CONSTR_CHECK", "CONSTR_NOTNULL"}
    constraints = find(body.get("constraints", []), "Constraint")
    state.domains[from_strings(body.get("domainname", ()))] = DomainFacts(
        base_type=from_type_name(body["typeName"]),
        is_checked=any(constraint.get("contype") in checking for constraint in constraints),
    )


def _alter_domain(state: State, body: Node) -> None:
    if body.get("subtype") in {"C", "O"}:
        name = from_strings(body.get("typeName", ()))
        known = domain_of(state, name)
        state.domains[name] = DomainFacts(base_type=known.base_type if known else None, is_checked=True)


def _new_type(state: State, body: Node) -> None:
    name = from_strings(body.get("typeName", ()))
    state.new_types.add(name)
    state.enum_labels[name.rpartition(".")[2]] = strings(body.get("vals"))


def _enum_value(state: State, body: Node) -> None:
    name = from_strings(body.get("typeName", ()))
    if state.transaction and name not in state.new_types and "oldVal" not in body:
        state.transaction.new_labels[str(body.get("newVal"))] = name
    labels = state.enum_labels.get(name.rpartition(".")[2])
    if labels is not None and "oldVal" not in body:
        state.enum_labels[name.rpartition(".")[2]] = (*labels, str(body.get("newVal")))


def _function(state: State, body: Node) -> None:
    name = from_strings(body.get("funcname", ())).rpartition(".")[2]
    state.functions[name] = facts_of(body)


def _transaction(state: State, body: Node) -> None:
    kind = str(body.get("kind", "TRANS_STMT_BEGIN")).removeprefix("TRANS_STMT_")
    if kind in {"BEGIN", "START"}:
        state.transaction = state.transaction or Transaction(began="BEGIN")
    elif kind in {"COMMIT", "ROLLBACK", "PREPARE"}:
        if kind == "ROLLBACK":
            state.restore("")
        state.saved.clear()
        state.transaction = Transaction(began=kind) if body.get("chain") else None
        state.local_settings.clear()
    elif kind == "ROLLBACK_TO":
        state.restore(str(body.get("savepoint_name")))


def _set(state: State, body: Node) -> None:
    kind, name = str(body.get("kind", "")), str(body.get("name", "")).lower()
    if kind == "VAR_RESET_ALL":
        state.settings.clear()
        state.local_settings.clear()
        return
    values = [str(constant(argument)) for argument in body.get("args", ())]
    settings = state.local_settings if body.get("is_local") else state.settings
    if kind == "VAR_SET_VALUE":
        settings[name] = ", ".join(values)
    else:
        settings.pop(name, None)
    if name == "search_path":
        default = list(state.schema.search_path) if state.schema else ["public"]
        state.search_path = [value for value in values if value] or default


def _schema(state: State, body: Node) -> None:
    """CREATE SCHEMA with the objects that follow in the same statement: they are made in it."""
    before, name = state.search_path, str(body.get("schemaname") or body.get("authrole", {}).get("rolename", "public"))
    if not body.get("if_not_exists"):
        state.new_schemas.add(name)
    state.search_path = [name, *before]
    for element in body.get("schemaElts", ()):
        for kind, inner in element.items():
            advance(state, kind, inner)
    state.search_path = before


_CHANGES: dict[str, Callable[[State, Node], None]] = {
    "CreateStmt": _create,
    "CreateForeignTableStmt": lambda state, body: _create(state, body.get("base", body.get("base_stmt", body))),
    "CreateTableAsStmt": _create_as,
    "SelectStmt": _create_as,
    "ViewStmt": _view,
    "CreateSeqStmt": _sequence,
    "AlterTableStmt": alter_table,
    "IndexStmt": _index,
    "DropStmt": _drop,
    "RenameStmt": _rename,
    "AlterObjectSchemaStmt": _set_schema,
    "TruncateStmt": _truncate,
    "DeleteStmt": _delete,
    "InsertStmt": _insert,
    "CreatePolicyStmt": _policy,
    "CreateTrigStmt": _trigger,
    "CreateDomainStmt": _domain,
    "CreateSchemaStmt": _schema,
    "AlterDomainStmt": _alter_domain,
    "CreateEnumStmt": _new_type,
    "AlterEnumStmt": _enum_value,
    "CreateFunctionStmt": _function,
    "TransactionStmt": _transaction,
    "VariableSetStmt": _set,
}
