"""Which of the application's known statements would break: each is planned on the shadow before the plan and after every phase.

Nothing is executed. A statement that plans before and fails after is broken by what ran between; one that never planned is
reported as not planned, never as fine.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import psycopg

from app.catalog.records import QueryStatistics
from app.sql.split import split
from app.target.errors import from_psycopg

_PLANNABLE = ("SelectStmt", "InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt")


@dataclass(slots=True)
class Forecast:
    """Known statements and how they fared, phase by phase."""

    known: int = 0
    #: statements that planned before the plan and still do
    fine: dict[int, QueryStatistics] = field(default_factory=dict)
    not_planned: list[dict[str, Any]] = field(default_factory=list)
    broken: list[dict[str, Any]] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """The ``queries`` part of the contract's rehearse document."""
        return {
            "known": self.known,
            "planned": self.known - len(self.not_planned),
            "not_planned": self.not_planned,
            "broken": self.broken,
            "changed": [],
        }


def begin_forecast(connection: psycopg.Connection, queries: Sequence[QueryStatistics]) -> Forecast:
    """Plan every known statement on the shadow as it is before the plan."""
    forecast = Forecast(known=len(queries))
    for query in queries:
        reason = _unplannable(query.query) or _failure(connection, query.query)
        if reason is None:
            forecast.fine[query.query_id] = query
        else:
            forecast.not_planned.append({"queryid": str(query.query_id), "query": query.query, "reason": _message(reason)})
    return forecast


def look_again(connection: psycopg.Connection, forecast: Forecast, *, statement: int, phase: str) -> None:
    """Plan again what planned so far; what fails now was broken by the statements up to number ``statement``, in ``phase``."""
    for query_id, query in list(forecast.fine.items()):
        failure = _failure(connection, query.query)
        if failure is None:
            continue
        del forecast.fine[query_id]
        forecast.broken.append(
            {
                "queryid": str(query_id),
                "query": query.query,
                "calls": query.calls,
                "broken_by": {"statement": statement, "phase": phase},
                "error": failure,
            }
        )


def _unplannable(query: str) -> str | None:
    try:
        statements = split(query)
    except Exception as error:  # noqa: BLE001 - whatever the parser says of a foreign text is the reason that is shown
        return f"it does not parse: {error}"
    if len(statements) != 1 or statements[0].kind not in _PLANNABLE:
        return "it is not a query that PostgreSQL plans"
    return None


def _failure(connection: psycopg.Connection, query: str) -> dict[str, Any] | None:
    try:
        # never prepared by name: on its sixth time psycopg would bind the $1 that is to stay open
        connection.execute(f"EXPLAIN (GENERIC_PLAN) {query}".encode(), prepare=False)
    except psycopg.Error as error:
        return from_psycopg(error, query).as_json()
    return None


def _message(reason: str | dict[str, Any]) -> str:
    return reason if isinstance(reason, str) else str(reason["message"])
