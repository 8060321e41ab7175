"""Who drives a run, who asks for it, what was taken and is to be reviewed, and which sessions in its way may be ended."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.actions.permissions import Permission, allows
from app.actions.work import Work
from app.run.states import ACTIVE, RunState
from app.store import control, people
from app.store.control import Change
from app.store.tables import Handover, RunGauge, SessionEnding
from app.store.words import EndingOutcome
from app.web.views.runs import RunPage


@dataclass(frozen=True, slots=True, kw_only=True)
class Blocker:
    """A session in the run's way."""

    pid: int
    backend_start: str
    session: str
    #: what came of the wish to end it; "" where nobody wished that
    outcome: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """The card about the control of a run, for one person."""

    driver: str
    is_mine: bool
    #: may drive the run: ask for it, take it, be given it
    may_drive: bool
    has_asked: bool
    asks: tuple[Change, ...]
    #: to whom it may be handed: id and name
    others: tuple[tuple[int, str], ...]
    to_review: tuple[Change, ...]
    may_review: bool
    blockers: tuple[Blocker, ...]
    may_end: bool

    @property
    def is_empty(self) -> bool:
        """True where there is nothing to say and nothing to do."""
        return not (self.may_drive or self.to_review or self.blockers)

    def as_json(self) -> dict[str, Any]:
        """For scripts."""
        return {
            "driver": self.driver,
            "is_mine": self.is_mine,
            "asks": [{"person_id": ask.person_id, "person": ask.person, "note": ask.note, "at": ask.at} for ask in self.asks],
            "to_review": [
                {"id": taken.id, "person": taken.person, "from": taken.driver, "reason": taken.note, "at": taken.at}
                for taken in self.to_review
            ],
            "blockers": [
                {"pid": found.pid, "backend_start": found.backend_start, "session": found.session, "outcome": found.outcome}
                for found in self.blockers
            ],
        }


def control_of(work: Work, page: RunPage) -> Control:
    """The card for the one who looks."""
    run, me, project = page.run, work.actor.person_id, page.project_id
    is_driven = run.state in ACTIVE
    asks = control.open_asks(work.session, run.id) if is_driven else []
    is_mine = is_driven and run.driver_id == me
    return Control(
        driver=people.names(work.session, {run.driver_id}).get(run.driver_id, "somebody") if is_driven else "",
        is_mine=is_mine,
        may_drive=is_driven and work.actor.may(project, Permission.CONTROL_RUN),
        has_asked=any(ask.person_id == me for ask in asks),
        asks=tuple(asks),
        others=_others(work, project, run.driver_id) if is_mine else (),
        to_review=tuple(control.to_review(work.session, Handover.run_id == run.id)),
        may_review=work.actor.may(project, Permission.REVIEW_CONTROL),
        blockers=_blockers(work, page),
        may_end=is_mine and work.actor.may(project, Permission.END_SESSION),
    )


def _others(work: Work, project_id: int, driver_id: int) -> tuple[tuple[int, str], ...]:
    found = people.members(work.session, project_id)
    return tuple(
        (member.person.id, member.person.name)
        for member in found
        if member.person.id != driver_id and member.person.is_active and allows(member.role, Permission.CONTROL_RUN)
    )


def _blockers(work: Work, page: RunPage) -> tuple[Blocker, ...]:
    gauge = work.session.get(RunGauge, page.run.id) if page.run.state is RunState.RUNNING else None
    # figures of a step that is over tell of sessions that are in nobody's way any more
    is_of_now = gauge is not None and page.now is not None and gauge.payload.get("step") == page.now.row.step_id
    sessions: list[Mapping[str, Any]] = list(gauge.payload.get("blocker_sessions") or ()) if gauge and is_of_now else []
    wishes = {_name(wish): wish.outcome for wish in control.endings(work.session, page.run.id)} if sessions else {}
    return tuple(
        Blocker(
            pid=found["pid"],
            backend_start=found["backend_start"],
            session=found["session"],
            outcome=_said(wishes.get((found["pid"], found["backend_start"]))),
        )
        for found in sessions
    )


def _name(wish: SessionEnding) -> tuple[int, str]:
    return wish.pid, wish.backend_start.isoformat()


def _said(outcome: EndingOutcome | None) -> str:
    return "" if outcome is None else outcome.value
