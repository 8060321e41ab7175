"""The SQL inside a DO block, as far as PL/pgSQL's own parser gives it away."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from app.errors import HeadgateError
from app.sql.parser import parse_json, parse_plpgsql
from app.sql.tree import Node, constant, find, walk


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """The statements of a block in the order of its text; ``is_dynamic`` where it also makes SQL that nobody can see."""

    statements: tuple[str, ...] = ()
    is_dynamic: bool = False


def read_block(text: str, statement: Node) -> Block:
    """What a DO statement runs; one that can't be read is dynamic."""
    try:
        functions = parse_plpgsql(text) if _language(statement) == "plpgsql" else []
    except HeadgateError:
        functions = []
    if not functions:
        return Block(is_dynamic=True)
    statements: list[str] = []
    is_dynamic = False
    for kind, body in walk(functions):
        for source in _sources(kind, body):
            if source is None:
                is_dynamic = True
            else:
                statements.append(source)
    return Block(statements=tuple(statements), is_dynamic=is_dynamic)


def _language(body: Node) -> str:
    for element in find(body.get("args", []), "DefElem"):
        if element.get("defname") == "language":
            return str(element.get("arg", {}).get("String", {}).get("sval", "")).lower()
    return "plpgsql"


_ASSIGNED = re.compile(r"[^:='(]+:?=(?!=)")
#: expressions that PL/pgSQL computes by itself: what they call is run like the SELECT that it makes of them
_COMPUTED = {
    "PLpgSQL_stmt_assign": "expr",
    "PLpgSQL_stmt_if": "cond",
    "PLpgSQL_if_elsif": "cond",
    "PLpgSQL_stmt_while": "cond",
    "PLpgSQL_stmt_case": "t_expr",
    "PLpgSQL_stmt_assert": "cond",
    "PLpgSQL_var": "default_val",
}
_DYNAMIC = frozenset({"PLpgSQL_stmt_dynexecute", "PLpgSQL_stmt_dynfors", "PLpgSQL_stmt_return_query_dyn"})


def _sources(kind: str, body: Any) -> Iterator[str | None]:
    """The SQL that a node runs; None for SQL that is put together as the block runs."""
    if kind in _DYNAMIC:
        yield _constant_text(_query(body.get("query")))
    elif kind == "PLpgSQL_stmt_execsql":
        yield _query(body.get("sqlstmt"))
    elif kind == "PLpgSQL_stmt_perform":
        yield _query(body.get("expr"))
    elif kind == "PLpgSQL_stmt_fors":
        yield _query(body.get("query"))
    elif kind == "PLpgSQL_stmt_call":
        yield None
    elif kind in _COMPUTED and (expression := _query(body.get(_COMPUTED[kind]))) is not None and "(" in expression:
        value = _ASSIGNED.sub("", expression, count=1) if kind == "PLpgSQL_stmt_assign" else expression
        yield f"SELECT {value}"


def _query(node: Any) -> str | None:
    expression = (node or {}).get("PLpgSQL_expr", {})
    query = expression.get("query")
    return None if query is None else str(query)


def _constant_text(expression: str | None) -> str | None:
    """The text of an EXECUTE whose expression is one string constant."""
    if expression is None:
        return None
    try:
        targets = parse_json(f"SELECT {expression}")["stmts"][0]["stmt"]["SelectStmt"]["targetList"]
        value = constant(targets[0]["ResTarget"]["val"])
    except (HeadgateError, KeyError, IndexError):
        return None
    return value if isinstance(value, str) else None
