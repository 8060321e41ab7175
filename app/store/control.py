"""Who drives a run: asked for, handed over, declined, taken, reviewed; and the sessions that a person had ended for it."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session, aliased

from app.store.tables.control import Handover, SessionEnding
from app.store.tables.people import Person
from app.store.tables.plans import Plan
from app.store.tables.runs import Run
from app.store.words import HandoverState


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One line about the control of a run, with the names of people."""

    id: int
    run_id: int
    state: HandoverState
    person_id: int
    #: who asks, or has it since
    person: str
    #: who drove the run then
    driver: str
    note: str
    at: datetime
    is_reviewed: bool


def open_ask(session: Session, run_id: int, person_id: int) -> Handover | None:
    """The person's wish to drive the run that nobody answered yet."""
    return session.scalar(
        select(Handover).where(Handover.run_id == run_id, Handover.person_id == person_id, Handover.state == HandoverState.ASKED)
    )


def open_asks(session: Session, run_id: int) -> list[Change]:
    """Who asks for the control of a run, the first one first."""
    return _changes(session, Handover.run_id == run_id, Handover.state == HandoverState.ASKED)


def to_review(session: Session, *where: ColumnElement[bool]) -> list[Change]:
    """Controls that were taken and that nobody else looked at yet."""
    return _changes(session, Handover.state == HandoverState.TAKEN, Handover.reviewed_at.is_(None), *where)


def endings(session: Session, run_id: int) -> list[SessionEnding]:
    """The sessions that people had ended for a run, the newest first."""
    return list(session.scalars(select(SessionEnding).where(SessionEnding.run_id == run_id).order_by(SessionEnding.id.desc())))


def _changes(session: Session, *where: ColumnElement[bool]) -> list[Change]:
    person, driver = aliased(Person), aliased(Person)
    rows = session.execute(
        select(Handover, person.name, driver.name)
        .join(person, person.id == Handover.person_id)
        .join(driver, driver.id == Handover.driver_id)
        .join(Run, Run.id == Handover.run_id)
        .join(Plan, Plan.id == Run.plan_id)
        .where(*where)
        .order_by(Handover.id)
    )
    return [
        Change(
            id=row.id,
            run_id=row.run_id,
            state=row.state,
            person_id=row.person_id,
            person=name,
            driver=driver_name,
            note=row.note,
            at=row.at,
            is_reviewed=row.reviewed_at is not None,
        )
        for row, name, driver_name in rows
    ]
