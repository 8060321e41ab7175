"""Change a target: its name or its connection; approvals that were given for the old one become stale by themselves."""

from sqlalchemy.exc import IntegrityError

from app.actions import queueing, reach, wording
from app.actions.permissions import Permission
from app.actions.work import Work
from app.errors import MovedMeanwhileError
from app.store import runs, targets
from app.store.tables.targets import Target
from app.store.words import JobKind
from app.target.dsn import parse_dsn
from app.target.errors import TargetUnreachableError
from app.target.secrets import load_keys


def edit_target(work: Work, *, target_id: int, name: str | None = None, dsn: str | None = None) -> Target:
    """Change what is given; an empty connection string means that the present one stays.

    Raises NotFoundError, NotAllowedError, InvalidInputError, MovedMeanwhileError while a run holds the target.
    """
    target = reach.target(work, target_id, Permission.EDIT_TARGETS)
    was = target.dsn_summary
    if name is not None:
        target.name = wording.name(name)
    if dsn is not None and dsn.strip():
        _reconnect(work, target, dsn.strip())
    try:
        with work.session.begin_nested():
            work.session.flush()
    except IntegrityError:
        raise wording.refused("name", "The project has a target of that name already.") from None
    work.note(
        "edit_target", "target", target.id, project_id=target.project_id, name=target.name, was=was, where=target.dsn_summary
    )
    return target


def _reconnect(work: Work, target: Target, dsn: str) -> None:
    run = runs.active_on(work.session, target.id)
    if run is not None:
        raise MovedMeanwhileError(
            f"Run {run.id} holds {target.name}: its connection can't be changed now.",
            hint="Wait for the run to end, or cancel it.",
        )
    try:
        target.dsn_summary = parse_dsn(dsn).summary
    except TargetUnreachableError as error:
        raise wording.refused("dsn", f"{error.message} {error.hint or ''}".strip()) from None
    target.sealed_dsn = targets.seal_dsn(load_keys(work.settings), target.id, dsn)
    target.last_checked_at = target.last_error = target.capabilities = target.server_version = None
    queueing.job(work, JobKind.TEST_TARGET, target.id)
