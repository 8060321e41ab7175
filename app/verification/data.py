"""Questions to the data: read-only, with a time limit, and never an answer where there was none."""

import json
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import tuple_row

from app.sql.names import split_qualified
from app.verification.answers import found_value, plain
from app.verification.report import State

Connection = psycopg.Connection[Any]
#: What a question about something that is not there any more is refused with: undefined column, table, function, object.
GONE = frozenset({"42703", "42P01", "42883", "42704"})
_CAP = 1000
_SHOWN = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a question came back with."""

    state: State
    evidence: str
    #: the error's code where the database refused the question
    sqlstate: str | None = None
    #: what a query returned, as JSON values
    found: Any = None


def returns(connection: Connection, query: str, expect: Any, *, timeout_ms: int) -> Answer:
    """Whether a query returns what is expected."""
    try:
        rows = _read(connection, sql.SQL(query), timeout_ms)
    except psycopg.Error as error:
        return _no_answer(error, timeout_ms)
    found = found_value([[plain(value) for value in row] for row in rows], expect)
    shown, expected = _short(found), _short(expect)
    if found == expect:
        return Answer(state="passed", evidence=f"returned {shown}, as expected", found=found)
    return Answer(state="failed", evidence=f"returned {shown}, expected {expected}", found=found)


def is_refused(connection: Connection, statement: str, sqlstate: str, *, timeout_ms: int) -> Answer:
    """Whether the database refuses a statement with that code; it is rolled back in any case."""
    try:
        with connection.transaction(force_rollback=True):
            _limit(connection, timeout_ms)
            connection.execute(sql.SQL(statement))
            connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
    except psycopg.Error as error:
        if error.sqlstate == sqlstate:
            return Answer(state="passed", evidence=f"refused with {sqlstate}, as expected")
        if error.sqlstate in {None, "57014", "55P03"}:
            return _no_answer(error, timeout_ms)
        evidence = f"refused with {error.sqlstate}, not with {sqlstate}: {_message(error)}"
        return Answer(state="failed", evidence=evidence, sqlstate=error.sqlstate)
    return Answer(state="failed", evidence=f"was taken; it should be refused with {sqlstate} (rolled back)")


def none_left(connection: Connection, relation: str, where: str, *, timeout_ms: int) -> Answer:
    """Whether no row of a relation (qualified, unquoted) meets the condition any more."""
    query = sql.SQL(
        "SELECT /* headgate */ count(*) FROM (SELECT FROM {relation} WHERE ({where}\n) LIMIT {cap}) AS left_over"
    ).format(
        relation=sql.Identifier(*split_qualified(relation)),
        where=sql.SQL(where),
        cap=sql.Literal(_CAP),
    )
    try:
        ((left,),) = _read(connection, query, timeout_ms)
    except psycopg.Error as error:
        return _no_answer(error, timeout_ms)
    if left == 0:
        return Answer(state="passed", evidence=f"0 rows of {relation} are left where {where}")
    more = "at least " if left == _CAP else ""
    return Answer(state="failed", evidence=f"{more}{left} rows of {relation} are left where {where}")


def _read(connection: Connection, query: sql.SQL | sql.Composed, timeout_ms: int) -> list[tuple[Any, ...]]:
    with connection.transaction(force_rollback=True), connection.cursor(row_factory=tuple_row) as cursor:
        cursor.execute("SET TRANSACTION READ ONLY")
        _limit(connection, timeout_ms)
        return cursor.execute(query).fetchall()


def _limit(connection: Connection, timeout_ms: int) -> None:
    connection.execute(
        "SELECT pg_catalog.set_config('statement_timeout', %(limit)s, true), pg_catalog.set_config('lock_timeout', '2s', true)",
        {"limit": f"{timeout_ms}ms"},
    )


def _no_answer(error: psycopg.Error, timeout_ms: int) -> Answer:
    """A lost connection is not an answer: it goes up, and the whole verification is repeated."""
    if error.sqlstate is None or (error.sqlstate[:2] in {"08", "57"} and error.sqlstate != "57014"):
        raise error
    if error.sqlstate == "57014":
        return Answer(state="unknown", evidence=f"stopped after its time limit of {timeout_ms / 1000:g} s", sqlstate="57014")
    return Answer(state="unknown", evidence=f"the database refused the question: {_message(error)}", sqlstate=error.sqlstate)


def _message(error: psycopg.Error) -> str:
    return error.diag.message_primary or str(error)


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
