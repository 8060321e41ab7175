"""CREATE -> DROP, where it is certain that the statement made something and that only this has to go."""

from collections.abc import Callable

from app.sql.inverse.chosen_names import chosen_index_name
from app.sql.inverse.known import Known, dotted, parts_of
from app.sql.inverse.undo import Undo, exact, loses, manual, nothing
from app.sql.names import quote_identifier
from app.sql.split import Statement
from app.sql.tree import Node, option, strings

_ROWS_GO = "Rows written to it since are lost."
_TEMPORARY = "t"


def undo_create_table(statement: Statement, known: Known) -> Undo:
    """CREATE TABLE, in all its forms."""
    body = statement.body.get("base", statement.body)
    return _relation(
        body["relation"], known, "FOREIGN TABLE" if "base" in statement.body else "TABLE", bool(body.get("if_not_exists"))
    )


def undo_create_table_as(statement: Statement, known: Known) -> Undo:
    """CREATE TABLE AS, CREATE MATERIALIZED VIEW."""
    body = statement.body
    word = "MATERIALIZED VIEW" if body.get("objtype") == "OBJECT_MATVIEW" else "TABLE"
    return _relation(body["into"]["rel"], known, word, bool(body.get("if_not_exists")))


def _relation(name: Node, known: Known, word: str, if_not_exists: bool) -> Undo:
    if name.get("relpersistence") == _TEMPORARY:
        return nothing("A temporary table goes with its session.")
    if if_not_exists and (found := _found(known.relation_exists(known.key(name)), f"The {word.lower()}")) is not None:
        return found
    drop = f"DROP {word} {known.sql(name)}"
    return exact(drop) if word == "MATERIALIZED VIEW" else loses(drop, reason=_ROWS_GO)


def _found(exists: bool | None, what: str) -> Undo | None:
    """The answer to IF NOT EXISTS where the statement did nothing or nobody knows; None where it made something."""
    if exists is None:
        return manual(f"{what} may have been there before (IF NOT EXISTS): only the catalog can tell.")
    return nothing(f"{what} was there before: the statement does nothing.") if exists else None


def undo_create_index(statement: Statement, known: Known) -> Undo:
    """CREATE INDEX, with the name that PostgreSQL chooses where none is given."""
    body = statement.body
    key = known.key(body["relation"])
    if body["relation"].get("inh", False) and _has_own_indexes(known, key):
        return manual(
            "A partition has indexes of its own that the new index may take over: only a person can tell which to drop."
        )
    if "idxname" not in body:
        return _undo_nameless_index(body, known, key)
    namespace = key.rpartition(".")[0]
    if body.get("if_not_exists"):
        exists = None if known.schema is None or not namespace else known.relation_exists(f"{namespace}.{body['idxname']}")
        if (found := _found(exists, "The index")) is not None:
            return found
    return exact(_drop_index(body, namespace, str(body["idxname"])))


def _undo_nameless_index(body: Node, known: Known, key: str) -> Undo:
    if known.is_made("table", key):
        return nothing(f"The index goes with {key}, which the same plan makes.")
    name = chosen_index_name(known, key, body)
    if name is None:
        return manual("The index has no name: name the index, so that it can be dropped by it.")
    return exact(_drop_index(body, key.rpartition(".")[0], name))


def _drop_index(body: Node, namespace: str, name: str) -> str:
    concurrently = "CONCURRENTLY " if body.get("concurrent") else ""
    return f"DROP INDEX {concurrently}{dotted((namespace, name) if namespace else (name,))}"


def _has_own_indexes(known: Known, key: str) -> bool:
    return any(child.indexes or _has_own_indexes(known, child.name) for child in known.children(key) if child.partition_bound)


def undo_create_view(statement: Statement, known: Known) -> Undo:
    """CREATE VIEW; with OR REPLACE the view that was there comes back where its columns are the same."""
    body = statement.body
    name = body["view"]
    if name.get("relpersistence") == _TEMPORARY:
        return nothing("A temporary view goes with its session.")
    if not body.get("replace"):
        return exact(f"DROP VIEW {known.sql(name)}")
    exists = known.relation_exists(known.key(name))
    if exists is None:
        return manual("The view may have been there before (OR REPLACE): only the catalog can tell.")
    if not exists:
        return exact(f"DROP VIEW {known.sql(name)}")
    return _undo_replaced_view(body, known)


def _undo_replaced_view(body: Node, known: Known) -> Undo:
    relation = known.relation(known.key(body["view"]))
    if relation is None or relation.view_definition is None or relation.kind != "view":
        return manual("The definition of the view before is not known.")
    targets = body.get("query", {}).get("SelectStmt", {}).get("targetList", ())
    has_star = any("A_Star" in field for target in targets for field in _fields(target))
    if has_star or len(targets) != len(relation.columns):
        return manual("The view gets other columns: PostgreSQL can't take columns from a view, and a new one loses its grants.")
    options = f" WITH ({', '.join(relation.options)})" if relation.options else ""
    definition = relation.view_definition.strip().rstrip(";")
    return exact(f"CREATE OR REPLACE VIEW {known.sql(body['view'])}{options} AS\n{definition}")


def _fields(target: Node) -> list[Node]:
    fields: list[Node] = target.get("ResTarget", {}).get("val", {}).get("ColumnRef", {}).get("fields", [])
    return fields


def undo_create_sequence(statement: Statement, known: Known) -> Undo:
    """CREATE SEQUENCE."""
    body = statement.body
    name = body["sequence"]
    if name.get("relpersistence") == _TEMPORARY:
        return nothing("A temporary sequence goes with its session.")
    key = known.key(name)
    in_catalog = known.schema is not None and (key in known.schema.sequences or key in known.schema.relations)
    exists = None if known.schema is None else in_catalog
    if body.get("if_not_exists") and (found := _found(exists, "The sequence")) is not None:
        return found
    return exact(f"DROP SEQUENCE {known.sql(name)}")


def undo_create_schema(statement: Statement, known: Known) -> Undo:
    """CREATE SCHEMA without further objects in the same statement."""
    body = statement.body
    name = body.get("schemaname") or body.get("authrole", {}).get("rolename")
    if not name:
        return manual("The schema is named after whoever runs the statement: name it.")
    if body.get("schemaElts"):
        return manual("The statement makes a schema with objects in it: make them by statements of their own.")
    exists = None if known.schema is None else name in known.schema.schemas or known.is_made("schema", name)
    if body.get("if_not_exists") and (found := _found(exists, "The schema")) is not None:
        return found
    return exact(f"DROP SCHEMA {quote_identifier(name)}")


def undo_create_extension(statement: Statement, known: Known) -> Undo:
    """CREATE EXTENSION."""
    body = statement.body
    name = str(body["extname"])
    if option(body.get("options"), "cascade"):
        return manual("CASCADE may install other extensions too: create each by a statement of its own.")
    exists = None if known.schema is None else name in known.schema.extensions
    if body.get("if_not_exists") and (found := _found(exists, "The extension")) is not None:
        return found
    return exact(f"DROP EXTENSION {quote_identifier(name)}")


def _typed(word: str, field: str) -> Callable[[Statement, Known], Undo]:
    def undo(statement: Statement, _known: Known) -> Undo:
        return exact(f"DROP {word} {dotted(strings(statement.body[field]))}")

    undo.__doc__ = f"CREATE {word}."
    return undo


def undo_create_composite(statement: Statement, _known: Known) -> Undo:
    """CREATE TYPE ... AS (...)."""
    return exact(f"DROP TYPE {dotted(parts_of({'RangeVar': statement.body['typevar']}))}")


def undo_create_trigger(statement: Statement, known: Known) -> Undo:
    """CREATE TRIGGER; one that is replaced comes back from the catalog's definition."""
    body = statement.body
    key, name = known.key(body["relation"]), str(body["trigname"])
    drop = f"DROP TRIGGER {quote_identifier(name)} ON {known.sql(body['relation'])}"
    if not body.get("replace") or known.is_made("table", key):
        return exact(drop)
    relation = known.relation(key)
    if relation is None or known.is_stale(key, "triggers"):
        return manual("The trigger may have been there before (OR REPLACE): only the catalog can tell.")
    before = next((trigger for trigger in relation.triggers if trigger.name == name), None)
    if before is None:
        return exact(drop)
    if not before.is_enabled:
        return manual("The trigger was there before, and disabled.")
    return exact(drop, before.definition)


def undo_create_policy(statement: Statement, known: Known) -> Undo:
    """CREATE POLICY."""
    body = statement.body
    return exact(f"DROP POLICY {quote_identifier(body['policy_name'])} ON {known.sql(body['table'])}")


def undo_create_rule(statement: Statement, known: Known) -> Undo:
    """CREATE RULE."""
    body = statement.body
    if body.get("replace"):
        return manual("The rule may have been there before (OR REPLACE).")
    return exact(f"DROP RULE {quote_identifier(body['rulename'])} ON {known.sql(body['relation'])}")


def undo_create_statistics(statement: Statement, _known: Known) -> Undo:
    """CREATE STATISTICS with a name."""
    body = statement.body
    if not body.get("defnames"):
        return manual("The statistics object has no name: name it, so that it can be dropped by it.")
    if body.get("if_not_exists"):
        return manual("The statistics object may have been there before (IF NOT EXISTS).")
    return exact(f"DROP STATISTICS {dotted(strings(body['defnames']))}")


def undo_create_publication(statement: Statement, _known: Known) -> Undo:
    """CREATE PUBLICATION."""
    return exact(f"DROP PUBLICATION {quote_identifier(statement.body['pubname'])}")


undo_create_enum = _typed("TYPE", "typeName")
undo_create_range = _typed("TYPE", "typeName")
undo_create_domain = _typed("DOMAIN", "domainname")
