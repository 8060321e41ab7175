"""The one next action of a plan; where it can't be done yet, what is missing and who or what clears it."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.actions.permissions import Permission
from app.actions.work import Work
from app.review.readiness import Missing
from app.run.states import ACTIVE, RunState
from app.store.words import JobState, PlanState

if TYPE_CHECKING:
    from app.web.views.plan_head import Standing

_UNDER_WAY = (JobState.QUEUED, JobState.RUNNING)


@dataclass(frozen=True, slots=True, kw_only=True)
class NextStep:
    """What to do next."""

    title: str
    sentence: str
    label: str = ""
    href: str = ""
    #: the label is a button that sends a form to ``href``
    is_form: bool = False
    missing: tuple[Missing, ...] = ()


def next_step(work: Work, now: "Standing") -> NextStep | None:
    """The next step for the one who looks."""
    if now.plan.state is PlanState.ARCHIVED:
        return NextStep(title="Archived", sentence="It can be looked at; nothing can be done with it.")
    if now.run is not None and now.run.state not in (RunState.CANCELLED, RunState.ROLLED_BACK):
        return _after_start(now)
    if now.target is None:
        return NextStep(
            title="Choose where it is meant to run",
            sentence="Its risk is judged against that database, and approvals count for it.",
            label="Choose a target",
            href=f"/plans/{now.plan.id}#f-target_id",
        )
    return _before_review(work, now) or _before_start(work, now)


def _after_start(now: "Standing") -> NextStep | None:
    run = now.run
    if run is None:
        return None
    if run.state in ACTIVE or run.state is RunState.ROLLING_BACK:
        words = run.state.value.replace("_", " ")
        return NextStep(title=f"Run {run.id} is {words}", sentence=run.reason, label="Go to the run", href=f"/runs/{run.id}")
    if run.state is RunState.MONITORING:
        return NextStep(
            title="Done, and being watched",
            sentence="Figures of the database are compared with those from before, after an hour, a day and a week.",
            label="Look at the figures",
            href=f"/runs/{run.id}/monitoring",
        )
    return NextStep(title="Done", sentence=f"Run {run.id} is completed.", label="Look at the run", href=f"/runs/{run.id}")


def _before_review(work: Work, now: "Standing") -> NextStep | None:
    """Analysis, rehearsal, and the request for a review."""
    base, may_write = f"/plans/{now.plan.id}", work.actor.may(now.plan.project_id, Permission.WRITE_PLAN)
    if now.analysis is not None and now.analysis.state in _UNDER_WAY:
        return NextStep(title="Being analysed", sentence="A worker judges every statement against the target's schema and sizes.")
    if now.analysis is None or now.analysis.state is JobState.FAILED:
        failed = now.analysis is not None
        return NextStep(
            title="The analysis failed" if failed else "Analyse it",
            sentence="See why, mend it, and analyse again." if failed else "Each statement's lock, risk and way back.",
            label="Analyse" if may_write and not failed else "See the analysis",
            href=f"{base}/analyse" if may_write and not failed else f"{base}/analysis",
            is_form=may_write and not failed,
        )
    if now.rehearsal is not None and now.rehearsal.state in _UNDER_WAY:
        return NextStep(
            title="Being rehearsed", sentence="The plan runs forward, back and forward again on a shadow of the target."
        )
    if now.plan.state is PlanState.REJECTED:
        return _rejected(now)
    return _draft(now, may_write=may_write) if now.plan.state is PlanState.DRAFT else None


def _rejected(now: "Standing") -> NextStep:
    base = f"/plans/{now.plan.id}"
    return NextStep(
        title="Changes were asked for",
        sentence=_objection(now),
        label="Read the review",
        href=f"{base}/review",
        missing=now.missing,
    )


def _draft(now: "Standing", *, may_write: bool) -> NextStep:
    base = f"/plans/{now.plan.id}"
    needs_rehearsal = now.facts is not None and now.facts.policy.rehearsal_required and now.rehearsal is None
    if needs_rehearsal and may_write:
        return NextStep(
            title="Rehearse it",
            sentence="On a shadow with the target's schema and statistics, none of its data: which locks it really takes, "
            "and whether the rollback restores the schema.",
            label="Rehearse",
            href=f"{base}/rehearse",
            is_form=True,
            missing=now.missing,
        )
    return NextStep(
        title="Ask for a review" if may_write else "A draft",
        sentence="Reviewers decide on exactly this revision; an edit starts the review again.",
        label="Ask for a review" if may_write else "",
        href=f"{base}/request-review",
        is_form=True,
        missing=now.missing,
    )


def _objection(now: "Standing") -> str:
    objections = now.readiness.approvals.objections if now.readiness else ()
    return f"{objections[0].person}: {objections[0].reason}" if objections else "The review says which."


def _before_start(work: Work, now: "Standing") -> NextStep:
    base, actor = f"/plans/{now.plan.id}", work.actor
    query = f"?target={now.target.id}" if now.target and now.target.id != now.plan.target_id else ""
    name = now.target.name if now.target else ""
    waits_for_approval = any(missing.gate == "approvals" for missing in now.missing)
    decided = {judged.decision.person_id for judged in now.readiness.approvals.approvals} if now.readiness else set()
    is_author = now.facts is not None and actor.person_id in now.facts.authors
    may_decide = actor.may(now.plan.project_id, Permission.DECIDE) and not is_author and actor.person_id not in decided
    if waits_for_approval and may_decide:
        return NextStep(
            title="It waits for your review",
            sentence="Read what changes, what may break and how it goes back; then approve it or ask for changes.",
            label="Review it",
            href=f"{base}/review{query}",
            missing=now.missing,
        )
    if now.missing:
        return NextStep(
            title=f"Before it can start on {name}",
            sentence="Each line says what is missing and who or what clears it.",
            label="Go to the checklist",
            href=f"{base}/checklist{query}",
            missing=now.missing,
        )
    may_start = actor.may(now.plan.project_id, Permission.START_RUN)
    return NextStep(
        title=f"Ready to start on {name}",
        sentence="Every gate is open; the worker checks them again before the first change."
        if may_start
        else "An operator can start it.",
        label="Start…" if may_start else "",
        href=f"{base}/start{query}",
    )
