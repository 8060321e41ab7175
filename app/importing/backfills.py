"""An UPDATE of a whole table that could run as a backfill instead: recognised, and offered."""

import re
from typing import Any

from app.catalog.records import Schema
from app.sql.names import from_range_var, quote_qualified
from app.sql.split import Statement
from app.sql.tree import find

#: SET and WHERE clauses are cut out of the text between these words, since the tree holds no end positions
_SHAPE = re.compile(
    r"update\s+(?:only\s+)?(?P<table>\S+)(?:\s+(?:as\s+)?(?P<alias>(?!set\b)\w+))?\s+set\s+(?P<set>.+?)\s+where\s+(?P<where>.+)",
    re.IGNORECASE | re.DOTALL,
)
#: anything that reads other rows, or would be another value in each batch
_OTHER_ROWS = ("SubLink", "CurrentOfExpr", "SetToDefault", "MultiAssignRef")


def propose_backfill(statement: Statement, schema: Schema | None = None) -> dict[str, Any] | None:
    """The spec of a backfill step that does what this UPDATE does, or None where it is not that simple.

    Only ``UPDATE t SET c = expression WHERE c IS NULL``: the update itself must make its condition false, so that
    batches end and can be repeated.
    """
    body = statement.body
    if statement.kind != "UpdateStmt" or any(clause in body for clause in ("fromClause", "returningClause", "withClause")):
        return None
    if "alias" in body["relation"] or any(find(statement.node, *_OTHER_ROWS)):
        return None
    column = _null_tested(body.get("whereClause", {}))
    if column is None or column not in _filled(body):
        return None
    match = _SHAPE.fullmatch(statement.text.strip())
    table = _qualified(from_range_var(body["relation"]), schema)
    if match is None or table is None or _hides_a_word(statement.text):
        return None
    return {"table": table, "set": match["set"].strip(), "where": match["where"].strip()}


def _null_tested(where: dict[str, Any]) -> str | None:
    """The column of ``column IS NULL``, where that is the whole condition."""
    test = where.get("NullTest", {})
    fields = test.get("arg", {}).get("ColumnRef", {}).get("fields", ())
    if test.get("nulltesttype") != "IS_NULL" or len(fields) != 1:
        return None
    name: str | None = fields[0].get("String", {}).get("sval")
    return name


def _filled(body: Any) -> set[str]:
    """Columns that get a constant that is not NULL: only then is the condition false afterwards."""
    filled = set()
    for target in body.get("targetList", ()):
        value = target.get("ResTarget", {}).get("val", {})
        while "TypeCast" in value:
            value = value["TypeCast"].get("arg", {})
        if "A_Const" in value and not value["A_Const"].get("isnull"):
            filled.add(str(target["ResTarget"].get("name")))
    return filled


def _qualified(name: str, schema: Schema | None) -> str | None:
    found = schema.resolve(name) if schema is not None else None
    if found is not None:
        return quote_qualified(found)
    return quote_qualified(name if "." in name else f"public.{name}")


def _hides_a_word(text: str) -> bool:
    """True where quotes or comments could hold the words that the text is cut at."""
    quoted = re.findall(r"'[^']*'|\"[^\"]*\"|\$\w*\$.*?\$\w*\$|--[^\n]*|/\*.*?\*/", text, re.DOTALL)
    return any(re.search(r"\b(set|where)\b", piece, re.IGNORECASE) for piece in quoted)
