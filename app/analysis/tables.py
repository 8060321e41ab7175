"""What is known of a relation at one point of the input: from the catalog, changed by the statements before that point."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from app.catalog.records import Column, Constraint, Index, Relation, RelationStatistics
from app.errors import HeadgateError
from app.sql.parser import parse_json
from app.sql.tree import Node, strings, walk


@dataclass(slots=True, kw_only=True)
class ColumnFacts:
    """A column; ``type`` as format_type() prints it, None where it is not known."""

    name: str
    type: str | None = None
    not_null: bool = False
    has_default: bool = False
    generated: str = ""
    #: SQL of a generated column's expression, or None
    expression: str | None = None
    identity: str = ""
    collation: str | None = None
    owned_sequence: str | None = None
    #: made by the input: nobody else uses it yet
    is_new: bool = False


@dataclass(slots=True, kw_only=True)
class ConstraintFacts:
    """A constraint; ``expression`` is the tree of a CHECK."""

    name: str
    kind: str
    columns: tuple[str, ...] = ()
    is_validated: bool = True
    is_enforced: bool = True
    expression: Any = None
    references: str | None = None
    referenced_columns: tuple[str, ...] = ()
    #: deleting a referenced row changes or deletes the referencing ones
    cascades: bool = False
    index: str | None = None
    #: made by the input: what it protects is what the input itself decides
    is_new: bool = False


@dataclass(slots=True, kw_only=True)
class IndexFacts:
    """An index, by its qualified name."""

    name: str
    columns: tuple[str | None, ...] = ()
    is_unique: bool = False
    is_valid: bool = True
    constraint: str | None = None
    depends_on: tuple[str, ...] = ()
    has_predicate: bool = False
    #: None where no catalog says how often it is used
    scans: int | None = None
    is_new: bool = False
    definition: str = ""

    def touches(self, column: str) -> bool:
        """True where the column is a key, included, or used by an expression or the predicate."""
        return column in self.columns or column in self.depends_on

    def rebuilt_with(self, column: str) -> bool:
        """True where any change of the column's type rebuilds it: an expression or a predicate can't be compared."""
        return self.touches(column) and (self.has_predicate or None in self.columns)


@dataclass(slots=True, kw_only=True)
class Table:
    """A relation: a table unless ``kind`` says otherwise."""

    name: str
    kind: str = "table"
    #: made by the input itself (or temporary): nobody else uses it yet
    is_new: bool = False
    #: all its columns, indexes and constraints are known
    is_known: bool = False
    #: emptied by the input
    is_empty: bool = False
    columns: dict[str, ColumnFacts] = field(default_factory=dict)
    constraints: dict[str, ConstraintFacts] = field(default_factory=dict)
    indexes: dict[str, IndexFacts] = field(default_factory=dict)
    parents: tuple[str, ...] = ()
    #: SQL of the bound; "DEFAULT" for the default partition
    partition_bound: str | None = None
    partition_key: tuple[str, ...] = ()
    #: None where it is not known
    is_unlogged: bool | None = None
    #: name -> definition, "" where the input made it
    policies: dict[str, str] = field(default_factory=dict)
    row_security: bool = False
    triggers: dict[str, str] = field(default_factory=dict)
    #: (kind, name, columns)
    dependents: tuple[tuple[str, str, tuple[str, ...]], ...] = ()
    statistics: RelationStatistics | None = None
    #: the composite type that a typed table follows
    of_type: str | None = None
    #: None where it is not known
    tablespace: str | None = None

    def proves_not_null(self, column: str, *, without: Iterable[str] = ()) -> bool:
        """True where a valid constraint (other than those named) says that the column holds no NULL."""
        found = self.columns.get(column)
        if found and found.not_null and not self._not_null_pending(column):
            return True
        left_out = set(without)
        return any(
            constraint.is_validated and constraint.is_enforced and column in not_null_columns(constraint)
            for constraint in self.constraints.values()
            if constraint.name not in left_out
        )

    def _not_null_pending(self, column: str) -> bool:
        """PostgreSQL 18 marks the column at once while its NOT VALID constraint has proven nothing."""
        return any(
            constraint.kind == "not null" and column in constraint.columns and not constraint.is_validated
            for constraint in self.constraints.values()
        )

    def index_with_prefix(self, columns: tuple[str, ...]) -> IndexFacts | None:
        """A valid, unconditional index whose leading columns are these, in any order."""
        return next(
            (
                index
                for index in self.indexes.values()
                if index.is_valid and not index.has_predicate and set(index.columns[: len(columns)]) == set(columns)
            ),
            None,
        )

    @property
    def is_partitioned(self) -> bool:
        """True for a partitioned table."""
        return self.kind == "partitioned table"

    @property
    def is_default_partition(self) -> bool:
        """True for the DEFAULT partition of its parent."""
        return (self.partition_bound or "").strip().upper() == "DEFAULT"


def not_null_columns(constraint: ConstraintFacts) -> frozenset[str]:
    """The columns that a constraint proves to hold no NULL: ``c IS NOT NULL`` alone or in a list of ANDs."""
    if constraint.kind in {"not null", "primary key"}:
        return frozenset(constraint.columns)
    return frozenset(_proven(constraint.expression)) if constraint.kind == "check" else frozenset()


def _proven(expression: Node | None) -> Iterator[str]:
    pending = [expression]
    while pending:
        node = pending.pop()
        if not node:
            continue
        if "BoolExpr" in node and node["BoolExpr"].get("boolop") == "AND_EXPR":
            pending.extend(node["BoolExpr"].get("args", ()))
        elif "NullTest" in node and node["NullTest"].get("nulltesttype") == "IS_NOT_NULL":
            yield from strings(node["NullTest"].get("arg", {}).get("ColumnRef", {}).get("fields"))[-1:]


def columns_in(expression: Any) -> frozenset[str]:
    """The names of the columns that an expression uses."""
    references = (body for kind, body in walk(expression) if kind == "ColumnRef")
    return frozenset(name for body in references for name in strings(body.get("fields"))[-1:])


@lru_cache(maxsize=4096)
def parsed_constraint(definition: str) -> Any:
    """The Constraint node of what pg_get_constraintdef() printed; {} where it does not parse."""
    try:
        tree = parse_json(f"ALTER TABLE t ADD {definition}")
        return tree["stmts"][0]["stmt"]["AlterTableStmt"]["cmds"][0]["AlterTableCmd"]["def"]["Constraint"]
    except (HeadgateError, KeyError, IndexError):
        return {}


def from_catalog(relation: Relation, statistics: RelationStatistics | None) -> Table:
    """The facts of a relation that the target has."""
    return Table(
        name=relation.name,
        kind=relation.kind,
        is_known=True,
        columns={column.name: _column(column) for column in relation.columns},
        constraints={constraint.name: _constraint(constraint) for constraint in relation.constraints},
        indexes={index.name: _index(index) for index in relation.indexes},
        parents=relation.parents,
        partition_bound=relation.partition_bound,
        partition_key=_key_columns(relation.partition_key),
        is_unlogged=relation.is_unlogged,
        policies={policy.name: policy.definition for policy in relation.policies},
        row_security=relation.row_security,
        triggers={trigger.name: trigger.definition for trigger in relation.triggers},
        dependents=tuple((dependent.kind, dependent.name, dependent.columns) for dependent in relation.dependents),
        statistics=statistics,
        of_type=relation.of_type,
        tablespace=relation.tablespace,
    )


_ON_DELETE = re.compile(r"\bON DELETE (?:CASCADE|SET NULL|SET DEFAULT)\b")


def _column(column: Column) -> ColumnFacts:
    return ColumnFacts(
        name=column.name,
        type=column.type,
        not_null=column.not_null,
        has_default=column.default is not None and not column.generated,
        generated=column.generated,
        expression=column.default if column.generated else None,
        identity=column.identity,
        collation=column.collation,
        owned_sequence=column.owned_sequence,
    )


def _constraint(constraint: Constraint) -> ConstraintFacts:
    is_check = constraint.kind == "check"
    return ConstraintFacts(
        name=constraint.name,
        kind=constraint.kind,
        columns=constraint.columns,
        is_validated=constraint.is_validated,
        is_enforced="NOT ENFORCED" not in constraint.definition,
        expression=parsed_constraint(constraint.definition).get("raw_expr") if is_check else None,
        references=constraint.references,
        referenced_columns=constraint.referenced_columns,
        cascades=bool(_ON_DELETE.search(constraint.definition)),
        index=constraint.index,
    )


def _index(index: Index) -> IndexFacts:
    return IndexFacts(
        name=index.name,
        columns=index.columns,
        is_unique=index.is_unique,
        is_valid=index.is_valid,
        constraint=index.constraint,
        depends_on=index.depends_on,
        has_predicate=index.predicate is not None,
        scans=index.scans,
        definition=index.definition,
    )


def _key_columns(key: str | None) -> tuple[str, ...]:
    """``RANGE (created_at, id)`` -> ("created_at", "id")."""
    inside = (key or "").partition("(")[2].rpartition(")")[0]
    return tuple(part.strip().strip('"') for part in inside.split(",") if part.strip())
