"""The names that PostgreSQL chooses for constraints and indexes that have none, with its truncation and its counting.

Source: src/backend/commands/indexcmds.c (makeObjectName, ChooseRelationName, ChooseIndexName, ChooseIndexColumnNames),
src/backend/catalog/pg_constraint.c (ChooseConstraintName) and src/backend/parser/parse_target.c (FigureColnameInternal).
"""

from collections.abc import Callable, Sequence

from app.sql.inverse.known import Known
from app.sql.tree import Node, find, strings

#: NAMEDATALEN - 1
_MAXIMUM_BYTES = 63


def object_name(first: str, second: str | None, label: str) -> str:
    """``first_second_label``, cut to 63 bytes: the longer of the first two parts is cut first, never inside a character."""
    first_bytes, second_bytes = first.encode(), (second or "").encode()
    overhead = len(label.encode()) + 1 + (1 if second is not None else 0)
    first_size, second_size = len(first_bytes), len(second_bytes)
    while first_size + second_size > _MAXIMUM_BYTES - overhead:
        if first_size > second_size:
            first_size -= 1
        else:
            second_size -= 1
    parts = [_clipped(first_bytes, first_size)]
    if second is not None:
        parts.append(_clipped(second_bytes, second_size))
    return "_".join([*parts, label])


def _clipped(text: bytes, size: int) -> str:
    return text[:size].decode(errors="ignore")


def joined_columns(columns: Sequence[str]) -> str:
    """Column names joined by underscores until they are too long to matter."""
    text = ""
    for column in columns:
        text = f"{text}_{column}" if text else column
        if len(text.encode()) > _MAXIMUM_BYTES:
            break
    return text


def expression_name(expression: Node) -> str | None:
    """What an index column on an expression is called; None for expressions whose name is not certain."""
    kind = next(iter(expression), "")
    body: Node = expression.get(kind, {})
    if kind == "FuncCall":
        return strings(body.get("funcname"))[-1]
    if kind == "CollateClause":
        return expression_name(body.get("arg", {}))
    if kind in {"A_Expr", "A_Const", "BoolExpr", "NullTest", "BooleanTest"}:
        return None if body.get("kind") == "AEXPR_NULLIF" else "expr"
    return {"CoalesceExpr": "coalesce", "A_ArrayExpr": "array", "RowExpr": "row"}.get(kind)


def index_columns(body: Node) -> list[str] | None:
    """The names that the columns of a new index get, made unique by counting; None where an expression's is not certain."""
    chosen: list[str] = []
    for element in [*body.get("indexParams", ()), *body.get("indexIncludingParams", ())]:
        entry = element["IndexElem"]
        original = entry.get("name") or expression_name(entry.get("expr", {}))
        if original is None:
            return None
        name, number = original, 0
        while name in chosen:
            number += 1
            name = _clipped(original.encode(), _MAXIMUM_BYTES - len(str(number))) + str(number)
        chosen.append(name)
    return chosen


def chosen_index_name(known: Known, key: str, body: Node) -> str | None:
    """The name of an index made without one, or None where the catalog does not tell."""
    relation = _free_names(known, key)
    if relation is None:
        return None
    table, is_taken, _ = relation
    columns = index_columns(body)
    return None if columns is None else _counted(table, joined_columns(columns), "idx", is_taken)


def chosen_constraint_name(known: Known, key: str, constraint: Node) -> str | None:  # noqa: PLR0911 - one return for each form of the statement
    """The name of a constraint added to an existing table without one, or None where the catalog does not tell."""
    names = _free_names(known, key)
    if names is None:
        return None
    table, relation_taken, constraint_taken = names
    kind = constraint.get("contype")
    keys = list(strings(constraint.get("keys")))
    if kind == "CONSTR_PRIMARY":
        return _counted(table, None, "pkey", lambda name: relation_taken(name) or constraint_taken(name))
    if kind == "CONSTR_UNIQUE" and keys:
        columns = [*keys, *strings(constraint.get("including"))]
        return _counted(table, joined_columns(columns), "key", lambda name: relation_taken(name) or constraint_taken(name))
    if kind == "CONSTR_FOREIGN":
        return _counted(table, joined_columns(strings(constraint.get("fk_attrs"))), "fkey", constraint_taken)
    if kind == "CONSTR_NOTNULL" and keys:
        return _counted(table, keys[0], "not_null", constraint_taken)
    if kind == "CONSTR_CHECK":
        return _check_name(known, key, constraint, table, constraint_taken)
    return None


def _check_name(known: Known, key: str, constraint: Node, table: str, is_taken: Callable[[str], bool]) -> str | None:
    relation = known.relation(key)
    if relation is None:
        return None
    used = set()
    for reference in find(constraint.get("raw_expr"), "ColumnRef"):
        fields = strings(reference.get("fields"))
        # a whole row, a field of a composite column, or a qualified column: too unusual to be sure
        if len(fields) != 1 or relation.column(fields[0]) is None:
            return None
        used.add(fields[0])
    return _counted(table, used.pop() if len(used) == 1 else None, "check", is_taken)


def _counted(table: str, addition: str | None, label: str, is_taken: Callable[[str], bool]) -> str:
    number = 0
    while True:
        name = object_name(table, addition, label if number == 0 else f"{label}{number}")
        if not is_taken(name):
            return name
        number += 1


def _free_names(known: Known, key: str) -> tuple[str, Callable[[str], bool], Callable[[str], bool]] | None:
    """The table's bare name and two tests: is this the name of a relation, of a constraint, in its schema."""
    if known.schema is None or known.relation(key) is None:
        return None
    namespace, _, table = key.partition(".")
    # a table made in the same plan has constraints and indexes whose names are not followed
    made_here = [name.partition(".")[2] for kind, name in known.made if kind == "table"]
    if any(other.startswith(table) for other in made_here):
        return None
    relations = known.schema.relations
    in_schema = [relation for name, relation in relations.items() if name.partition(".")[0] == namespace]
    taken = {relation.name for relation in in_schema} | {index.name for relation in in_schema for index in relation.indexes}
    taken |= set(known.schema.sequences) | {name for _, name in known.made}
    constraints = {constraint.name for relation in in_schema for constraint in relation.constraints}
    constraints |= {name.rpartition(".")[2] for kind, name in known.made if kind == "constraint"}
    for domain in known.schema.domains.values():
        constraints |= {constraint.name for constraint in domain.constraints}
    return table, lambda name: f"{namespace}.{name}" in taken, lambda name: name in constraints
