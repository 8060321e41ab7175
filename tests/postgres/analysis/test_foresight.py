"""What is foreseen for certain is what PostgreSQL makes: the cases of cases.sql are run, and every relation is compared."""

from pathlib import Path
from typing import Any

import psycopg

from app.analysis.foresight import foresee
from app.catalog.records import Relation, Schema
from app.catalog.schema import read_schema
from app.sql.split import split
from tests.doubles.databases import Database

HERE = Path(__file__).parent
#: statements of one line that change definitions; the others of cases.sql are about rows and locks
CASES = [
    line.removeprefix("~ ")
    for line in (HERE / "cases.sql").read_text().splitlines()
    if line and not line.startswith(("--", "!")) and any(word in line.upper() for word in ("ALTER", "CREATE", "DROP", "COMMENT"))
]
#: one of so many is run each time the suite is; all of them held when this was written
SHARE = 6


def shape(relation: Relation) -> Any:
    """What does not depend on how PostgreSQL prints an expression."""
    columns = [
        (column.name, column.type.rpartition(".")[2], column.not_null, column.identity, column.generated, column.default is None)
        for column in relation.columns
    ]
    constraints = sorted(
        (item.name, item.kind, item.is_validated) for item in relation.constraints if item.kind not in {"not null", "trigger"}
    )
    indexes = sorted(index.name for index in relation.indexes)
    triggers = sorted(trigger.name for trigger in relation.triggers)
    return columns, constraints, indexes, triggers, relation.row_security, relation.comment


def _differences(told: Relation | None, found: Relation | None) -> str:
    if told is None or found is None:
        return "foreseen, not found" if told else "found, not foreseen"
    return "; ".join(
        f"foreseen {one}, found {other}" for one, other in zip(shape(told), shape(found), strict=True) if one != other
    )


def really(connection: psycopg.Connection[Any], case: str) -> Schema | None:
    """The schema after the case, which is undone; None where PostgreSQL refuses it."""
    try:
        with connection.transaction(force_rollback=True):
            connection.execute(case.encode())
            return read_schema(connection)
    except psycopg.Error:
        return None


def test_whatever_is_certain_comes_out_like_that(database: Database) -> None:
    database.execute((HERE / "schema.sql").read_text())
    wrong, certain = [], 0
    with database.connect() as connection:
        before = read_schema(connection)
        for case in CASES[::SHARE]:
            after = really(connection, case)
            if after is None:
                continue
            foreseen, doubts = foresee(split(case), before)
            if "" in doubts:
                continue
            for name in (foreseen.relations.keys() | after.relations.keys()) - doubts.keys():
                told, found = foreseen.relations.get(name), after.relations.get(name)
                if told is None or found is None or shape(told) != shape(found):
                    wrong.append(f"{case}\n  {name}: {_differences(told, found)}")
            certain += not doubts
    Database(name="postgres", server=database.server).execute("DROP ROLE IF EXISTS trace_ro")
    assert not wrong, "\n".join(wrong)
    assert certain > len(CASES) / SHARE / 2
