"""What a statement changes in what is known of the database, so that the next one is judged by it."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from app.catalog.records import Index
from app.sql.inverse.drop import dropped_keys
from app.sql.inverse.follow_alter import follow_alter
from app.sql.inverse.functions import made_function_key
from app.sql.inverse.known import Known, parts_of
from app.sql.inverse.pieces import without_concurrently
from app.sql.split import Statement
from app.sql.tree import constant, find, strings

#: kinds that change nothing that inverses are made of
_INERT = frozenset(
    {
        "CheckPointStmt",
        "ConstraintsSetStmt",
        "CopyStmt",
        "DeleteStmt",
        "DiscardStmt",
        "InsertStmt",
        "LockStmt",
        "MergeStmt",
        "NotifyStmt",
        "RefreshMatViewStmt",
        "ReindexStmt",
        "TransactionStmt",
        "TruncateStmt",
        "UpdateStmt",
        "VacuumStmt",
        "VariableShowStmt",
    }
)


def follow(statement: Statement, known: Known) -> Known:
    """What is known after the statement; what it changes in a way that is not followed counts as unknown from then on."""
    step = _BY_KIND.get(statement.kind)
    if step is not None:
        return step(statement, known)
    if statement.kind in _INERT or (statement.kind == "SelectStmt" and "intoClause" not in statement.body):
        return known
    # DO blocks, CALL and what has no rule may have changed anything; what was made stays made
    return replace(known, schema=None)


def _table(statement: Statement, known: Known) -> Known:
    body = statement.body.get("base", statement.body)
    name = (
        body.get("relation") or body.get("into", {}).get("rel") or body.get("view") or body.get("sequence") or body.get("typevar")
    )
    key = known.key(name)
    existed = known.relation_exists(key)
    if body.get("replace"):
        return known.with_stale(key, "all") if existed is not False else known.with_made("table", key)
    if body.get("if_not_exists") and existed is not False:
        return known
    return known.with_made("table", key)


def _index(statement: Statement, known: Known) -> Known:
    body = statement.body
    key = known.key(body["relation"])
    relation = known.relation(key)
    if "idxname" not in body or relation is None:
        return known.with_stale(key, "indexes")
    name = f"{key.rpartition('.')[0]}.{body['idxname']}"
    if known.index(name) is not None:
        return known
    made = Index(
        name=name,
        relation=key,
        definition=without_concurrently(statement.text),
        columns=tuple(item["IndexElem"].get("name") for item in body.get("indexParams", ())),
        is_unique=bool(body.get("unique")),
        depends_on=tuple(field for reference in find(body, "ColumnRef") for field in strings(reference.get("fields"))),
    )
    return known.with_relation(key, indexes=(*relation.indexes, made)).with_made("index", name)


def _drop(statement: Statement, known: Known) -> Known:
    kind = str(statement.body.get("removeType"))
    if statement.body.get("behavior") == "DROP_CASCADE":
        return replace(known, schema=None)
    if kind in {"OBJECT_TABLE", "OBJECT_VIEW", "OBJECT_MATVIEW"}:
        for key in dropped_keys(statement, known):
            known = known.without_relation(key)
        return known
    if kind == "OBJECT_INDEX":
        for entry in statement.body.get("objects", ()):
            index = known.index(known.index_key(parts_of(entry)))
            relation = known.relation(index.relation) if index is not None else None
            if index is not None and relation is not None:
                rest = tuple(item for item in relation.indexes if item.name != index.name)
                known = replace(known.with_relation(relation.name, indexes=rest), made=known.made - {("index", index.name)})
        return known
    return replace(known, schema=None)


def _rename(statement: Statement, known: Known) -> Known:
    body = statement.body
    if "relation" not in body:
        return replace(known, schema=None)
    key = known.key(body["relation"])
    relation = known.relation(key)
    kind = body.get("renameType")
    if kind == "OBJECT_COLUMN" and relation is not None:
        columns = tuple(
            replace(column, name=body["newname"]) if column.name == body["subname"] else column for column in relation.columns
        )
        # definitions of indexes and constraints name the column
        return known.with_relation(key, columns=columns, indexes=(), constraints=(), dependents=()).with_stale(key, "constraints")
    if kind == "OBJECT_TABLE":
        new = f"{key.rpartition('.')[0]}.{body['newname']}" if "." in key else str(body["newname"])
        if known.is_made("table", key):
            return known.without_relation(key).with_made("table", new)
        return known.with_stale(key, "all").with_stale(new, "all")
    return known.with_stale(key, "all")


def _set_schema(_statement: Statement, known: Known) -> Known:
    return replace(known, schema=None)


def _on_table(field: str, aspect: str, made: str = "") -> Callable[[Statement, Known], Known]:
    def step(statement: Statement, known: Known) -> Known:
        key = known.key(statement.body[field])
        known = known.with_stale(key, aspect)
        return known.with_made(made, key) if made else known

    return step


def _comment(statement: Statement, known: Known) -> Known:
    parts = parts_of(statement.body.get("object", {}))
    if statement.body.get("objtype") in {"OBJECT_COLUMN", "OBJECT_TABCONSTRAINT"}:
        parts, member = parts[:-1], parts[-1]
    else:
        member = ""
    if not parts:
        return known
    return known.with_stale(known.key_of(parts[0] if len(parts) > 1 else "", parts[-1]), f"comment {member}")


def _function(statement: Statement, known: Known) -> Known:
    key = made_function_key(statement)
    if known.schema is None:
        return known if statement.body.get("replace") else known.with_made("function", key)
    same = [
        signature
        for signature in known.schema.functions
        if signature.partition("(")[0].endswith(strings(statement.body["funcname"])[-1])
    ]
    for signature in same:
        known = known.with_stale(signature, "function")
    return known if same else known.with_made("function", key)


def _setting(statement: Statement, known: Known) -> Known:
    """SET search_path: unqualified names mean something else from then on."""
    body = statement.body
    if body.get("name") != "search_path" and body.get("kind") != "VAR_RESET_ALL":
        return known
    names = [constant(argument) for argument in body.get("args", ())]
    if body.get("kind") != "VAR_SET_VALUE" or not names or not all(isinstance(name, str) and name for name in names):
        # what the session began with is not followed any more
        return replace(known, schema=None, home="")
    path = tuple(str(name) for name in names)
    schema = replace(known.schema, search_path=path) if known.schema is not None else None
    return replace(known, schema=schema, home=path[0])


def _grant(statement: Statement, known: Known) -> Known:
    for item in statement.body.get("objects", ()):
        if "RangeVar" in item:
            known = known.with_stale(known.key(item["RangeVar"]), "grants")
    return known


def _type_made(_statement: Statement, known: Known) -> Known:
    return known


def _type_changed(statement: Statement, known: Known) -> Known:
    name = ".".join(strings(statement.body["typeName"]))
    return known.with_stale(name, "type") if "." in name else known.with_stale(known.key_of("", name), "type")


_BY_KIND: Mapping[str, Callable[[Statement, Known], Known]] = {
    "AlterDomainStmt": _type_changed,
    "AlterEnumStmt": _type_changed,
    "AlterObjectSchemaStmt": _set_schema,
    "AlterPolicyStmt": _on_table("table", "policies"),
    "AlterSeqStmt": _on_table("sequence", "sequence"),
    "AlterTableStmt": follow_alter,
    "CommentStmt": _comment,
    "CompositeTypeStmt": _table,
    "CreateDomainStmt": _type_made,
    "CreateEnumStmt": _type_made,
    "CreateExtensionStmt": _type_made,
    "CreateForeignTableStmt": _table,
    "CreateFunctionStmt": _function,
    "CreatePolicyStmt": _on_table("table", "policies"),
    "CreatePublicationStmt": _type_made,
    "CreateSchemaStmt": _type_made,
    "CreateSeqStmt": _table,
    "CreateStatsStmt": _type_made,
    "CreateStmt": _table,
    "CreateTableAsStmt": _table,
    "CreateTrigStmt": _on_table("relation", "triggers", made="trigger"),
    "DropStmt": _drop,
    "GrantStmt": _grant,
    "IndexStmt": _index,
    "RenameStmt": _rename,
    "VariableSetStmt": _setting,
    "ViewStmt": _table,
}
