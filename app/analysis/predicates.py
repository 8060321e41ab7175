"""What a WHERE clause says about the number of rows: all of them, a few, or nobody knows."""

from typing import TYPE_CHECKING, Any

from app.analysis.tables import Table
from app.sql.tree import Node, constant, find, strings

if TYPE_CHECKING:
    from app.analysis.context import Context

#: columns that are keys in nearly every schema, for tables whose indexes are not known
_USUAL_KEYS = frozenset({"id", "uuid", "guid", "pk", "ctid", "slug", "email", "username", "key", "code"})
#: a batch of this many rows at most is small
SMALL_BATCH = 10_000


def is_always_true(node: Node | None) -> bool:
    """True for no WHERE clause and for one that says nothing: ``1 = 1``, ``NOT FALSE``, ``NULL IS NULL``."""
    return node is None or _truth(node) is True


def _truth(node: Node | None) -> bool | None:
    """The value of an expression without columns; None where it depends on the row, or is too deep to be worth it."""
    if node is None:
        return None
    if "BoolExpr" in node:
        return _combined(node["BoolExpr"])
    if "A_Expr" in node:
        return _compared(node["A_Expr"])
    if "NullTest" in node:
        return _is_null(node["NullTest"])
    value: object = constant(node)
    return value if isinstance(value, bool) else None


def _is_null(body: Node) -> bool | None:
    argument = body.get("arg", {})
    if "A_Const" not in argument:
        return None
    return bool(argument["A_Const"].get("isnull", False)) == (body.get("nulltesttype") == "IS_NULL")


def _combined(body: Node) -> bool | None:
    values = [_truth(argument) for argument in body.get("args", ())]
    operator = body.get("boolop")
    if operator == "NOT_EXPR":
        return None if values[0] is None else not values[0]
    deciding = operator == "OR_EXPR"
    if deciding in values:
        return deciding
    return None if None in values else not deciding


def _compared(body: Node) -> bool | None:
    left, right = body.get("lexpr"), body.get("rexpr")
    operator = "".join(strings(body.get("name")))
    if not isinstance(left, dict) or not isinstance(right, dict) or operator not in {"=", "<>", "<", "<=", ">", ">="}:
        return None
    first, second = constant(left), constant(right)
    if first is None or second is None or type(first) is not type(second):
        return None
    results: dict[str, bool] = {
        "=": first == second,
        "<>": first != second,
        "<": first < second,
        "<=": first <= second,
        ">": first > second,
        ">=": first >= second,
    }
    return results[operator]


def touches_few_rows(context: "Context") -> bool:
    """True where an UPDATE or DELETE names its rows by a key, by a short range of one, or by a LIMIT."""
    table = context.state.table_of(context.body["relation"])
    return changes_few_rows(context.body, table, is_small=context.is_small(table))


def changes_few_rows(body: Node, table: Table, *, is_small: bool) -> bool:
    """As touches_few_rows, for the tree of an UPDATE, DELETE or MERGE wherever it stands."""
    where: Any = body.get("whereClause")
    if table.is_new or is_small:
        return True
    return is_narrow(where, table) or (where is not None and _joins_listed_rows(body))


def is_narrow(where: Any, table: Table) -> bool:
    """True where a WHERE clause lets few rows of a table through: by a key, a short range of one, a LIMIT, or none at all."""
    if where is None:
        return False
    if _truth(where) is False:
        return True
    parts = _parts(where)
    return any(_is_bounded(part, table) for part in parts) or _is_key_range(parts, table) or _names_whole_key(parts, table)


def _names_whole_key(parts: list[Node], table: Table) -> bool:
    """True where every column of a key of several columns is compared to single values."""
    named = set[str]()
    for part in parts:
        body = part.get("A_Expr", {})
        left, right = body.get("lexpr", {}), body.get("rexpr", {})
        if isinstance(left, dict) and body and _compares_to_few(body):
            row = [_column(item) for item in left.get("RowExpr", {}).get("args", ())]
            named |= {_column(left), *(row if "RowExpr" in right else ())}
    return any(
        index.is_unique
        and index.is_valid
        and not index.has_predicate
        and None not in index.columns
        and set(index.columns) <= named
        for index in table.indexes.values()
    )


def _joins_listed_rows(body: Node) -> bool:
    """True for ``UPDATE ... FROM (VALUES ...)``: as many rows as the statement writes out."""
    sources = body.get("fromClause") or body.get("usingClause") or ()
    return bool(sources) and all(
        "valuesLists" in source.get("RangeSubselect", {}).get("subquery", {}).get("SelectStmt", {}) for source in sources
    )


def _is_key_range(parts: list[Node], table: Table) -> bool:
    """True for ``id > 5000 AND id <= 6000``: a batch along the key."""
    lower, upper = dict[str, int](), dict[str, int]()
    for part in parts:
        body = part.get("A_Expr", {})
        left, value = body.get("lexpr", {}), constant(body.get("rexpr")) if isinstance(body.get("rexpr"), dict) else None
        column = _column(left) if isinstance(left, dict) else ""
        if not isinstance(value, int) or isinstance(value, bool) or not _is_key(column, table):
            continue
        operator = "".join(strings(body.get("name")))
        if operator in {">", ">="}:
            lower[column] = value
        elif operator in {"<", "<="}:
            upper[column] = value
    return any(upper[column] - lower[column] <= SMALL_BATCH * 10 for column in lower.keys() & upper.keys())


def _parts(where: Node) -> list[Node]:
    """The terms of a list of ANDs."""
    if where.get("BoolExpr", {}).get("boolop") == "AND_EXPR":
        return [part for argument in where["BoolExpr"].get("args", ()) for part in _parts(argument)]
    return [where]


def _is_bounded(part: Node, table: Table) -> bool:
    """True where one term of a WHERE lets few rows through."""
    if "CurrentOfExpr" in part:
        return True
    if part.get("BoolExpr", {}).get("boolop") == "OR_EXPR":
        return all(is_narrow(argument, table) for argument in part["BoolExpr"].get("args", ()))
    if "SubLink" in part:
        link = part["SubLink"]
        select = link.get("subselect", {})
        is_key = bool(_column(link.get("testexpr", {}))) and _has_small_limit(select)
        return is_key or (_is_key(_column(link.get("testexpr", {})), table) and _is_listed(select))
    body = part.get("A_Expr", {})
    left = body.get("lexpr", {})
    column = _column(left) if isinstance(left, dict) else ""
    return bool(column) and _is_key(column, table) and _compares_to_few(body)


def _column(node: Node) -> str:
    return "".join(strings(node.get("ColumnRef", {}).get("fields"))[-1:])


def _compares_to_few(body: Node) -> bool:
    """True where a key is compared to single values, a short range, or a subquery with a LIMIT."""
    kind, right = body.get("kind"), body.get("rexpr", {})
    if isinstance(right, dict) and right.get("SubLink", {}).get("subLinkType") == "EXPR_SUBLINK":
        return "".join(strings(body.get("name"))) == "="
    if any(True for _ in find(right, "SelectStmt")):
        return _has_small_limit(right)
    if any(True for _ in find(right, "ColumnRef")):
        # a join: as many rows as the other side has
        return False
    if kind == "AEXPR_BETWEEN":
        return _is_short_range(right)
    operator = "".join(strings(body.get("name")))
    if operator in {"<", "<="}:
        return kind == "AEXPR_OP" and _is_small_number(right)
    return operator == "=" and kind in {"AEXPR_OP", "AEXPR_OP_ANY", "AEXPR_IN"}


def _is_small_number(node: Node) -> bool:
    value = constant(node)
    return isinstance(value, int) and not isinstance(value, bool) and value <= SMALL_BATCH


def _is_short_range(node: Node) -> bool:
    items = node.get("List", {}).get("items", ())
    bounds = [constant(item) for item in items]
    if len(bounds) == 2 and all(isinstance(bound, int) for bound in bounds):  # noqa: PLR2004  # BETWEEN has two ends
        return bool(bounds[1] - bounds[0] < SMALL_BATCH * 10)
    # ends that are parameters or expressions are how batches are written
    return len(bounds) == 2 and all("ParamRef" in item for item in items)  # noqa: PLR2004  # as above


def _is_listed(select: Node) -> bool:
    """True for a subquery that only lists values: VALUES (1), (2)."""
    return "valuesLists" in select.get("SelectStmt", {})


def _has_small_limit(select: Node) -> bool:
    """True where a subquery ends with LIMIT n for a small n."""
    for body in find(select, "SelectStmt"):
        limit = constant(body.get("limitCount"))
        if isinstance(limit, int) and limit <= SMALL_BATCH * 10:
            return True
    return False


def _is_key(column: str, table: Table) -> bool:
    if column == "ctid":
        return True
    if table.is_known:
        return any(index.is_unique and index.is_valid and index.columns == (column,) for index in table.indexes.values())
    return column in _USUAL_KEYS
