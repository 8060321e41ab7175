"""Which of the application's known statements would break or be planned otherwise: each is planned before and after every phase.

Nothing is executed. A statement that plans before and fails after is broken by what ran between; one whose plan is another
after it is changed, with both plans and their costs; one that never planned is reported as not planned, never as fine.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import psycopg

from app.catalog.records import QueryStatistics
from app.rehearsal.query_plan import NotPlannableError, QueryPlan, plan_of
from app.sql.identity import is_of_an_application
from app.target.errors import from_psycopg


@dataclass(slots=True)
class Forecast:
    """Known statements and how they fared, phase by phase."""

    known: int = 0
    #: True where costs are of tables with the target's statistics and sizes
    compares_costs: bool = False
    #: statements that planned before the plan and still do, with their plan before it
    fine: dict[int, tuple[QueryStatistics, QueryPlan]] = field(default_factory=dict)
    not_planned: list[dict[str, Any]] = field(default_factory=list)
    broken: list[dict[str, Any]] = field(default_factory=list)
    #: by the statement's id; one that is planned as before again is taken out
    changed: dict[int, dict[str, Any]] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """The ``queries`` part of the contract's rehearse document."""
        changed = sorted(self.changed.values(), key=_weight, reverse=True)
        return {
            "known": self.known,
            "planned": self.known - len(self.not_planned),
            "not_planned": self.not_planned,
            "broken": self.broken,
            "changed": changed,
            "compares_costs": self.compares_costs,
        }


def begin_forecast(
    connection: psycopg.Connection, queries: Sequence[QueryStatistics], *, compares_costs: bool = False
) -> Forecast:
    """Plan every known statement of an application on the shadow as it is before the plan."""
    known = [query for query in queries if is_of_an_application(query.query)]
    forecast = Forecast(known=len(known), compares_costs=compares_costs)
    for query in known:
        planned = _try(connection, query.query)
        if isinstance(planned, QueryPlan):
            forecast.fine[query.query_id] = (query, planned)
        else:
            forecast.not_planned.append({"queryid": str(query.query_id), "query": query.query, "reason": planned["message"]})
    return forecast


def look_again(connection: psycopg.Connection, forecast: Forecast, *, statement: int, phase: str) -> None:
    """Plan again what planned so far; what fails or differs now comes of the statements up to ``statement``, in ``phase``."""
    by = {"statement": statement, "phase": phase}
    for query_id, (query, before) in list(forecast.fine.items()):
        after = _try(connection, query.query)
        told = {"queryid": str(query_id), "query": query.query, "calls": query.calls}
        if not isinstance(after, QueryPlan):
            del forecast.fine[query_id]
            forecast.changed.pop(query_id, None)
            forecast.broken.append({**told, "broken_by": by, "error": after})
        elif after.differs_from(before, costs_count=forecast.compares_costs):
            first = forecast.changed.get(query_id, {}).get("changed_by", by)
            forecast.changed[query_id] = {**told, **_costs(before, after), "changed_by": first}
        else:
            forecast.changed.pop(query_id, None)


def _costs(before: QueryPlan, after: QueryPlan) -> dict[str, Any]:
    return {
        "cost_before": round(before.cost, 2),
        "cost_after": round(after.cost, 2),
        "plan_before": before.text(),
        "plan_after": after.text(),
    }


def _weight(entry: Mapping[str, Any]) -> float:
    """How much more a statement costs, all its calls together: the worst stands first."""
    return float((entry["cost_after"] - entry["cost_before"]) * entry["calls"])


def _try(connection: psycopg.Connection, query: str) -> QueryPlan | dict[str, Any]:
    try:
        return plan_of(connection, query)
    except NotPlannableError as error:
        return error.as_json()
    except psycopg.Error as error:
        return from_psycopg(error, query).as_json()
