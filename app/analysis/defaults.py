"""Whether the default of a new column is computed once or for every row: the difference between a blink and a rewrite."""

from typing import Literal

from app.analysis.functions import function_sources, is_constant_query
from app.analysis.state import State
from app.catalog.records import Function
from app.errors import HeadgateError
from app.sql.builtin_functions import STEADY, VOLATILE
from app.sql.names import from_strings
from app.sql.parser import parse_json
from app.sql.tree import Node, find

#: the first version that keeps the default of a new column in the catalog instead of writing it into every row
KEPT_IN_CATALOG_SINCE = 11
DefaultKind = Literal["steady", "volatile", "unknown"]


def default_kind(expression: Node | None, state: State) -> DefaultKind:
    """How PostgreSQL takes a DEFAULT expression; "unknown" where it calls a function nobody knows here.

    Source: https://www.postgresql.org/docs/18/sql-altertable.html#SQL-ALTERTABLE-NOTES
    """
    kinds = {_function_kind(from_strings(call.get("funcname", ())), state) for call in find(expression, "FuncCall")}
    if "volatile" in kinds:
        return "volatile"
    return "unknown" if "unknown" in kinds else "steady"


def volatile_functions(expression: Node | None, state: State) -> list[str]:
    """The functions of an expression that make PostgreSQL compute it row by row, or may do so."""
    names = (from_strings(call.get("funcname", ())) for call in find(expression, "FuncCall"))
    return [name for name in dict.fromkeys(names) if _function_kind(name, state) != "steady"]


def _function_kind(name: str, state: State) -> DefaultKind:
    schema, _, bare = name.rpartition(".")
    made = state.functions.get(bare)
    if made and schema != "pg_catalog":
        return "volatile" if made.is_volatile and not made.is_constant else "steady"
    if schema in {"", "pg_catalog"}:
        if bare in VOLATILE:
            return "volatile"
        if bare in STEADY:
            return "steady"
    return _catalog_kind(bare, state)


def _catalog_kind(bare: str, state: State) -> DefaultKind:
    functions = state.schema.functions.values() if state.schema else ()
    found = [function for function in functions if function.signature.partition("(")[0].rpartition(".")[2] == bare]
    if not found:
        return "volatile" if bare in VOLATILE else "unknown"
    moving = [function for function in found if function.volatility == "volatile" and not _is_inlined(function)]
    return "volatile" if moving else "steady"


def _is_inlined(function: Function) -> bool:
    """True for an SQL function whose body is one constant: PostgreSQL puts the constant in its place."""
    try:
        body = parse_json(function.definition)["stmts"][0]["stmt"]["CreateFunctionStmt"]
    except (HeadgateError, KeyError, IndexError):
        return False
    return function.language == "sql" and any(is_constant_query(source) for source in function_sources(body))
