"""Who uses what the plan changes: known statements by relation and column, and what hangs on it in the catalog."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from app.analysis.report import Analysis, SchemaChange
from app.analysis.traffic import KnownQuery, Traffic
from app.catalog.records import Relation, Schema, Statistics

#: statements of a relation that are listed; how many more there are is told
SHOWN = 20
_LONGEST = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryUse:
    """One known statement that touches a relation."""

    queryid: str
    query: str
    calls: int
    calls_per_second: float | None
    mean_ms: float
    #: "reads" or "writes"
    kind: str
    #: of the columns that change, those that it names
    columns: tuple[str, ...] = ()
    #: it reads whole rows, so every change of a column shows in it
    has_star: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Hanging:
    """One object that depends on a relation."""

    kind: str
    name: str
    columns: tuple[str, ...] = ()
    #: it uses a column that changes
    is_touched: bool = False
    #: PostgreSQL does not know it: the name stands in the body of a function
    is_guess: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RelationUse:
    """One relation that the plan changes, with everybody who uses it."""

    relation: str
    rows: int | None
    total_bytes: int | None
    reads_per_second: float | None
    writes_per_second: float | None
    #: how the traffic was counted; empty where it was not
    counted: str
    changed_columns: tuple[str, ...]
    queries: tuple[QueryUse, ...]
    #: known statements beyond those that are listed
    more_queries: int
    hanging: tuple[Hanging, ...]
    publications: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """As the contract says."""
        return asdict(self)

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "RelationUse":
        """The record that ``as_json`` wrote."""
        queries = tuple(QueryUse(**{**entry, "columns": tuple(entry["columns"])}) for entry in content["queries"])
        hanging = tuple(Hanging(**{**entry, "columns": tuple(entry["columns"])}) for entry in content["hanging"])
        lists = {name: tuple(content[name]) for name in ("changed_columns", "publications")}
        return cls(**{**content, **lists, "queries": queries, "hanging": hanging})


def uses_of(
    analysis: Analysis, *, schema: Schema, statistics: Statistics, publications: Mapping[str, Sequence[str]]
) -> tuple[RelationUse, ...]:
    """The relations that the plan modifies or removes, the busiest first."""
    names = [name for name in (*analysis.tables.modified, *analysis.tables.removed) if name in schema.relations]
    users = _Users(
        schema=schema,
        statistics=statistics,
        publications=publications,
        traffic=Traffic(names, schema=schema, statistics=statistics),
        changes=analysis.changes,
    )
    found = [users.of(name) for name in names]
    return tuple(sorted(found, key=lambda use: (-(use.reads_per_second or 0) - (use.writes_per_second or 0), use.relation)))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Users:
    """Everything that is known about who uses what."""

    schema: Schema
    statistics: Statistics
    publications: Mapping[str, Sequence[str]]
    traffic: Traffic
    changes: Sequence[SchemaChange]

    def of(self, name: str) -> RelationUse:
        """Who uses one relation."""
        relation, size, rate = self.schema.relations[name], self.statistics.relations.get(name), self.traffic.of(name)
        columns = tuple(dict.fromkeys(each.column for each in self.changes if each.relation == name and each.column))
        known = sorted(self.traffic.queries(name), key=lambda each: not _columns_in(each, columns))
        bodies = {function.signature: function.definition for function in self.schema.functions.values()}
        return RelationUse(
            relation=name,
            rows=size.estimated_rows if size else None,
            total_bytes=size.total_bytes if size else None,
            reads_per_second=None if rate is None else round(rate.reads, 2),
            writes_per_second=None if rate is None else round(rate.writes, 2),
            counted=rate.source if rate else "",
            changed_columns=columns,
            queries=tuple(_query(each, name, columns) for each in known[:SHOWN]),
            more_queries=max(0, len(known) - SHOWN),
            hanging=(*_from_catalog(relation, self.schema, columns), *_from_bodies(relation, bodies, columns)),
            publications=tuple(self.publications.get(name, ())),
        )


def _columns_in(known: KnownQuery, columns: Sequence[str]) -> tuple[str, ...]:
    return tuple(name for name in columns if name in known.identity.columns)


def _query(known: KnownQuery, relation: str, columns: Sequence[str]) -> QueryUse:
    query = known.query
    return QueryUse(
        queryid=str(query.query_id),
        query=query.query[:_LONGEST],
        calls=query.calls,
        calls_per_second=None if query.calls_per_second is None else round(query.calls_per_second, 3),
        mean_ms=round(query.mean_ms, 3),
        kind="writes" if relation in known.writes else "reads",
        columns=_columns_in(known, columns),
        has_star=known.identity.has_star,
    )


def _from_catalog(relation: Relation, schema: Schema, columns: Sequence[str]) -> Iterator[Hanging]:
    """What PostgreSQL itself says depends on the relation, and what is attached to it."""
    touched = set(columns)
    for dependent in relation.dependents:
        is_touched = bool(touched & set(dependent.columns))
        yield Hanging(kind=dependent.kind, name=dependent.name, columns=dependent.columns, is_touched=is_touched)
    for constraint in relation.constraints:
        if constraint.references and constraint.references in schema.relations:
            is_touched = bool(touched & set(constraint.columns))
            name = f"{constraint.name} to {constraint.references}"
            yield Hanging(kind="own foreign key", name=name, columns=constraint.columns, is_touched=is_touched)
    for trigger in relation.triggers:
        yield Hanging(kind="trigger", name=trigger.name, columns=(), is_touched=_names_one(trigger.definition, touched))
    for policy in relation.policies:
        yield Hanging(kind="own policy", name=policy.name, columns=(), is_touched=_names_one(policy.definition, touched))
    for index in relation.indexes:
        if touched & {*index.depends_on, *(name for name in index.columns if name)}:
            yield Hanging(kind="index", name=index.name, columns=index.depends_on, is_touched=True)


def _from_bodies(relation: Relation, bodies: Mapping[str, str], columns: Sequence[str]) -> Iterator[Hanging]:
    """Functions whose text names the relation: PostgreSQL does not look into the bodies of PL/pgSQL."""
    known = {dependent.name for dependent in relation.dependents}
    word = re.compile(rf"(?<![\w$]){re.escape(relation.name.rpartition('.')[2])}(?![\w$])")
    for signature, definition in bodies.items():
        if signature not in known and word.search(definition):
            is_touched = _names_one(definition, columns)
            yield Hanging(kind="function", name=signature, is_touched=is_touched, is_guess=True)


def _names_one(text: str, columns: Iterable[str]) -> bool:
    return any(re.search(rf"(?<![\w$]){re.escape(name)}(?![\w$])", text) for name in columns)
