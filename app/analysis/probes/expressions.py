"""Which expressions of a plan may be computed on a target before anybody approved the plan: those that only look at a row."""

from typing import Any

from app.errors import HeadgateError
from app.sql.deparse import expression_sql
from app.sql.names import from_strings
from app.sql.tree import Node, walk

#: nodes that look at the row and at nothing else: no subquery, no parameter, no aggregate, no window
_NODES = frozenset(
    """
    A_ArrayExpr A_Const A_Expr A_Indirection A_Indices BoolExpr Boolean BooleanTest CaseExpr CaseWhen CoalesceExpr CollateClause
    ColumnRef Float FuncCall Integer List MinMaxExpr NullIfExpr NullTest RowExpr SQLValueFunction String TypeCast TypeName
    """.split()  # noqa: SIM905  (a list literal would be twenty lines)
)
#: functions of PostgreSQL that compute from their arguments alone, and never much more than these hold
_FUNCTIONS = frozenset(
    """
    abs array_length array_ndims array_position array_to_string ascii bit_length btrim cardinality ceil ceiling char_length
    character_length chr concat concat_ws date_part date_trunc decode div encode extract floor initcap isempty isfinite
    jsonb_array_length jsonb_typeof json_array_length json_typeof left length ln log lower lower_inc lower_inf ltrim make_date
    make_time make_timestamp masklen md5 mod num_nonnulls num_nulls octet_length position power regexp_count regexp_like
    regexp_match regexp_replace regexp_substr replace reverse right round rtrim scale sign split_part sqrt starts_with strpos
    substr substring timezone to_char to_date to_number to_timestamp translate trim trunc upper upper_inc upper_inf width_bucket
    """.split()  # noqa: SIM905  (as above)
)


def refusal(expression: Any) -> str:
    """Why Headgate does not compute an expression on the target; empty where it may.

    The text of a plan that nobody approved must not run there: a function of one's own may do anything.
    """
    for kind, body in walk({"Root": expression}):
        if kind[:1].isupper() and kind != "Root" and kind not in _NODES:
            return "it holds more than a look at the row"
        if kind == "FuncCall":
            name = from_strings(body.get("funcname", ()))
            if name.removeprefix("pg_catalog.") not in _FUNCTIONS or "over" in body or body.get("agg_star"):
                return f"it calls {name}(), which is not run before the plan is approved"
    return ""


def written(expression: Node) -> str | None:
    """The expression as SQL; None where it is nested too deeply to be written."""
    try:
        return expression_sql(expression)
    except (HeadgateError, ValueError, RecursionError, RuntimeError):
        return None


def with_value(expression: Any, column: str) -> Any:
    """A domain's expression with the column in the place of VALUE."""
    if isinstance(expression, list):
        return [with_value(item, column) for item in expression]
    if not isinstance(expression, dict):
        return expression
    fields = expression.get("ColumnRef", {}).get("fields", ())
    if len(fields) == 1 and fields[0].get("String", {}).get("sval", "").lower() == "value":
        return {"ColumnRef": {"fields": [{"String": {"sval": column}}]}}
    return {key: with_value(value, column) for key, value in expression.items()}
