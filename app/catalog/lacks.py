"""What a target or its role lacks, each with the reason and the statement that mends it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from psycopg import sql

Facts = Mapping[str, Any]
_PUBLIC = "public"


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """One thing that is missing on a target."""

    what: str
    why: str
    #: run by an administrator of the target, word for word
    grant_sql: str
    #: False where plans run without it and only know or show less
    is_required: bool = True


def lacks(facts: Facts, owners: Sequence[Facts], statements: Facts) -> Iterator[Missing]:
    """What is missing, by the answers of queries/rights.sql, table_rights.sql and statements_extension.sql."""
    if facts["is_superuser"]:
        yield from _of_statements(statements)
        return
    yield from _to_create(facts)
    yield from _to_alter(facts, owners)
    yield from _to_watch(facts)
    yield from _of_statements(statements)


def _to_create(facts: Facts) -> Iterator[Missing]:
    database, role = facts["database"], facts["role"]
    if facts["can_use_own_schema"] is None and not facts["can_create_schema"]:
        yield Missing(
            what=f"may not create a schema in {database}",
            why="The ledger of what took effect lives in a schema of its own in the target, and commits together with the work.",
            grant_sql=_sql("GRANT CREATE ON DATABASE {} TO {};", database, role),
        )
    if facts["can_use_own_schema"] is False:
        yield Missing(
            what="may not use the schema headgate, which another role made",
            why="The ledger of what took effect lives there.",
            grant_sql=_sql(
                "GRANT USAGE, CREATE ON SCHEMA headgate TO {0}; GRANT ALL ON ALL TABLES IN SCHEMA headgate TO {0};", role
            ),
        )
    if facts["can_create_in_public"] is False:
        yield Missing(
            what=f"may not create tables in schema {_PUBLIC}",
            why="Plans that add tables or types need it.",
            grant_sql=_sql("GRANT USAGE, CREATE ON SCHEMA {} TO {};", _PUBLIC, role),
        )
    if not facts["can_create_database"]:
        yield Missing(
            what="may not create databases",
            why="A backup is restored into a new database beside the old one. Everything else works without it.",
            grant_sql=_sql("ALTER ROLE {} CREATEDB;", role),
            is_required=False,
        )


def _to_alter(facts: Facts, owners: Sequence[Facts]) -> Iterator[Missing]:
    role = facts["role"]
    for row in owners:
        if not row["is_ours"]:
            yield Missing(
                what=f"does not own {_tables(row['tables'])} of {row['owner']}",
                why="PostgreSQL lets only the owner of a table, or a member of the owning role, alter it.",
                grant_sql=_sql("GRANT {} TO {};", row["owner"], role),
            )
    unreadable = sum(row["tables"] - row["readable"] for row in owners)
    if unreadable:
        yield Missing(
            what=f"may not read {_tables(unreadable)}",
            why="Backups and data checks read them.",
            grant_sql=_sql("GRANT pg_read_all_data TO {};", role),
            is_required=False,
        )


def _to_watch(facts: Facts) -> Iterator[Missing]:
    if not (facts["has_monitor"] or facts["has_read_all_stats"]):
        yield Missing(
            what="may not see what other sessions do",
            why="Without it blockers, old transactions and the statements of other roles are hidden, and are shown as unknown.",
            grant_sql=_sql("GRANT pg_monitor TO {};", facts["role"]),
            is_required=False,
        )
    if not facts["has_signal_backend"]:
        yield Missing(
            what="may not end sessions of other roles",
            why="An operator may want to end a session that blocks a run. Runs wait politely without it.",
            grant_sql=_sql("GRANT pg_signal_backend TO {};", facts["role"]),
            is_required=False,
        )


def _of_statements(statements: Facts) -> Iterator[Missing]:
    if statements["max_entries"] is None:
        yield Missing(
            what="pg_stat_statements is not loaded",
            why="Which statements of the application a plan touches, and whether they got slower, is known from it.",
            grant_sql="ALTER SYSTEM SET shared_preload_libraries = 'pg_stat_statements';"
            " -- beside what SHOW shared_preload_libraries lists now; restart; CREATE EXTENSION pg_stat_statements;",
            is_required=False,
        )
    elif statements["schema"] is None:
        yield Missing(
            what="pg_stat_statements is loaded, but its view is not in this database",
            why="Which statements of the application a plan touches, and whether they got slower, is known from it.",
            grant_sql="CREATE EXTENSION pg_stat_statements;",
            is_required=False,
        )
    elif not statements["is_tracking"]:
        yield Missing(
            what="pg_stat_statements counts nothing",
            why="pg_stat_statements.track is set to none.",
            grant_sql="ALTER SYSTEM SET pg_stat_statements.track = 'top'; SELECT pg_reload_conf();",
            is_required=False,
        )


def _tables(count: int) -> str:
    return "1 table" if count == 1 else f"{count} tables"


def _sql(template: str, *names: str) -> str:
    return template.format(*(sql.Identifier(name).as_string(None) for name in names))
