"""Judges an input on a target as it is now: catalog, sizes and traffic, who is in the way, and what the rows say."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import psycopg

from app.analysis.basis import Basis
from app.analysis.foresight import foresee_analysis
from app.analysis.probes.probe import Answer
from app.analysis.report import Analysis
from app.analysis.uses import RelationUse, uses_of
from app.assessment.ask_rows import Asking, ask_rows
from app.catalog.activity import read_activity
from app.catalog.ask import ask
from app.catalog.encoding import to_json
from app.catalog.live import Activity
from app.catalog.preview import Preview
from app.catalog.records import Schema, Statistics
from app.catalog.schema import read_schema
from app.catalog.statistics import read_statistics
from app.target.errors import from_psycopg
from app.target.session import Target

Judging = Callable[[Basis], Analysis]
Report = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """An analysis on a target, with what was seen there."""

    analysis: Analysis
    schema: Schema
    statistics: Statistics
    activity: Activity
    answers: tuple[Answer, ...]
    uses: tuple[RelationUse, ...]
    preview: Preview
    asking: Asking

    def details(self) -> dict[str, Any]:
        """What the document has besides the analysis, as the contract says."""
        return {
            "running_now": _activity(self),
            "preflight": [answer.as_json() for answer in self.answers],
            "uses": [use.as_json() for use in self.uses],
            "preview": self.preview.as_json(),
        }

    def as_json(self) -> dict[str, Any]:
        """The analyze document of the contract."""
        return {**self.analysis.as_json(), **self.details()}


def assess(
    dsn: str,
    judge: Judging,
    basis: Basis,
    *,
    asking: Asking,
    with_traffic: Callable[[Statistics], Statistics] = lambda statistics: statistics,
    report: Report = lambda _: None,
) -> Assessment:
    """The assessment of what ``judge`` judges; where rows don't fit, it is judged once more with what they said.

    ``basis``: what is known besides the target. ``with_traffic`` adds the rates since an earlier look.
    Raises TargetError, and what ``judge`` raises.
    """
    with Target.connect(dsn, purpose="analysis", allow_standby=True) as target:
        try:
            report("Reading the target's catalog")
            schema, statistics = read_schema(target.connection), with_traffic(read_statistics(target.connection))
            activity, published = read_activity(target.connection), _publications(target.connection)
            (standbys,) = ask(target.connection, "standbys")
            basis = replace(
                basis,
                schema=schema,
                statistics=statistics,
                activity=activity,
                publications=published,
                standbys=standbys["standbys"],
            )
            report("Judging every statement")
            analysis = judge(basis)
            report("Asking the rows what they would refuse")
            answers = ask_rows(target.connection, analysis.probes, asking)
        except psycopg.Error as error:
            raise from_psycopg(error) from error
    if any(answer.state == "fails" for answer in answers):
        analysis = judge(replace(basis, answers=answers))
    return Assessment(
        analysis=analysis,
        schema=schema,
        statistics=statistics,
        activity=activity,
        answers=answers,
        uses=uses_of(analysis, schema=schema, statistics=statistics, publications=published),
        preview=foresee_analysis(analysis, schema),
        asking=asking,
    )


def _publications(connection: psycopg.Connection[Any]) -> dict[str, tuple[str, ...]]:
    """The publications of each table."""
    return {row["relation"]: tuple(row["publications"]) for row in ask(connection, "publications")}


def _activity(found: Assessment) -> dict[str, Any]:
    """Who was there at the time of reading; of relations that the input does not lock, nothing."""
    locked = {lock.relation for statement in found.analysis.statements for lock in statement.locks}
    sessions = [
        replace(
            session,
            locks={name: modes for name, modes in session.locks.items() if name in locked},
            query=session.query if found.asking.shows_rows else "",
        )
        for session in found.activity.sessions
    ]
    kept = [session for session in sessions if session.locks or session.keeps_snapshot]
    workers = [worker for worker in found.activity.autovacuum if worker.relation in locked]
    return to_json(replace(found.activity, sessions=tuple(kept), autovacuum=tuple(workers)))
