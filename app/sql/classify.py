"""A statement -> what kind of thing it does, to which relations, and whether it may run inside a transaction."""

from collections.abc import Callable
from dataclasses import dataclass

from app.sql.command_names import NAMES, OBJECT_NAMES
from app.sql.names import from_object
from app.sql.relations import in_order
from app.sql.split import Statement
from app.sql.tree import Node, commands, find, option

_DML = ("InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt")
_QUERIES = frozenset({"SelectStmt", "ExplainStmt", "VariableShowStmt", "CopyStmt"})
_NOT_DDL = frozenset(
    {
        "VariableSetStmt",
        "DiscardStmt",
        "ListenStmt",
        "UnlistenStmt",
        "NotifyStmt",
        "PrepareStmt",
        "DeallocateStmt",
        "ExecuteStmt",
        "DoStmt",
        "CallStmt",
        "TransactionStmt",
        "LockStmt",
        "VacuumStmt",
        "CheckPointStmt",
        "ConstraintsSetStmt",
        "FetchStmt",
        "DeclareCursorStmt",
        "ClosePortalStmt",
    }
)
#: refused inside a transaction block whatever their options
_NEVER_TRANSACTIONAL = frozenset(
    {
        "CreatedbStmt",
        "DropdbStmt",
        "CreateTableSpaceStmt",
        "DropTableSpaceStmt",
        "AlterSystemStmt",
        "AlterDatabaseRefreshCollStmt",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What a statement is, judged by its tree alone."""

    #: as PostgreSQL's manual names it: ``ALTER TABLE``
    command: str
    #: relations as written, the one it changes first; of an index statement the table where it names one
    relations: tuple[str, ...]
    #: indexes as written that it makes, drops, rebuilds or renames
    indexes: tuple[str, ...]
    is_transactional: bool
    is_ddl: bool
    is_dml: bool
    is_query: bool
    #: BEGIN, COMMIT, ROLLBACK, SAVEPOINT
    is_transaction_control: bool
    #: True where what it does is not in its text: DO, CALL, EXECUTE
    is_opaque: bool


def classify(statement: Statement) -> Effect:
    """What the statement does; an empty tree is opaque."""
    kind, body = statement.kind, statement.body
    is_control = kind == "TransactionStmt"
    is_dml = kind in _DML or (kind in _QUERIES and any(find(body, *_DML))) or (kind == "CopyStmt" and bool(body.get("is_from")))
    is_query = kind in _QUERIES and not is_dml and "intoClause" not in body
    indexes = _indexes(kind, body)
    return Effect(
        command=command_of(kind, body),
        relations=tuple(name for name in in_order(statement.node) if name not in indexes),
        indexes=indexes,
        is_transactional=is_transactional(kind, body),
        is_ddl=bool(kind) and not (is_dml or is_query or kind in _NOT_DDL),
        is_dml=is_dml,
        is_query=is_query,
        is_transaction_control=is_control,
        is_opaque=kind in {"", "DoStmt", "CallStmt", "ExecuteStmt"},
    )


def is_transactional(kind: str, body: Node) -> bool:
    """False for what PostgreSQL refuses inside a transaction block.

    Source: "cannot be executed inside a transaction block" on the manual pages of these commands.
    """
    if kind in _NEVER_TRANSACTIONAL:
        return False
    if body.get("concurrent"):
        return kind == "RefreshMatViewStmt"
    refuses = _SOMETIMES_REFUSED.get(kind)
    return refuses is None or not refuses(body)


def _reindex_refuses(body: Node) -> bool:
    whole = {"REINDEX_OBJECT_SCHEMA", "REINDEX_OBJECT_SYSTEM", "REINDEX_OBJECT_DATABASE"}
    return option(body.get("params"), "concurrently") or body.get("kind") in whole


_SOMETIMES_REFUSED: dict[str, Callable[[Node], bool]] = {
    "ReindexStmt": _reindex_refuses,
    "VacuumStmt": lambda body: bool(body.get("is_vacuumcmd")),
    "ClusterStmt": lambda body: "relation" not in body,
    "AlterTableStmt": lambda body: any(detaches_concurrently(command) for command in commands(body)),
    "AlterDatabaseStmt": lambda body: any(element.get("defname") == "tablespace" for element in find(body, "DefElem")),
}


def detaches_concurrently(command: Node) -> bool:
    """True for DETACH PARTITION ... CONCURRENTLY."""
    partition = command.get("def", {}).get("PartitionCmd", {})
    return command.get("subtype") == "AT_DetachPartition" and bool(partition.get("concurrent"))


def command_of(kind: str, body: Node) -> str:
    """The command's name in PostgreSQL's manual."""
    named = _NAMED_BY_CONTENT.get(kind)
    return named(body) if named else NAMES.get(kind, kind.removesuffix("Stmt").upper() or "UNKNOWN")


def _alter_name(body: Node) -> str:
    return f"ALTER {_object(_altered(body))}"


def _transaction_name(body: Node) -> str:
    name = str(body.get("kind", "TRANS_STMT_BEGIN")).removeprefix("TRANS_STMT_").replace("_", " ")
    return {"START": "START TRANSACTION", "PREPARE": "PREPARE TRANSACTION", "RELEASE": "RELEASE SAVEPOINT"}.get(name, name)


_NAMED_BY_CONTENT: dict[str, Callable[[Node], str]] = {
    "SelectStmt": lambda body: "SELECT INTO" if "intoClause" in body else "SELECT",
    "DropStmt": lambda body: f"DROP {_object(body.get('removeType'))}",
    "AlterTableStmt": _alter_name,
    "RenameStmt": _alter_name,
    "AlterObjectSchemaStmt": _alter_name,
    "AlterOwnerStmt": _alter_name,
    "AlterObjectDependsStmt": _alter_name,
    "TransactionStmt": _transaction_name,
    "VariableSetStmt": lambda body: "RESET" if str(body.get("kind", "")).startswith("VAR_RESET") else "SET",
    "VacuumStmt": lambda body: "VACUUM" if body.get("is_vacuumcmd") else "ANALYZE",
    "CreateTableAsStmt": lambda body: (
        "CREATE MATERIALIZED VIEW" if body.get("objtype") == "OBJECT_MATVIEW" else "CREATE TABLE AS"
    ),
    "GrantStmt": lambda body: "GRANT" if body.get("is_grant") else "REVOKE",
    "GrantRoleStmt": lambda body: "GRANT" if body.get("is_grant") else "REVOKE",
    "DefineStmt": lambda body: f"CREATE {_object(body.get('kind'))}",
    "CreateFunctionStmt": lambda body: "CREATE PROCEDURE" if body.get("is_procedure") else "CREATE FUNCTION",
}


def _altered(body: Node) -> str | None:
    """The object type that an ALTER names first; a column, constraint or attribute belongs to its relation."""
    objtype = body.get("objtype") or body.get("objectType") or body.get("renameType")
    if objtype == "OBJECT_COLUMN":
        return str(body.get("relationType") or "OBJECT_TABLE")
    owners = {"OBJECT_ATTRIBUTE": "OBJECT_TYPE", "OBJECT_DOMCONSTRAINT": "OBJECT_DOMAIN", "OBJECT_TABCONSTRAINT": "OBJECT_TABLE"}
    return owners.get(str(objtype), str(objtype))


def _object(objtype: str | None) -> str:
    return OBJECT_NAMES.get(str(objtype), str(objtype).removeprefix("OBJECT_").replace("_", " "))


def _indexes(kind: str, body: Node) -> tuple[str, ...]:
    """The indexes that a statement names, as written."""
    if kind == "IndexStmt":
        return (body["idxname"],) if "idxname" in body else ()
    if kind == "DropStmt" and body.get("removeType") == "OBJECT_INDEX":
        return tuple(from_object(entry) for entry in body.get("objects", ()))
    is_index = "OBJECT_INDEX" in {body.get("objtype"), body.get("renameType")} or body.get("kind") == "REINDEX_OBJECT_INDEX"
    return in_order(body) if is_index else ()
