"""The last look before the first change: its time, its window, and every gate once more, whatever a page said before."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from app.actions.load_readiness import load_readiness
from app.actions.worker.check_target import mark_target, snapshot_schema
from app.actions.worker.desk import Desk
from app.actions.worker.measure import measure_before
from app.actions.worker.order import make_order
from app.engine.preflight import Blocked, preflight
from app.errors import HeadgateError
from app.review.policy import EnvironmentPolicy
from app.review.readiness import NotReady
from app.review.windows import next_opening
from app.run.states import Move, RunState
from app.store.claims import Claim
from app.store.runs import get
from app.store.tables.runs import Run
from app.store.tables.targets import Environment, Target
from app.store.words import Direction


@dataclass(frozen=True, slots=True, kw_only=True)
class Go:
    """What to do with a run that has not begun: the move, or None to leave it as it is."""

    move: Move | None
    reason: str | None = None
    values: dict[str, Any] = field(default_factory=dict)
    server_version: str = ""


def begin_run(desk: Desk, claim: Claim) -> Go:
    """Decide whether the run may begin now."""
    with desk.sessions() as session:
        run = get(session, claim.run_id)
        later = _not_yet(desk, session, run)
        is_forward, target_id = run.direction is Direction.FORWARD, run.target_id
        order = None if later else make_order(session, desk, claim)
    if order is None:
        return later or Go(move=None)
    seen = preflight(order)
    if isinstance(seen, Blocked):
        return Go(move=Move.FAIL, reason=" ".join(_sentence(reason.what, reason.hint) for reason in seen.reasons))
    try:
        # what was approved is bound to the schema: one that was changed since makes the approvals stale
        snapshot_schema(desk, target_id, _say_nothing)
        mark_target(desk, target_id)
    except HeadgateError as error:
        return Go(move=Move.FAIL, reason=f"The target can't be worked with: {_sentence(error.message, error.hint)}")
    if is_forward:
        refusal = _refused(desk, claim.run_id)
        if refusal is not None:
            return Go(move=Move.FAIL, reason=refusal)
        measure_before(desk, claim.run_id)
    return Go(move=Move.START, values={"started_at": desk.clock.now()}, server_version=seen.server_version)


def _sentence(what: str, hint: str | None) -> str:
    return f"{what} {hint}" if hint else what


def _say_nothing(_progress: dict[str, Any]) -> None:
    """A run has its own events; the look at the schema needs no progress beside them."""


def _not_yet(desk: Desk, session: Session, run: Run) -> Go | None:
    now = desk.clock.now()
    until = run.scheduled_for if run.scheduled_for and run.scheduled_for > now else _window(session, run, now)
    if until is None:
        return None
    if run.state is RunState.WAITING_WINDOW:
        return Go(move=None, values={"wake_at": until})
    return Go(move=Move.WAIT_FOR_WINDOW, reason=f"It begins at {until:%Y-%m-%d %H:%M} UTC.", values={"wake_at": until})


def _window(session: Session, run: Run, now: datetime) -> datetime | None:
    """When the target's next window opens; a rollback does not wait for one, since it is what people do in need."""
    if run.direction is Direction.ROLLBACK:
        return None
    target = session.get_one(Target, run.target_id)
    policy = EnvironmentPolicy.from_json(session.get_one(Environment, target.environment_id).policy)
    return next_opening(policy.windows, now)


def _refused(desk: Desk, run_id: int) -> str | None:
    """Why the run may not begin; every gate is checked here too, not only where the page asked."""
    with desk.sessions() as session:
        run = get(session, run_id)
        answer = load_readiness(
            session, revision_id=run.revision_id, target_id=run.target_id, now=desk.clock.now(), run_id=run.id
        )
    if isinstance(answer, NotReady):
        return "Not ready any more: " + "; ".join(f"{missing.what}: {missing.why}" for missing in answer.missing)
    return None
