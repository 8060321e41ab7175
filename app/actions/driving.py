"""What asking for, handing over and taking the control of a run have in common: one person drives it, others watch."""

from app.actions import reach
from app.actions.permissions import Permission, allows
from app.actions.work import Work
from app.errors import HeadgateError, MovedMeanwhileError, NotFoundError
from app.run.events import Event
from app.run.states import ACTIVE
from app.store import people
from app.store.events import append_event
from app.store.tables.people import Person
from app.store.tables.runs import Run


class NotDriverError(HeadgateError):
    """Somebody else drives this run."""

    status = 409
    exit_code = 1


def refuse_unless_driver(work: Work, run: Run) -> None:
    """Go on only as the one who drives the run; a run that has ended is nobody's.

    Raises NotDriverError.
    """
    if run.state not in ACTIVE or work.actor.person_id in {run.driver_id, 0}:
        return
    raise NotDriverError(
        f"{name_of(work, run.driver_id)} drives run {run.id}.",
        hint="Ask for its control, or take it with a reason, which somebody else then reviews.",
    )


def held_to_drive(work: Work, run_id: int) -> Run:
    """A run that can be driven by the actor, its row held, whoever drives it now.

    Raises NotFoundError, NotAllowedError, MovedMeanwhileError where it has ended.
    """
    run = reach.run(work, run_id, Permission.CONTROL_RUN, held=True)
    if run.state not in ACTIVE:
        raise MovedMeanwhileError(f"Run {run.id} is {run.state.words}: nobody needs to drive it any more.")
    return run


def able(work: Work, run: Run, person_id: int) -> Person:
    """The person, who may drive the run.

    Raises NotFoundError where the person has no right to.
    """
    project_id = reach.project_of(work, run)
    person = people.get(work.session, person_id)
    role = people.roles_of(work.session, person.id).get(project_id)
    may = person.is_admin or (role is not None and allows(role, Permission.CONTROL_RUN))
    if not may or not person.is_active:
        raise NotFoundError(f"{person.name} may not control runs of this project.", hint="Hand it to an operator or an admin.")
    return person


def name_of(work: Work, person_id: int) -> str:
    """The name of a person."""
    return people.names(work.session, {person_id}).get(person_id, "somebody")


def tell(work: Work, run: Run, act: str, event: Event, **details: object) -> None:
    """Say it in the run's history and in the audit log."""
    append_event(work.session, run.id, event, at=work.now)
    work.note(act, "run", run.id, project_id=reach.project_of(work, run), **details)
