"""Asks a target's rows the questions of an analysis: read-only, one after another, each with a time limit.

A question that takes too long, or that the role may not ask, has no answer: "not known", never "fits".
"""

import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import tuple_row

from app.analysis.probes.probe import Answer, Probe

Connection = psycopg.Connection[Any]
#: violations are counted up to here, and so many of them are shown
MOST_COUNTED, MOST_SHOWN = 10_000, 5
#: a value that can't be converted or a check that fails: what a conversion is asked about
_REFUSALS = ("22", "23")
_CANCELLED = "57014"
_WITHOUT_READ_RIGHT = "42501"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """How a target's rows may be asked."""

    #: for one question; 0 asks nothing
    timeout_ms: int = 5000
    #: for all questions together
    budget_ms: int = 30_000
    #: False: nothing of a row leaves the target, only counts do
    shows_rows: bool = True


def ask_rows(connection: Connection, probes: Iterable[Probe], asking: Asking) -> tuple[Answer, ...]:
    """The answers in the order of the questions; equal questions are asked once. The connection is in autocommit mode.

    Raises psycopg.OperationalError where the connection is lost.
    """
    known: dict[str, Answer] = {}
    answers = []
    ends = time.monotonic() + asking.budget_ms / 1000
    for probe in probes:
        if probe.question is None:
            answers.append(Answer(probe=probe, state="not known", reason=probe.why_not))
            continue
        if probe.question not in known:
            left_ms = int((ends - time.monotonic()) * 1000)
            known[probe.question] = _ask(connection, probe, replace(asking, timeout_ms=min(asking.timeout_ms, left_ms)))
        answers.append(replace(known[probe.question], probe=probe))
    return tuple(answers)


def _ask(connection: Connection, probe: Probe, asking: Asking) -> Answer:
    if asking.timeout_ms <= 0:
        return Answer(probe=probe, state="not known", reason="the time for questions was used up, or the policy allows none")
    started = time.monotonic()
    try:
        answer = _answered(connection, probe, asking)
    except psycopg.Error as error:
        answer = _unanswered(probe, error, asking)
    return replace(answer, took_ms=round((time.monotonic() - started) * 1000, 1))


def _answered(connection: Connection, probe: Probe, asking: Asking) -> Answer:
    with connection.transaction(force_rollback=True), connection.cursor(row_factory=tuple_row) as cursor:
        cursor.execute("SET TRANSACTION READ ONLY")
        cursor.execute(
            "SELECT pg_catalog.set_config('statement_timeout', %(limit)s, true),"
            " pg_catalog.set_config('lock_timeout', '1s', true),"
            # rows that policies hide would be counted as rows that fit
            " pg_catalog.set_config('row_security', 'off', true),"
            " pg_catalog.set_config('max_parallel_workers_per_gather', '0', true)",
            {"limit": f"{asking.timeout_ms}ms"},
        )
        # binary answers need the extended protocol, in which a text can be one statement only
        cursor.execute(_counted(probe, asking), binary=True)
        rows = cursor.fetchall()
        columns = tuple(column.name for column in cursor.description or ())
    if probe.kind == "conversion":
        return Answer(probe=probe, state="fits", count=0)
    count = int(rows[0][0]) if rows else 0
    return Answer(
        probe=probe,
        state="fails" if count else "fits",
        count=min(count, MOST_COUNTED),
        is_more=count > MOST_COUNTED,
        columns=columns[1:] if count else (),
        sample=tuple(tuple(row[1:]) for row in rows) if asking.shows_rows else (),
    )


def _counted(probe: Probe, asking: Asking) -> sql.Composed | sql.SQL:
    """The question with how many rows it finds, and the first of them."""
    question = sql.SQL(str(probe.question))
    if probe.kind == "conversion":
        return question
    limit = sql.Literal(MOST_COUNTED + 1)
    if not asking.shows_rows:
        return sql.SQL("SELECT /* headgate */ count(*) FROM ({} LIMIT {}) AS found").format(question, limit)
    return sql.SQL("SELECT /* headgate */ count(*) OVER (), found.* FROM ({} LIMIT {}) AS found LIMIT {}").format(
        question, limit, sql.Literal(MOST_SHOWN)
    )


def _unanswered(probe: Probe, error: psycopg.Error, asking: Asking) -> Answer:
    """A conversion that is refused is an answer; a lost connection goes up; everything else is not known."""
    code = error.sqlstate or ""
    if not code or (code[:2] in {"08", "57"} and code != _CANCELLED):
        raise error
    message = error.diag.message_primary or str(error)
    if probe.kind == "conversion" and code[:2] in _REFUSALS:
        return Answer(probe=probe, state="fails", reason=message if asking.shows_rows else f"SQLSTATE {code}")
    if code == _CANCELLED:
        return Answer(probe=probe, state="not known", reason=f"no answer within {asking.timeout_ms / 1000:g} s")
    if code == _WITHOUT_READ_RIGHT:
        return Answer(probe=probe, state="not known", reason=f"{message}: GRANT SELECT ON {probe.relation} to Headgate's role")
    return Answer(probe=probe, state="not known", reason=f"the database refused the question: {message}")
