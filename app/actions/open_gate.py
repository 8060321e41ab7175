"""Answer a gate: what it asks for is true, the run goes on."""

from app.actions import wording
from app.actions.moving import held, move
from app.actions.permissions import Permission
from app.actions.work import Work
from app.errors import MovedMeanwhileError, NotAllowedError
from app.review.roles import Role
from app.run.events import GateOpened
from app.run.states import Move, transition
from app.store import plans, runs
from app.store.tables.runs import GateAnswer, Run


def open_gate(work: Work, *, run_id: int, step_id: str, note: str = "") -> Run:
    """Open the gate that the run waits at, under the actor's name; an open one stays open.

    Raises NotFoundError, NotAllowedError where the gate asks for a higher role, IllegalMoveError, MovedMeanwhileError.
    """
    run = held(work, run_id, Permission.OPEN_GATE)
    if runs.gate_answer(work.session, run.id, step_id) is not None:
        return run
    transition(run.state, Move.OPEN_GATE)
    if step_id != run.current_step:
        raise MovedMeanwhileError(f"The run waits at {run.current_step}, not at {step_id}.", hint="Load the page again.")
    revision = plans.revision(work.session, run.revision_id)
    _check_role(work, plans.get(work.session, run.plan_id).project_id, plans.content(revision).step(step_id).spec.get("who"))
    said = wording.text(note)
    answer = GateAnswer(run_id=run.id, step_id=step_id, person_id=work.actor.person_id, note=said, at=work.now)
    work.session.add(answer)
    work.session.flush()
    opened = GateOpened(by=work.actor.name, step=step_id, note=said)
    return move(work, run, Move.OPEN_GATE, also=(opened,), step=step_id, note_given=said)


def _check_role(work: Work, project_id: int, who: str | None) -> None:
    role = work.actor.role_in(project_id)
    if who in set(Role) and (role is None or not role.includes(Role(who))):
        raise NotAllowedError(f"This gate is opened by people with the role {who}.", hint="Ask one of them.")
