"""A plan's next revision, and what falls with the old one: approvals always, ticks where the steps changed."""

from app.actions import queueing, wording
from app.actions.work import Work
from app.errors import MovedMeanwhileError
from app.plan.checklist import DEFAULT_CHECKLIST
from app.plan.model import Plan as Content
from app.store import plans, reviews
from app.store.tables.plans import Plan, PlanRevision
from app.store.words import PlanState

#: what a person confirmed about the world around the database does not depend on the plan's steps
_INDEPENDENT = frozenset(item.id for item in DEFAULT_CHECKLIST if item.group == "Monitoring")


def revise(
    work: Work, plan: Plan, content: Content, *, based_on: str, note: str = "", source_text: str | None = None
) -> PlanRevision:
    """Make the next revision of a plan whose row is held; the same content again makes none.

    ``based_on`` is the digest of the revision that the page showed. Raises MovedMeanwhileError where it is not the newest.
    """
    old = plans.current(work.session, plan)
    if content.digest() == old.digest:
        return old
    if based_on != old.digest:
        raise MovedMeanwhileError(
            f"Revision {old.number} was made meanwhile: yours was based on an older one.",
            hint="Load the page again, compare, and make your change on the newest revision.",
        )
    new = plans.add_revision(
        work.session,
        plan,
        content,
        created_by=work.actor.person_id,
        source_text=source_text,
        note=wording.text(note),
        now=work.now,
    )
    dismissed = reviews.dismiss(work.session, revision_id=old.id, reason=f"Revision {new.number} took its place.", now=work.now)
    withdrawn = _withdraw_ticks(work, plan, plans.content(old), content, new.number)
    plan.state = PlanState.DRAFT
    queueing.analysis(work, new.id, plan.target_id)
    work.note(
        "edit_plan",
        "plan",
        plan.id,
        project_id=plan.project_id,
        revision=new.number,
        before=old.digest,
        digest=new.digest,
        decisions_dismissed=dismissed,
        ticks_withdrawn=withdrawn,
    )
    return new


def _withdraw_ticks(work: Work, plan: Plan, old: Content, new: Content, number: int) -> int:
    if old.phases == new.phases:
        return 0
    ids = [tick.item_id for tick, _ in reviews.standing_ticks(work.session, plan.id) if tick.item_id not in _INDEPENDENT]
    reason = f"Revision {number} changed the steps."
    return reviews.withdraw_ticks(work.session, plan.id, ids, reason=reason, now=work.now)
