"""Register a database: its connection string is sealed at once, and a worker tests it."""

from sqlalchemy.exc import IntegrityError

from app.actions import queueing, reach, wording
from app.actions.permissions import Permission
from app.actions.work import Work
from app.store import targets
from app.store.tables.targets import Target
from app.store.words import JobKind
from app.target.dsn import parse_dsn
from app.target.errors import TargetUnreachableError
from app.target.secrets import load_keys


def add_target(work: Work, *, environment_id: int, name: str, dsn: str) -> Target:
    """Register a database under an environment; whether it answers is found out by a worker.

    Raises NotFoundError, NotAllowedError, InvalidInputError that never repeats the connection string.
    """
    environment = reach.environment(work, environment_id, Permission.EDIT_TARGETS)
    name = wording.name(name)
    try:
        summary = parse_dsn(dsn).summary
    except TargetUnreachableError as error:
        raise wording.refused("dsn", f"{error.message} {error.hint or ''}".strip()) from None
    keys = load_keys(work.settings)
    target = Target(
        project_id=environment.project_id,
        environment_id=environment.id,
        name=name,
        sealed_dsn="",
        dsn_summary=summary,
        created_at=work.now,
    )
    try:
        with work.session.begin_nested():
            work.session.add(target)
    except IntegrityError:
        raise wording.refused("name", f"The project has a target called {name} already.") from None
    target.sealed_dsn = targets.seal_dsn(keys, target.id, dsn.strip())
    work.session.flush()
    queueing.job(work, JobKind.TEST_TARGET, target.id)
    work.note("add_target", "target", target.id, project_id=target.project_id, name=name, where=summary)
    return target
