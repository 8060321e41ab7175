"""Start a run: only when readiness says Ready, one run at a time on a target, one run for a form however often it is sent."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.exc import IntegrityError

from app.actions import reach, wording
from app.actions.load_readiness import load_facts
from app.actions.permissions import Permission
from app.actions.starting import DoneAlreadyError, NotReadyError, TargetTakenError, frozen_limits
from app.actions.work import Work
from app.errors import MovedMeanwhileError, NotFoundError
from app.review.facts import Facts
from app.review.policy import PROFILES
from app.review.readiness import NotReady, Ready, readiness
from app.run.events import RunCreated
from app.store import people, plans, reviews, runs, targets
from app.store.events import append_event
from app.store.runs import NewRun
from app.store.tables.plans import Plan, PlanRevision
from app.store.tables.reviews import Tick
from app.store.tables.runs import Run
from app.store.tables.targets import Target


def start_run(
    work: Work,
    *,
    plan_id: int,
    digest: str,
    request_token: str,
    target_id: int | None = None,
    scheduled_for: datetime | None = None,
    options: Mapping[str, Any] | None = None,
) -> Run:
    """Start the revision of that digest on the plan's target or another one, now or at a time.

    ``request_token`` comes with the form: the same token again gives the same run. ``options``: profile, max_rate.
    Raises NotFoundError, NotAllowedError, NotReadyError, TargetTakenError, DoneAlreadyError, MovedMeanwhileError where the
    plan was edited.
    """
    plan = reach.plan(work, plan_id, Permission.START_RUN, held=True)
    made = _made_before(work, plan, request_token)
    if made is not None:
        return made
    target = _held_target(work, plan, target_id)
    revision = _shown(work, plan, digest)
    _refuse_twice(work, revision, target)
    facts = load_facts(work.session, revision_id=revision.id, target_id=target.id, now=work.now)
    ready = _require_ready(facts)
    if scheduled_for is not None and scheduled_for.tzinfo is None:
        raise wording.refused("scheduled_for", "The time needs its time zone.")
    new = NewRun(
        plan_id=plan.id,
        revision_id=revision.id,
        target_id=target.id,
        created_by=work.actor.person_id,
        now=work.now,
        scheduled_for=scheduled_for if scheduled_for and scheduled_for > work.now else None,
        options=_options(work, target, options or {}),
        catalog_fingerprint=target.schema_fingerprint,
        evidence_digest=facts.evidence.digest(),
        request_token=request_token or None,
    )
    run = _insert(work, new, revision, target)
    _keep_proofs(work, plan, revision, target, ready)
    _tell(work, run, plan, revision, target=target, ready=ready)
    return run


def _tell(work: Work, run: Run, plan: Plan, revision: PlanRevision, *, target: Target, ready: Ready) -> None:
    created = RunCreated(by=work.actor.name, plan=plan.name, digest=revision.digest, direction="forward")
    append_event(work.session, run.id, created, at=work.now)
    work.note(
        "start_run",
        "run",
        run.id,
        project_id=plan.project_id,
        plan=plan.name,
        revision=revision.number,
        digest=revision.digest,
        target=target.name,
        scheduled_for=run.scheduled_for.isoformat() if run.scheduled_for else None,
        overridden=[missing.gate for missing in ready.overridden],
    )
    work.wake("advance", run.id)


def _made_before(work: Work, plan: Plan, request_token: str) -> Run | None:
    run = runs.by_request_token(work.session, request_token) if request_token else None
    if run is not None and run.plan_id != plan.id:
        raise NotFoundError
    return run


def _held_target(work: Work, plan: Plan, target_id: int | None) -> Target:
    target = reach.target_of_plan(work, plan, target_id)
    reach.hold(work, target)
    taken = runs.active_on(work.session, target.id)
    if taken is not None:
        raise _taken(work, taken, target)
    return target


def _refuse_twice(work: Work, revision: PlanRevision, target: Target) -> None:
    """What is done and watched is not started again from a page that was left open."""
    done = runs.watched_of(work.session, revision.id, target.id)
    if done is not None:
        raise DoneAlreadyError(
            f"Run {done.id} has done revision {revision.number} on {target.name}; its figures are being watched.",
            hint="Roll that run back, or end its watch, before it is run again.",
        )


def _shown(work: Work, plan: Plan, digest: str) -> PlanRevision:
    revision = plans.current(work.session, plan)
    if revision.digest != digest:
        raise MovedMeanwhileError(
            f"The plan was edited: revision {revision.number} is not what your page showed.",
            hint="Load the page again; the new revision needs its own approvals.",
        )
    return revision


def _require_ready(facts: Facts) -> Ready:
    answer = readiness(facts)
    if isinstance(answer, NotReady):
        raise NotReadyError(answer.missing)
    return answer


def _options(work: Work, target: Target, asked: Mapping[str, Any]) -> dict[str, Any]:
    policy = targets.policy_of(work.session, target)
    # the limits are those of the moment of the start: a policy that is edited meanwhile counts for the next run
    options: dict[str, Any] = {"profile": policy.profile, "locks": frozen_limits(policy)}
    if asked.get("profile"):
        if asked["profile"] not in PROFILES:
            raise wording.refused("profile", f"The profiles are {', '.join(PROFILES)}.")
        options["profile"] = asked["profile"]
    if asked.get("max_rate"):
        if not isinstance(asked["max_rate"], int) or asked["max_rate"] < 1:
            raise wording.refused("max_rate", "It has to be a whole number of rows a second.")
        options["max_rate"] = asked["max_rate"]
    return options


def _insert(work: Work, new: NewRun, revision: PlanRevision, target: Target) -> Run:
    """The new run; the unique index on the target's active run has the last word."""
    try:
        with work.session.begin_nested():
            return runs.add(work.session, new, plans.content(revision))
    except IntegrityError:
        taken = runs.active_on(work.session, target.id)
        if taken is None:
            raise
        raise _taken(work, taken, target) from None


def _taken(work: Work, run: Run, target: Target) -> TargetTakenError:
    starter = people.names(work.session, {run.created_by}).get(run.created_by, "somebody")
    return TargetTakenError(run, target.name, starter)


def _keep_proofs(work: Work, plan: Plan, revision: PlanRevision, target: Target, ready: Ready) -> None:
    """Write down what Headgate itself vouched for when the run was started: proofs lapse, the record stays."""
    proven = [status for status in ready.checklist if status.by == "headgate"]
    ids = [status.item.id for status in proven]
    reviews.withdraw_ticks(work.session, plan.id, ids, reason="Proven again for a new run.", now=work.now, target_id=target.id)
    for status in proven:
        work.session.add(
            Tick(
                plan_id=plan.id,
                revision_id=revision.id,
                target_id=target.id,
                item_id=status.item.id,
                evidence={"text": status.text, "href": status.href},
                ticked_at=work.now,
                lapses_at=status.until,
            )
        )
    work.session.flush()
