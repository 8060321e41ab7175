"""Rows within the actor's rights: what belongs to others is not there, what the role does not allow is refused by name."""

from sqlalchemy import select

from app.actions.permissions import Permission
from app.actions.work import Work
from app.errors import MovedMeanwhileError, NotFoundError
from app.store import plans, runs, targets
from app.store.tables.backups import Backup, Restore
from app.store.tables.plans import Plan
from app.store.tables.reviews import Comment
from app.store.tables.runs import Run
from app.store.tables.targets import Environment, Project, Target
from app.store.words import BackupState, RestorePurpose, RestoreState


def project(work: Work, project_id: int, permission: Permission) -> Project:
    """The project, where the actor holds the right in it.

    Raises NotFoundError, NotAllowedError, as every function here.
    """
    found = work.session.get(Project, project_id)
    if found is None:
        raise NotFoundError
    work.actor.require(found.id, permission)
    return found


def environment(work: Work, environment_id: int, permission: Permission) -> Environment:
    """The environment, where the actor holds the right in its project."""
    found = work.session.get(Environment, environment_id)
    if found is None:
        raise NotFoundError
    work.actor.require(found.project_id, permission)
    return found


def target(work: Work, target_id: int, permission: Permission) -> Target:
    """The target, where the actor holds the right in its project."""
    found = work.session.get(Target, target_id)
    if found is None:
        raise NotFoundError
    work.actor.require(found.project_id, permission)
    return found


def target_of_plan(work: Work, plan: Plan, target_id: int | None) -> Target:
    """The target that is meant: the plan's own, or another of the same project."""
    wanted = target_id if target_id is not None else plan.target_id
    if wanted is None:
        raise NotFoundError("The plan has no target yet.", hint="Choose the database that it is meant for.")
    found = targets.get(work.session, wanted)
    if found.project_id != plan.project_id:
        raise NotFoundError
    return found


def hold(work: Work, target: Target) -> None:
    """Keep the target's row until the work ends: two people who press start take turns, the second sees the first one's run."""
    work.session.execute(select(Target.id).where(Target.id == target.id).with_for_update(key_share=True))


def hold_project(work: Work, project: Project) -> None:
    """Keep the project's row until the work ends, so that what is made in it is made in turn."""
    work.session.execute(select(Project.id).where(Project.id == project.id).with_for_update(key_share=True))


def plan(work: Work, plan_id: int, permission: Permission, *, held: bool = False) -> Plan:
    """The plan, where the actor holds the right in its project; ``held`` keeps its row until the work ends."""
    if held:
        query = select(Plan).where(Plan.id == plan_id).with_for_update(key_share=True)
        found = work.session.scalar(query.execution_options(populate_existing=True))
    else:
        found = work.session.get(Plan, plan_id)
    if found is None:
        raise NotFoundError
    work.actor.require(found.project_id, permission)
    return found


def run(work: Work, run_id: int, permission: Permission, *, held: bool = False) -> Run:
    """The run, where the actor holds the right in its project; ``held`` keeps its row until the work ends."""
    found = runs.locked(work.session, run_id) if held else work.session.get(Run, run_id)
    if found is None:
        raise NotFoundError
    work.actor.require(project_of(work, found), permission)
    return found


def project_of(work: Work, found: Run) -> int:
    """The id of the project that a run belongs to."""
    return plans.get(work.session, found.plan_id).project_id


def backup(work: Work, backup_id: int, permission: Permission, *, held: bool = False) -> Backup:
    """The backup, where the actor holds the right in its target's project; ``held`` keeps its row until the work ends."""
    found = work.session.get(Backup, backup_id, with_for_update=held or None, populate_existing=held)
    if found is None:
        raise NotFoundError
    work.actor.require(targets.get(work.session, found.target_id).project_id, permission)
    return found


def restore(work: Work, restore_id: int, permission: Permission) -> tuple[Restore, Target]:
    """The restore, its row held, and the target that its backup is of, where the actor holds the right in its project."""
    found = work.session.get(Restore, restore_id, with_for_update=True, populate_existing=True)
    if found is None:
        raise NotFoundError
    target = targets.get(work.session, backup(work, found.backup_id, permission).target_id)
    return found, target


def seen_restore(work: Work, restore_id: int) -> Restore:
    """The restore, where the actor may look at the project of its target."""
    found = work.session.get(Restore, restore_id)
    if found is None:
        raise NotFoundError
    backup(work, found.backup_id, Permission.VIEW)
    return found


def require_stored(found: Backup) -> None:
    """Go on only with a backup that is there; Raises MovedMeanwhileError."""
    if found.state is not BackupState.DONE:
        raise MovedMeanwhileError(f"Backup {found.id} is {found.state.value}.", hint="Only a finished backup can be used.")


def require_swappable(found: Restore) -> None:
    """Go on only with a database that was restored to be used; Raises MovedMeanwhileError."""
    if found.purpose is RestorePurpose.PROOF or found.state not in (RestoreState.DONE, RestoreState.SWAPPED):
        raise MovedMeanwhileError(
            f"The restore is {found.state.value}.", hint="Only a database that was restored beside can be swapped."
        )


def comment(work: Work, comment_id: int, permission: Permission) -> tuple[Comment, Plan]:
    """The comment and its plan, where the actor holds the right in the plan's project."""
    found = work.session.get(Comment, comment_id)
    if found is None:
        raise NotFoundError
    return found, plan(work, found.plan_id, permission)
