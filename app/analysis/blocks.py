"""The SQL inside a DO block, as far as PL/pgSQL's own parser gives it away."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from app.errors import HeadgateError
from app.sql.parser import parse_json, parse_plpgsql
from app.sql.tree import constant, walk


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """The statements of a block in the order of its text; ``is_dynamic`` where it also makes SQL that nobody can see."""

    statements: tuple[str, ...] = ()
    is_dynamic: bool = False


def read_block(text: str) -> Block:
    """What a DO statement runs; one that can't be read is dynamic."""
    try:
        functions = parse_plpgsql(text)
    except HeadgateError:
        return Block(is_dynamic=True)
    statements: list[str] = []
    is_dynamic = False
    for kind, body in walk(functions):
        for source, dynamic in _sources(kind, body):
            if source is None:
                is_dynamic = True
            elif dynamic or kind in {"PLpgSQL_stmt_execsql", "PLpgSQL_stmt_perform", "PLpgSQL_stmt_fors"}:
                statements.append(source)
    return Block(statements=tuple(statements), is_dynamic=is_dynamic)


def _sources(kind: str, body: Any) -> Iterator[tuple[str | None, bool]]:
    """SQL text and whether EXECUTE runs it; None for SQL that is put together as the block runs."""
    if kind == "PLpgSQL_stmt_dynexecute" or kind in {"PLpgSQL_stmt_dynfors", "PLpgSQL_stmt_return_query_dyn"}:
        yield _constant_text(_query(body.get("query"))), True
    elif kind == "PLpgSQL_stmt_execsql":
        yield _query(body.get("sqlstmt")), False
    elif kind == "PLpgSQL_stmt_perform":
        yield _query(body.get("expr")), False
    elif kind == "PLpgSQL_stmt_fors":
        yield _query(body.get("query")), False
    elif kind == "PLpgSQL_stmt_call":
        yield None, True


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
