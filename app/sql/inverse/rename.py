"""RENAME and SET SCHEMA: the same statement with the names exchanged."""

from app.sql.inverse.functions import sql_type
from app.sql.inverse.known import Known, dotted, parts_of
from app.sql.inverse.undo import Undo, exact, manual, nothing
from app.sql.names import quote_identifier
from app.sql.split import Statement
from app.sql.tree import Node, strings

_RELATIONS = {
    "OBJECT_TABLE": "TABLE",
    "OBJECT_INDEX": "INDEX",
    "OBJECT_VIEW": "VIEW",
    "OBJECT_MATVIEW": "MATERIALIZED VIEW",
    "OBJECT_SEQUENCE": "SEQUENCE",
    "OBJECT_FOREIGN_TABLE": "FOREIGN TABLE",
    "OBJECT_TYPE": "TYPE",
}
_OF_RELATION = {"OBJECT_TRIGGER": "TRIGGER", "OBJECT_POLICY": "POLICY", "OBJECT_RULE": "RULE"}
_BY_OBJECT = {
    "OBJECT_TYPE": "TYPE",
    "OBJECT_DOMAIN": "DOMAIN",
    "OBJECT_STATISTIC_EXT": "STATISTICS",
    "OBJECT_COLLATION": "COLLATION",
}
_FUNCTIONS = {"OBJECT_FUNCTION": "FUNCTION", "OBJECT_PROCEDURE": "PROCEDURE"}


def undo_rename(statement: Statement, known: Known) -> Undo:
    """ALTER ... RENAME of relations, columns, constraints, triggers, policies, types, functions and schemas."""
    body = statement.body
    if body.get("missing_ok"):
        found = _exists(body, known)
        if found is None:
            return manual("The object may not be there (IF EXISTS): only the catalog can tell.")
        if not found:
            return nothing("The object is not there: the statement does nothing.")
    back = _renamed_back(body, known)
    return manual("There is no rule for undoing this rename.") if back is None else exact(back)


def _exists(body: Node, known: Known) -> bool | None:
    if "relation" not in body or known.schema is None:
        return None
    if body.get("renameType") == "OBJECT_INDEX":
        parts = parts_of({"RangeVar": body["relation"]})
        return known.index(known.index_key(parts)) is not None
    return known.relation_exists(known.key(body["relation"]))


def _renamed_back(body: Node, known: Known) -> str | None:  # noqa: PLR0911 - one return for each form of the statement
    kind, new, old = str(body.get("renameType")), str(body.get("newname")), str(body.get("subname", ""))
    if kind == "OBJECT_SCHEMA":
        return f"ALTER SCHEMA {quote_identifier(new)} RENAME TO {quote_identifier(old)}"
    if kind in {"OBJECT_COLUMN", "OBJECT_ATTRIBUTE", "OBJECT_TABCONSTRAINT"}:
        return _part_renamed_back(body, known, kind)
    if kind in _OF_RELATION and "relation" in body:
        table = known.sql(body["relation"])
        return f"ALTER {_OF_RELATION[kind]} {quote_identifier(new)} ON {table} RENAME TO {quote_identifier(old)}"
    if kind == "OBJECT_DOMCONSTRAINT":
        domain = dotted(parts_of(body["object"]))
        return f"ALTER DOMAIN {domain} RENAME CONSTRAINT {quote_identifier(new)} TO {quote_identifier(old)}"
    if kind in _RELATIONS and "relation" in body:
        return _relation_renamed_back(body, known, kind)
    if kind in _BY_OBJECT and "object" in body:
        parts = parts_of(body["object"])
        return f"ALTER {_BY_OBJECT[kind]} {dotted((*parts[:-1], new))} RENAME TO {quote_identifier(parts[-1])}"
    if kind in _FUNCTIONS:
        return _function_renamed_back(body["object"]["ObjectWithArgs"], _FUNCTIONS[kind], new)
    return None


def _relation_renamed_back(body: Node, known: Known, kind: str) -> str:
    relation = body["relation"]
    namespace = relation.get("schemaname", "")
    if not namespace and known.schema is not None and (found := known.schema.resolve(relation["relname"])):
        namespace = found.partition(".")[0]
    after = dotted((namespace, body["newname"]) if namespace else (body["newname"],))
    return f"ALTER {_RELATIONS[kind]} {after} RENAME TO {quote_identifier(relation['relname'])}"


def _part_renamed_back(body: Node, known: Known, kind: str) -> str:
    word = {"OBJECT_COLUMN": "COLUMN", "OBJECT_ATTRIBUTE": "ATTRIBUTE", "OBJECT_TABCONSTRAINT": "CONSTRAINT"}[kind]
    owner = _RELATIONS.get(str(body.get("relationType")), "TABLE")
    new, old = quote_identifier(body["newname"]), quote_identifier(body["subname"])
    cascade = " CASCADE" if kind == "OBJECT_ATTRIBUTE" and body.get("behavior") == "DROP_CASCADE" else ""
    return f"ALTER {owner} {known.sql(body['relation'])} RENAME {word} {new} TO {old}{cascade}"


def _function_renamed_back(function: Node, word: str, new: str) -> str | None:
    if function.get("args_unspecified"):
        return None
    name = strings(function.get("objname"))
    arguments = ", ".join(sql_type(item["TypeName"]) for item in function.get("objargs", ()))
    return f"ALTER {word} {dotted((*name[:-1], new))}({arguments}) RENAME TO {quote_identifier(name[-1])}"


def undo_set_schema(statement: Statement, known: Known) -> Undo:
    """ALTER ... SET SCHEMA of a relation or a type."""
    body = statement.body
    word = _RELATIONS.get(str(body.get("objectType"))) or _BY_OBJECT.get(str(body.get("objectType")))
    parts = parts_of({"RangeVar": body["relation"]} if "relation" in body else body.get("object", {}))
    if word is None or not parts or body.get("missing_ok"):
        return manual("There is no rule for undoing this move.")
    namespace = parts[0] if len(parts) > 1 else ""
    if not namespace and known.schema is not None and (found := known.schema.resolve(parts[-1])):
        namespace = found.partition(".")[0]
    if not namespace:
        return manual("Which schema it was in is known to the catalog only: write the name with its schema.")
    return exact(f"ALTER {word} {dotted((body['newschema'], parts[-1]))} SET SCHEMA {quote_identifier(namespace)}")
