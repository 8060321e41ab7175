"""Reads everything that people made in a database, from one snapshot of its catalog.

The number of questions does not grow with the number of tables. Every type and definition comes back with qualified names, so
that two databases compare equal whatever their search_path; object numbers (OIDs) join the answers here and go no further.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from app.catalog.ask import Connection, ask, ask_tuples, one_snapshot
from app.catalog.pieces import (
    GENERATED,
    IDENTITY,
    RELATION_KINDS,
    REPLICA_IDENTITY,
    Attributes,
    constraint_of,
    dependent_of,
    domain_of,
    function_of,
    index_of,
    policy_of,
    sequence_of,
    statistics_of,
    trigger_of,
)
from app.catalog.records import Column, EnumType, Relation, Schema

#: Headgate's own schema on a target: never part of what people made.
OWN_SCHEMA = "headgate"

_T = TypeVar("_T")
_Row = Mapping[str, Any]


def read_schema(connection: Connection) -> Schema:
    """Everything that people made in the connection's database, as it was at one moment.

    Inside a transaction of the caller, its own uncommitted changes are seen. Waits at most two seconds for a table that another
    session is altering (psycopg.errors.LockNotAvailable).
    """
    with one_snapshot(connection):
        own = ask(connection, "own_schemas", {"own": OWN_SCHEMA})
        connection.execute("SELECT pg_catalog.set_config('search_path', '', true)")
        where = {"schemas": [row["oid"] for row in own]}
        searched = sorted((row["searched"], row["name"]) for row in own if row["searched"] is not None)
        return Schema(
            server_version_num=connection.info.server_version,
            search_path=tuple(name for _, name in searched),
            schemas=tuple(row["name"] for row in own),
            relations=_read_relations(connection, where),
            enums={row["name"]: _enum(row) for row in ask(connection, "enums", where)},
            domains=_read_domains(connection, where),
            functions={row["signature"]: function_of(row) for row in ask(connection, "functions", where)},
            sequences={row["name"]: sequence_of(row) for row in ask(connection, "sequences", where)},
            publications={row["name"]: tuple(row["relations"]) for row in ask(connection, "publication_tables", where)},
            extension_users={row["name"]: tuple(row["relations"]) for row in ask(connection, "extension_users", where)},
            decorated=tuple(row["what"] for row in ask(connection, "decorated", where)),
            extensions={row["name"]: row["version"] for row in ask(connection, "extensions")},
        )


def _enum(row: _Row) -> EnumType:
    return EnumType(name=row["name"], labels=tuple(row["labels"]))


def _read_domains(connection: Connection, where: _Row) -> Mapping[str, Any]:
    checks: dict[int, list[_Row]] = defaultdict(list)
    for row in ask(connection, "domain_constraints", where):
        checks[row["domain_oid"]].append(row)
    return {row["name"]: domain_of(row, checks[row["oid"]]) for row in ask(connection, "domains", where)}


def _read_relations(connection: Connection, where: _Row) -> dict[str, Relation]:
    rows = ask(connection, "relations", where)
    names: dict[int, str] = {row["oid"]: row["name"] for row in rows}
    columns, attributes = _read_columns(connection, where)

    def grouped(question: str, build: Callable[[_Row, str, Attributes], _T]) -> dict[int, tuple[_T, ...]]:
        answers = ask(connection, question, where)
        known = (row for row in answers if row["relation_oid"] in names)
        return _grouped((row["relation_oid"], build(row, names[row["relation_oid"]], attributes)) for row in known)

    indexes = grouped("indexes", index_of)
    constraints = grouped("constraints", constraint_of)
    triggers = grouped("triggers", trigger_of)
    policies = grouped("policies", policy_of)
    dependents = grouped("dependents", dependent_of)
    statistics = grouped("extended_statistics", statistics_of)
    parents = grouped("parents", lambda row, _name, _attributes: str(row["parent"]))
    return {
        row["name"]: Relation(
            name=row["name"],
            kind=RELATION_KINDS[row["kind"]],
            columns=columns.get(oid, ()),
            indexes=indexes.get(oid, ()),
            constraints=constraints.get(oid, ()),
            triggers=triggers.get(oid, ()),
            policies=policies.get(oid, ()),
            view_definition=row["view_definition"],
            parents=parents.get(oid, ()),
            partition_bound=row["partition_bound"],
            partition_key=row["partition_key"],
            is_unlogged=row["is_unlogged"],
            row_security=row["row_security"],
            replica_identity=REPLICA_IDENTITY[row["replica_identity"]],
            options=tuple(row["options"]),
            comment=row["comment"],
            owner=row["owner"],
            dependents=dependents.get(oid, ()),
            grants=tuple(row["grants"]),
            statistics=statistics.get(oid, ()),
            of_type=row["of_type"],
            tablespace=row["tablespace"],
        )
        for row in rows
        for oid in (row["oid"],)
    }


def _read_columns(connection: Connection, where: _Row) -> tuple[dict[int, tuple[Column, ...]], Attributes]:
    columns: dict[int, list[Column]] = defaultdict(list)
    attributes: dict[int, dict[int, str]] = defaultdict(dict)
    for row in ask_tuples(connection, "columns", where):
        (
            oid,
            number,
            name,
            type_,
            not_null,
            default,
            identity,
            generated,
            collation,
            comment,
            sequence,
            target,
            storage,
            compression,
        ) = row
        attributes[oid][number] = name
        columns[oid].append(
            Column(
                name=name,
                type=type_,
                not_null=not_null,
                default=default,
                identity=IDENTITY[identity],
                generated=GENERATED[generated],
                collation=collation,
                comment=comment,
                owned_sequence=sequence,
                statistics_target=target,
                storage=storage,
                compression=compression,
            )
        )
    return {oid: tuple(found) for oid, found in columns.items()}, attributes


def _grouped(pairs: Iterable[tuple[int, _T]]) -> dict[int, tuple[_T, ...]]:
    groups: dict[int, list[_T]] = defaultdict(list)
    for oid, value in pairs:
        groups[oid].append(value)
    return {oid: tuple(values) for oid, values in groups.items()}
