"""Make a plan of what people hand in: its first revision, analysed at once."""

from datetime import timedelta

from app.actions import queueing, reach, wording
from app.actions.drafting import Draft
from app.actions.permissions import Permission
from app.actions.work import Work
from app.store import plans
from app.store.tables.plans import Plan

#: the same content from the same person within this time is the same form, sent again
_TWICE = timedelta(minutes=1)


def import_plan(work: Work, *, project_id: int, target_id: int | None, draft: Draft, note: str = "") -> Plan:
    """Keep a draft (actions.drafting reads one) as a plan meant for a target of the project; a form sent twice makes one.

    Raises NotFoundError, NotAllowedError.
    """
    project = reach.project(work, project_id, Permission.WRITE_PLAN)
    target = None if target_id is None else reach.target(work, target_id, Permission.WRITE_PLAN)
    if target is not None and target.project_id != project.id:
        raise wording.refused("target_id", "The target belongs to another project.")
    reach.hold_project(work, project)
    twin = plans.just_made(
        work.session, draft.plan.digest(), project_id=project.id, author_id=work.actor.person_id, since=work.now - _TWICE
    )
    if twin is not None and twin.target_id == target_id:
        return twin
    plan, revision = plans.add(
        work.session,
        draft.plan,
        project_id=project.id,
        author_id=work.actor.person_id,
        target_id=target.id if target else None,
        source_text=draft.source_text,
        note=wording.text(note),
        now=work.now,
    )
    queueing.analysis(work, revision.id, plan.target_id)
    work.note(
        "import_plan",
        "plan",
        plan.id,
        project_id=project.id,
        name=plan.name,
        digest=revision.digest,
        tool=draft.plan.tool,
        target=target.name if target else None,
        steps=sum(1 for _ in draft.plan.steps()),
    )
    return plan
