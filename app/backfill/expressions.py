"""The texts of a backfill, read with PostgreSQL's own parser before they come near a database.

The texts themselves go to the server as they were written, so this is also the gate that injected SQL has to pass.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from app.errors import HeadgateError
from app.sql.parser import SqlSyntaxError, parse_json
from app.sql.tree import find, strings

Node = Mapping[str, Any]

_SET_PREFIX = "UPDATE t SET\n"
_WHERE_PREFIX = "SELECT 1 WHERE\n"
_COLUMNS_PREFIX = "SELECT\n"
_ALLOWED_IN_UPDATE = {"relation", "targetList"}
_ALLOWED_IN_SELECT = {"targetList", "whereClause", "limitOption", "op"}


class BackfillRefusedError(HeadgateError):
    """This backfill can't be run as it is described."""

    status = 422


@dataclass(frozen=True, slots=True, kw_only=True)
class Expressions:
    """What the texts of a backfill name, and the texts as written."""

    #: the SET list of an update; the select list of a copy; empty for a delete
    set_text: str
    where_text: str
    #: columns in the order of the list: of the table itself, or of the one that rows are copied into
    assigned: tuple[str, ...] = ()
    #: column -> the expression it gets; absent for ``(a, b) = (...)`` and for elements of arrays
    values: Mapping[str, Node] = field(default_factory=dict)
    where: Node = field(default_factory=dict)
    #: columns that the condition reads
    condition_columns: frozenset[str] = frozenset()
    #: columns that the list reads
    value_columns: frozenset[str] = frozenset()
    #: functions as written, ``("pg_catalog", "random")`` or ``("lower",)``
    set_functions: frozenset[tuple[str, ...]] = frozenset()
    where_functions: frozenset[tuple[str, ...]] = frozenset()
    set_reads_other_rows: bool = False
    where_reads_other_rows: bool = False

    def conjuncts(self) -> Iterator[Node]:
        """The parts of the condition that AND joins."""
        stack = [self.where]
        while stack:
            node = stack.pop()
            body = node.get("BoolExpr", {})
            if body.get("boolop") == "AND_EXPR":
                stack.extend(reversed(body["args"]))
            else:
                yield node


def read_expressions(set_text: str, where_text: str) -> Expressions:
    """The expressions of ``UPDATE ... SET set_text WHERE where_text``.

    Raises BackfillRefusedError where a text is more than a SET list or a condition, and where it does not parse.
    """
    targets = [target["ResTarget"] for target in _set_targets(set_text)]
    assigned = tuple(str(target["name"]) for target in targets)
    repeated = {name for name in assigned if assigned.count(name) > 1 and not _has_subscript(targets)}
    if repeated:
        raise BackfillRefusedError(f"The SET list sets {', '.join(sorted(repeated))} twice.")
    values = {str(t["name"]): t["val"] for t in targets if "indirection" not in t and "MultiAssignRef" not in t["val"]}
    return _expressions(set_text, where_text, assigned, values, targets)


def read_condition(where_text: str) -> Expressions:
    """The expressions of ``DELETE FROM ... WHERE where_text``.

    Raises BackfillRefusedError.
    """
    return _expressions("", where_text, (), {}, [])


def read_columns(columns_text: str, where_text: str) -> Expressions:
    """The expressions of ``INSERT INTO ... SELECT columns_text FROM ... WHERE where_text``.

    Raises BackfillRefusedError, also where it is not said which column an expression goes into.
    """
    body = _only_statement(columns_text, _COLUMNS_PREFIX, "list of columns", "SelectStmt")
    extra = set(body) - _ALLOWED_IN_SELECT
    if extra or body.get("op") != "SETOP_NONE" or "targetList" not in body:
        raise BackfillRefusedError(
            f"The list of columns holds more than columns ({_words(extra or {'op'})}).",
            hint="Write only what would stand between SELECT and FROM: `id, lower(email) AS email`.",
        )
    targets = [target["ResTarget"] for target in body["targetList"]]
    assigned = tuple(_target_name(target, position) for position, target in enumerate(targets, 1))
    repeated = sorted({name for name in assigned if assigned.count(name) > 1})
    if repeated:
        raise BackfillRefusedError(f"The list of columns fills {', '.join(repeated)} twice.")
    values = dict(zip(assigned, (target["val"] for target in targets), strict=True))
    return _expressions(columns_text, where_text, assigned, values, targets)


def _target_name(target: Node, position: int) -> str:
    fields = target["val"].get("ColumnRef", {}).get("fields")
    name = target.get("name") or (strings(fields)[-1] if fields and len(strings(fields)) == len(fields) else None)
    if name is None:
        raise BackfillRefusedError(
            f"Column {position} of the list has no name, so it is not clear which column of the other table it fills.",
            hint="Name each one, without `*`: `id, lower(email) AS email`.",
        )
    return str(name)


def _expressions(
    text: str, where_text: str, assigned: tuple[str, ...], values: Mapping[str, Node], targets: list[Node]
) -> Expressions:
    where = _condition(where_text)
    return Expressions(
        set_text=text.strip(),
        where_text=where_text.strip(),
        assigned=assigned,
        values=values,
        where=where,
        condition_columns=_columns(where),
        value_columns=_columns(targets),
        set_functions=_functions(targets),
        where_functions=_functions(where),
        set_reads_other_rows=any(True for _ in find(targets, "SubLink")),
        where_reads_other_rows=any(True for _ in find([where], "SubLink")),
    )


def _set_targets(text: str) -> list[Node]:
    body = _only_statement(text, _SET_PREFIX, "SET list", "UpdateStmt")
    extra = set(body) - _ALLOWED_IN_UPDATE
    if extra:
        raise BackfillRefusedError(
            f"The SET list holds more than assignments ({_words(extra)}).",
            hint="Write only `column = expression, ...`; the condition has a field of its own, and other tables are read by "
            "a sub-select: `name = (SELECT o.name FROM other o WHERE o.id = users.other_id)`.",
        )
    return list(body["targetList"])


def _condition(text: str) -> Node:
    if not text.strip():
        raise BackfillRefusedError("The condition is empty.", hint="Write `true` to change every row.")
    body = _only_statement(text, _WHERE_PREFIX, "condition", "SelectStmt")
    extra = set(body) - _ALLOWED_IN_SELECT
    if extra or body.get("op") != "SETOP_NONE" or "whereClause" not in body:
        raise BackfillRefusedError(
            f"The condition holds more than one boolean expression ({_words(extra or {'op'})}).",
            hint="Write only what would stand after WHERE, without GROUP BY, ORDER BY, LIMIT or UNION.",
        )
    return dict(body["whereClause"])


def _only_statement(text: str, prefix: str, what: str, kind: str) -> Node:
    try:
        statements = parse_json(f"{prefix}{text}\n")["stmts"]
    except SqlSyntaxError as error:
        raise BackfillRefusedError(
            f"The {what} does not parse: {error.message}.",
            line=max((error.line or 2) - 1, 1),
            column=error.column,
            sqlstate=error.sqlstate,
        ) from None
    if len(statements) != 1 or kind not in statements[0]["stmt"]:
        raise BackfillRefusedError(f"The {what} holds {len(statements)} statements; one expression is expected.")
    body: Node = statements[0]["stmt"][kind]
    if any(True for _ in find([body], "ParamRef")):
        raise BackfillRefusedError(f"The {what} holds a parameter like $1, for which there is no value.")
    return body


def _words(clauses: set[str]) -> str:
    names = {"whereClause": "WHERE", "fromClause": "FROM", "returningClause": "RETURNING", "withClause": "WITH", "op": "UNION"}
    names |= {"groupClause": "GROUP BY", "sortClause": "ORDER BY", "limitCount": "LIMIT", "lockingClause": "FOR UPDATE"}
    return ", ".join(sorted(names.get(clause, clause) for clause in clauses))


def _has_subscript(targets: list[Node]) -> bool:
    return any("indirection" in target for target in targets)


def _columns(node: Any) -> frozenset[str]:
    return frozenset(strings(body["fields"])[-1] for body in find([node], "ColumnRef") if strings(body.get("fields")))


def _functions(node: Any) -> frozenset[tuple[str, ...]]:
    return frozenset(strings(body["funcname"]) for body in find([node], "FuncCall"))
