"""Commands on tables, partitions and views, and expressions, that PostgreSQL will refuse."""

from collections.abc import Callable, Iterator

from app.analysis.context import Context
from app.analysis.refusals.refusal import Refusal
from app.analysis.tables import Table
from app.analysis.users import container_users
from app.sql.builtin_functions import VOLATILE
from app.sql.names import from_strings
from app.sql.tree import Node, commands, find

_UNSUPPORTED, _NOT_IMMUTABLE, _DIFFERS = "0A000", "42P17", "42804"
#: functions of PostgreSQL that give another answer in another transaction
_STABLE = frozenset({"now", "transaction_timestamp", "statement_timestamp", "current_setting"})


def refusals(context: Context) -> Iterator[Refusal]:
    """The reasons that are neither a column's nor a constraint's own."""
    yield from _expressions(context)
    if context.kind == "RefreshMatViewStmt" and context.body.get("concurrent"):
        yield from _refresh(context.state.table_of(context.body["relation"]))
    elif context.kind == "AlterDomainStmt":
        yield from _domain(context)
    table = context.table
    if table is None or not table.is_known:
        return
    for command in commands(context.body):
        look = _LOOKS.get(str(command.get("subtype")))
        if look:
            yield from look(context, table, command)


def _refresh(view: Table) -> Iterator[Refusal]:
    keys = (index for index in view.indexes.values() if index.is_unique and index.is_valid)
    if view.is_known and not any(not index.has_predicate and None not in index.columns for index in keys):
        yield Refusal(sqlstate="55000", reason=f"{view.name} has no unique index without a WHERE, which CONCURRENTLY needs")


def _domain(context: Context) -> Iterator[Refusal]:
    body = context.body
    checks = body.get("subtype") in {"O", "V"} or (
        body.get("subtype") == "C" and not body.get("def", {}).get("Constraint", {}).get("skip_validation")
    )
    name = from_strings(body.get("typeName", ()))
    for table in container_users(context.state, name.rpartition(".")[2]) if checks else ():
        yield Refusal(sqlstate=_UNSUPPORTED, reason=f"a column of {table.name} is an array of {name}, which can't be checked")


def _expressions(context: Context) -> Iterator[Refusal]:
    """Subqueries in defaults and checks; what is computed from the time in generated columns and indexes."""
    if context.kind in {"AlterTableStmt", "CreateStmt"}:
        for constraint in find(context.statement.node, "Constraint"):
            kind = constraint.get("contype")
            expression = constraint.get("raw_expr", {})
            if kind in {"CONSTR_DEFAULT", "CONSTR_CHECK", "CONSTR_GENERATED"} and any(True for _ in find(expression, "SubLink")):
                word = {"CONSTR_DEFAULT": "a DEFAULT", "CONSTR_CHECK": "a CHECK"}.get(str(kind), "a generated column")
                yield Refusal(sqlstate=_UNSUPPORTED, reason=f"{word} can't hold a subquery", location=constraint.get("location"))
            if kind == "CONSTR_GENERATED":
                yield from _moves(context, expression, "a generated column")
    elif context.kind == "IndexStmt":
        parts = [entry["IndexElem"].get("expr") for entry in context.body.get("indexParams", ())]
        yield from _moves(context, [*filter(None, parts), context.body.get("whereClause", {})], "an index")


def _moves(context: Context, expression: Node | list[Node], what: str) -> Iterator[Refusal]:
    for call in find(expression, "FuncCall"):
        name = from_strings(call.get("funcname", ())).removeprefix("pg_catalog.")
        if name in VOLATILE | _STABLE and name not in context.state.functions:
            yield Refusal(sqlstate=_NOT_IMMUTABLE, reason=f"{name}() is not IMMUTABLE, so {what} can't use it")
            return
    for _ in find(expression, "SQLValueFunction"):
        yield Refusal(sqlstate=_NOT_IMMUTABLE, reason=f"the current time or user is not IMMUTABLE, so {what} can't use it")
        return


def _attach(context: Context, table: Table, command: Node) -> Iterator[Refusal]:
    child = context.state.table_of(command["def"]["PartitionCmd"]["name"])
    if child.is_new or not child.is_known:
        return
    if child.parents:
        yield Refusal(sqlstate="42809", reason=f"{child.name} has the parent {child.parents[0]} already")
    missing = [name for name in table.columns if name not in child.columns]
    surplus = [name for name in child.columns if name not in table.columns]
    if missing or surplus:
        yield Refusal(sqlstate=_DIFFERS, reason=f"{table.name} and {child.name} differ in {', '.join(missing or surplus)}")
    for name, column in table.columns.items():
        other = child.columns.get(name)
        if other is None:
            continue
        if column.type != other.type:
            yield Refusal(sqlstate=_DIFFERS, reason=f"{name} is {column.type} in {table.name} and {other.type} in {child.name}")
        elif column.not_null and not other.not_null:
            yield Refusal(
                sqlstate=_DIFFERS,
                reason=f"{name} is NOT NULL in {table.name} and may be NULL in {child.name}",
                safer="-- SET NOT NULL on the new partition first",
            )


def _set_unlogged(context: Context, table: Table, command: Node) -> Iterator[Refusal]:
    del command
    for child, constraint in context.state.referencing(table.name):
        if child.is_unlogged is False and child.name != table.name and not table.is_unlogged:
            yield Refusal(sqlstate="42P16", reason=f"the logged table {child.name} references {table.name} by {constraint.name}")
            return


def _set_logged(context: Context, table: Table, command: Node) -> Iterator[Refusal]:
    del command
    for constraint in table.constraints.values():
        parent = context.state.table(constraint.references) if constraint.references else None
        if parent is not None and parent.is_unlogged and parent.name != table.name and table.is_unlogged:
            yield Refusal(sqlstate="42P16", reason=f"{table.name} references the unlogged table {parent.name}")
            return


def _options(context: Context, table: Table, command: Node) -> Iterator[Refusal]:
    del context
    names = [element.get("defname") for element in find(command.get("def", {}), "DefElem")]
    if table.is_partitioned and names:
        yield Refusal(
            sqlstate="42809", reason=f"{table.name} is partitioned and has no storage: set {names[0]} on its partitions"
        )


def _inherit(context: Context, table: Table, command: Node) -> Iterator[Refusal]:
    parent = context.state.table_of(command["def"]["RangeVar"])
    missing = [name for name in parent.columns if name not in table.columns]
    if parent.is_known and missing:
        yield Refusal(sqlstate=_DIFFERS, reason=f"{table.name} lacks the columns {', '.join(missing)} of {parent.name}")
    elif table.is_partitioned or parent.is_partitioned:
        yield Refusal(sqlstate="42809", reason="a partitioned table can't take part in inheritance")


_LOOKS: dict[str, Callable[[Context, Table, Node], Iterator[Refusal]]] = {
    "AT_AttachPartition": _attach,
    "AT_SetUnLogged": _set_unlogged,
    "AT_SetLogged": _set_logged,
    "AT_SetRelOptions": _options,
    "AT_AddInherit": _inherit,
}
