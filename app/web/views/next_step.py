"""The one next action of a plan; where it can't be done yet, what is missing and who or what clears it."""

from dataclasses import dataclass

from app.actions.permissions import Permission
from app.actions.work import Work
from app.run.states import RunState
from app.store.tables import Run
from app.store.words import JobState, PlanState
from app.web.tones import tone
from app.web.views.gaps import Gap, gaps
from app.web.views.standing import Standing

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
    #: the tab on which it is done: there the button would lead to where one is
    tab: str = ""
    missing: tuple[Gap, ...] = ()


def next_step(work: Work, now: Standing) -> NextStep:
    """The next step for the one who looks."""
    if now.plan.state is PlanState.ARCHIVED:
        return NextStep(title="Archived", sentence="It can be looked at; nothing can be done with it.")
    if now.holding is not None:
        run = now.holding
        word = tone("run", run.state).word
        return NextStep(title=f"Run {run.id}: {word}", sentence=run.reason or "", label="Go to the run", href=f"/runs/{run.id}")
    if now.done is not None:
        return _after_run(now.done)
    if now.target is None:
        return NextStep(
            title="Choose where it is meant to run",
            sentence="Its risk is judged against that database, and approvals count for it.",
            label="Choose a target",
            href=f"/plans/{now.plan.id}#f-target_id",
        )
    return _before_review(work, now) or _before_start(work, now)


def _after_run(run: Run) -> NextStep:
    if run.state is RunState.MONITORING:
        return NextStep(
            title="Done, and being watched",
            sentence="Figures of the database are compared with those from before, after an hour, a day and a week.",
            label="Look at the figures",
            href=f"/runs/{run.id}/monitoring",
        )
    return NextStep(title="Done", sentence=f"Run {run.id} is completed.", label="Look at the run", href=f"/runs/{run.id}")


def _before_review(work: Work, now: Standing) -> NextStep | None:
    """Analysis, rehearsal, and the request for a review."""
    may_write = work.actor.may(now.plan.project_id, Permission.WRITE_PLAN)
    step = _analysis(now, may_write=may_write)
    if step is not None:
        return step
    if now.rehearsal is not None and now.rehearsal.state in _UNDER_WAY:
        return NextStep(
            title="Being rehearsed", sentence="The plan runs forward, back and forward again on a shadow of the target."
        )
    if now.plan.state is PlanState.REJECTED:
        return _rejected(now)
    if may_write and now.facts is not None and now.facts.rehearsal_is_old and now.facts.policy.rehearsal_required:
        return _rehearse(now, "Rehearse it again", f"The schema of {now.facts.target} changed since it was rehearsed.")
    return _draft(now, may_write=may_write) if now.plan.state is PlanState.DRAFT else None


def _analysis(now: Standing, *, may_write: bool) -> NextStep | None:
    """The next step while the risk is not known, or no longer."""
    base = f"/plans/{now.plan.id}"
    if now.analysis is not None and now.analysis.state in _UNDER_WAY:
        return NextStep(title="Being analysed", sentence="A worker judges every statement against the target's schema and sizes.")
    title, sentence = "Analyse it", "Each statement's lock, risk and way back."
    if now.analysis is not None:
        if now.analysis.state is JobState.FAILED:
            return NextStep(
                title="The analysis failed",
                sentence="Mend what stopped it, and analyse again.",
                label="See why",
                href=f"{base}/analysis{now.query}",
                tab="analysis",
            )
        if now.facts is None or not now.facts.analysis_is_old:
            return None
        title = "Analyse it again"
        sentence = f"The schema of {now.facts.target} changed since it was analysed: locks and risk may be others now."
    if not may_write:
        return NextStep(title=title, sentence=f"{sentence} An author can do it.", missing=gaps(now.missing))
    label = title.replace("Analyse it", "Analyse")
    return NextStep(title=title, sentence=sentence, label=label, href=f"{base}/analyse", is_form=True, missing=gaps(now.missing))


def _rejected(now: Standing) -> NextStep:
    objections = now.readiness.approvals.objections if now.readiness else ()
    return NextStep(
        title="Changes were asked for",
        sentence=f"{objections[0].person}: {objections[0].reason}" if objections else "The review says which.",
        label="Read the review",
        href=f"/plans/{now.plan.id}/review",
        tab="review",
        missing=gaps(now.missing),
    )


def _rehearse(now: Standing, title: str, sentence: str) -> NextStep:
    return NextStep(
        title=title,
        sentence=sentence,
        label=title.replace("Rehearse it", "Rehearse"),
        href=f"/plans/{now.plan.id}/rehearse",
        is_form=True,
        missing=gaps(now.missing),
    )


def _draft(now: Standing, *, may_write: bool) -> NextStep:
    if may_write and now.facts is not None and now.facts.policy.rehearsal_required and now.rehearsal is None:
        what = "On a shadow with the target's schema and statistics, none of its data: which locks it really takes, "
        return _rehearse(now, "Rehearse it", f"{what}and whether the rollback restores the schema.")
    return NextStep(
        title="Ask for a review" if may_write else "A draft",
        sentence="Reviewers decide on exactly this revision; an edit starts the review again."
        if may_write
        else "Its author has not asked for a review yet.",
        label="Ask for a review" if may_write else "",
        href=f"/plans/{now.plan.id}/request-review",
        is_form=True,
        missing=gaps(now.missing),
    )


def _before_start(work: Work, now: Standing) -> NextStep:
    base, name = f"/plans/{now.plan.id}", now.target.name if now.target else ""
    if _may_decide(work, now):
        return NextStep(
            title="It waits for your review",
            sentence="Read what changes, what may break and how it goes back; then approve it or ask for changes.",
            label="Review it",
            href=f"{base}/review{now.query}",
            tab="review",
            missing=gaps(now.missing),
        )
    if now.missing:
        return NextStep(
            title=f"Before it can start on {name}",
            sentence="The checklist says line by line what is missing, and who or what clears it.",
            label="Go to the checklist",
            href=f"{base}/checklist{now.query}",
            tab="checklist",
            missing=gaps(now.missing),
        )
    may_start = work.actor.may(now.plan.project_id, Permission.START_RUN)
    return NextStep(
        title=f"Ready to start on {name}",
        sentence="Every gate is open; the worker checks them again before the first change."
        if may_start
        else "Every gate is open. An operator can start it.",
        label="Start…" if may_start else "",
        href=f"{base}/start{now.query}",
        tab="start",
    )


def _may_decide(work: Work, now: Standing) -> bool:
    """Whether an approval is missing that the one who looks could give: not the author's, and not one that counts already."""
    if now.facts is None or now.readiness is None or not any(gap.gate == "approvals" for gap in now.missing):
        return False
    counted = {judged.decision.person_id for judged in now.readiness.approvals.approvals if judged.counts}
    may = work.actor.may(now.plan.project_id, Permission.DECIDE)
    return may and work.actor.person_id not in now.facts.authors | counted
