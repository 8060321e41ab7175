"""Rows -> what the engine is asked to do: the plan, where it stands according to people, and the target's limits."""

from functools import partial
from typing import Any, Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.actions.starting import frozen_limits
from app.actions.worker.desk import Desk, target_dsn
from app.backup.place import place_of
from app.engine.order import RunOrder
from app.plan.model import Plan
from app.run.states import StepState
from app.steps.protocol import LockPolicy
from app.store.backups import stored_ratio
from app.store.claims import Claim
from app.store.runs import get, steps
from app.store.tables.plans import PlanRevision
from app.store.tables.runs import GateAnswer, Run, RunStep
from app.store.tables.targets import Target
from app.store.targets import policy_of
from app.store.words import Direction


def make_order(session: Session, desk: Desk, claim: Claim) -> RunOrder:
    """The engine's order for one slice of a claimed run."""
    run = get(session, claim.run_id)
    direction: Literal["forward", "rollback"] = "rollback" if run.direction is Direction.ROLLBACK else "forward"
    return RunOrder(
        key=run.key,
        number=run.id,
        plan=Plan.from_json(session.get_one(PlanRevision, run.revision_id).document),
        direction=direction,
        dsn=target_dsn(session, desk.settings, run.target_id),
        fence=claim.fence,
        ledger_schema=desk.settings.ledger_schema,
        locks=locks_of(session, run),
        steps_done=_in_state(session, run, StepState.SUCCEEDED, StepState.ROLLED_BACK),
        results_kept=frozenset(step.step_id for step in steps(session, run.id) if step.result),
        skipped=_in_state(session, run, StepState.SKIPPED),
        opened_gates=_opened_gates(session, run),
        options=_options(desk, run, stored_ratio(session, run.target_id)),
        lease_seconds=desk.settings.lease_seconds,
        **_rollback(session, run),
    )


def locks_of(session: Session, run: Run) -> LockPolicy:
    """The limits that the run has kept since its start."""
    kept = run.options.get("locks")
    if kept is None:
        kept = frozen_limits(policy_of(session, session.get_one(Target, run.target_id)))
    return LockPolicy(**kept)


def _in_state(session: Session, run: Run, *states: StepState) -> frozenset[str]:
    rows = session.scalars(select(RunStep.step_id).where(RunStep.run_id == run.id, RunStep.state.in_(states)))
    return frozenset(rows)


def _opened_gates(session: Session, run: Run) -> dict[str, str]:
    rows = session.scalars(select(GateAnswer).where(GateAnswer.run_id == run.id))
    return {row.step_id: row.note or "confirmed" for row in rows}


def _options(desk: Desk, run: Run, ratio: float | None) -> dict[str, Any]:
    return {
        **run.options,
        "speed": partial(_speed, desk, run.id),
        "backups": place_of(desk.settings),
        "backup_ratio": ratio,
    }


def _speed(desk: Desk, run_id: int) -> dict[str, Any]:
    """What people ask of the speed now; the step asks four times a second, so that a change takes hold at once."""
    with desk.sessions() as session:
        options = session.scalar(select(Run.options).where(Run.id == run_id)) or {}
    return {name: options[name] for name in ("profile", "max_rate") if name in options}


def _rollback(session: Session, run: Run) -> dict[str, Any]:
    if run.forward_run_id is None:
        return {}
    return {"forward_key": get(session, run.forward_run_id).key, "rollback_scope": frozenset(run.scope or ())}
