"""Statements on rows, and statements that leave nothing behind."""

from app.sql.inverse.known import Known, parts_of
from app.sql.inverse.undo import Undo, manual, nothing
from app.sql.split import Statement
from app.sql.tree import find, strings

#: functions of PostgreSQL that a SELECT may call without changing anything
_HARMLESS_CALLS = frozenset(
    {
        "abs",
        "array_agg",
        "avg",
        "count",
        "current_setting",
        "date_trunc",
        "format",
        "jsonb_agg",
        "length",
        "lower",
        "max",
        "min",
        "now",
        "pg_sleep",
        "round",
        "string_agg",
        "sum",
        "to_char",
        "upper",
        "version",
    }
)


def undo_rows(statement: Statement, known: Known) -> Undo:
    """INSERT, UPDATE, DELETE, MERGE, COPY: nothing to do only where the rows or the columns go with what the plan makes."""
    body = statement.body
    relation = body.get("relation")
    if relation is None or "withClause" in body:
        return manual("What the statement changes in the rows can't be told from its text.")
    key = known.key(relation)
    if known.is_made("trigger", key):
        return manual("A trigger made by the same plan may change other tables.")
    if known.is_made("table", key):
        return nothing(f"The rows go with {key}, which the same plan makes.")
    if statement.kind == "UpdateStmt" and _sets_only_new_columns(statement, known, key):
        return nothing("The values go with the columns, which the same plan makes.")
    verb = {"InsertStmt": "were inserted", "UpdateStmt": "held before", "DeleteStmt": "were deleted"}.get(
        statement.kind, "were changed"
    )
    return manual(f"Which rows {verb}, or what they were, is not kept: capture them first, or write how to undo it.")


def _sets_only_new_columns(statement: Statement, known: Known, key: str) -> bool:
    targets = [str(target.get("ResTarget", {}).get("name")) for target in statement.body.get("targetList", ())]
    if not targets or not all(known.is_made("column", f"{key}.{name}") for name in targets):
        return False
    relation = known.relation(key)
    # an UPDATE trigger could write anything
    return relation is None or not relation.triggers


def undo_truncate(statement: Statement, known: Known) -> Undo:
    """TRUNCATE."""
    names = [item["RangeVar"] for item in statement.body.get("relations", ())]
    if all(known.is_made("table", known.key(name)) for name in names):
        return nothing("The table goes with the plan that makes it.")
    return manual("The rows are gone: only a backup brings them back.")


def undo_copy(statement: Statement, known: Known) -> Undo:
    """COPY: out of a table it changes nothing."""
    if not statement.body.get("is_from"):
        return nothing("It changes nothing in the database.")
    return undo_rows(statement, known)


def undo_select(statement: Statement, known: Known) -> Undo:
    """SELECT: changes nothing unless it calls a function that does, or holds INSERT, UPDATE or DELETE."""
    body = statement.body
    if "intoClause" in body:
        return undo_select_into(statement, known)
    if any(find(body, "InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt")):
        return manual("The query changes rows.")
    calls = {strings(call.get("funcname"))[-1] for call in find(body, "FuncCall")}
    if unknown := calls - _HARMLESS_CALLS:
        return manual(f"The query calls {min(unknown)}(), which may change something.")
    return nothing("It changes nothing.")


def undo_select_into(statement: Statement, known: Known) -> Undo:
    """SELECT INTO makes a table."""
    relation = statement.body["intoClause"]["rel"]
    if relation.get("relpersistence") == "t":
        return nothing("A temporary table goes with its session.")
    return Undo(sql=(f"DROP TABLE {known.sql(relation)}",), grade="loses-new-writes", reason="Rows written to it since are lost.")


def undo_nothing(_statement: Statement, _known: Known) -> Undo:
    """What leaves nothing behind that a schema or rows would show."""
    return nothing("It leaves nothing behind that would have to be undone.")


def undo_cluster(statement: Statement, _known: Known) -> Undo:
    """CLUSTER without USING repeats what is marked; with USING it leaves a mark."""
    if "indexname" in statement.body:
        return manual("CLUSTER marks the index, and which one was marked before is not known.")
    return nothing("It only orders the rows on disk.")


def undo_lock(statement: Statement, _known: Known) -> Undo:
    """LOCK TABLE."""
    names = [".".join(parts_of(item)) for item in statement.body.get("relations", ())]
    return nothing(f"The lock on {', '.join(names)} goes with its transaction.")
