"""Projects, environments, targets with their sealed connection strings, and what was seen of their schema."""

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.errors import NotFoundError
from app.review.policy import EnvironmentPolicy
from app.store.tables.targets import Environment, Project, SchemaSnapshot, Target
from app.target.secrets import Keys, open_sealed, rotate, seal


def get(session: Session, target_id: int) -> Target:
    """The target of that id.

    Raises NotFoundError.
    """
    target = session.get(Target, target_id)
    if target is None:
        raise NotFoundError
    return target


def environment(session: Session, environment_id: int) -> Environment:
    """The environment of that id.

    Raises NotFoundError.
    """
    found = session.get(Environment, environment_id)
    if found is None:
        raise NotFoundError("There is no such environment.")
    return found


def projects(session: Session, ids: set[int] | None = None) -> list[Project]:
    """All projects by name, or those of the given ids."""
    query = select(Project).order_by(Project.name)
    return list(session.scalars(query if ids is None else query.where(Project.id.in_(ids))))


def environments(session: Session, project_id: int) -> list[Environment]:
    """A project's environments in the order of the promotion."""
    return list(session.scalars(select(Environment).where(Environment.project_id == project_id).order_by(Environment.position)))


def of_project(session: Session, project_id: int, *, retired: bool = False) -> list[tuple[Target, Environment]]:
    """A project's targets with their environments, in the order of the promotion."""
    query = (
        select(Target, Environment)
        .join(Environment, Environment.id == Target.environment_id)
        .where(Target.project_id == project_id)
        .order_by(Environment.position, Target.name)
    )
    rows = session.execute(query if retired else query.where(Target.retired_at.is_(None)))
    return [(target, environment) for target, environment in rows]


def environments_before(session: Session, environment: Environment) -> list[tuple[str, int]]:
    """The environments that a change is promoted through before this one, in order: each one's name and its first target."""
    rows = session.execute(
        select(Environment.name, func.min(Target.id))
        .join(Target, Target.environment_id == Environment.id)
        .where(
            Environment.project_id == environment.project_id,
            Environment.position < environment.position,
            Target.retired_at.is_(None),
        )
        .group_by(Environment.id)
        .order_by(Environment.position)
    )
    return [(name, target_id) for name, target_id in rows]


def policy_of(session: Session, target: Target) -> EnvironmentPolicy:
    """The rules of the target's environment."""
    return EnvironmentPolicy.from_json(environment(session, target.environment_id).policy)


def last_position(session: Session, project_id: int) -> int:
    """The position of the project's last environment, 0 where it has none."""
    return session.scalar(select(func.max(Environment.position)).where(Environment.project_id == project_id)) or 0


def sealing_context(target_id: int) -> str:
    """What a sealed connection string is bound to: moved to another row, it does not open."""
    return f"target:{target_id}:dsn"


def seal_dsn(keys: Keys, target_id: int, dsn: str) -> str:
    """The connection string, sealed for that target alone."""
    return seal(keys, dsn, sealing_context(target_id))


def open_dsn(keys: Keys, target: Target) -> str:
    """The target's connection string: for a connect call, never for a page, a log or an event."""
    return open_sealed(keys, target.sealed_dsn, sealing_context(target.id))


def rotate_dsns(session: Session, keys: Keys) -> int:
    """Seal every connection string with the newest key; returns how many were sealed with an older one."""
    changed = 0
    for target in session.scalars(select(Target).with_for_update()):
        sealed = rotate(keys, target.sealed_dsn, sealing_context(target.id))
        changed += sealed != target.sealed_dsn
        target.sealed_dsn = sealed
    return changed


def newest_snapshot(session: Session, target_id: int) -> SchemaSnapshot | None:
    """What was last seen of the target's schema."""
    return session.scalar(
        select(SchemaSnapshot)
        .where(SchemaSnapshot.target_id == target_id)
        .order_by(SchemaSnapshot.taken_at.desc(), SchemaSnapshot.id.desc())
        .limit(1)
    )


def figures_read_at(session: Session, target_id: int) -> datetime | None:
    """When the target's sizes and traffic were last read."""
    return session.scalar(
        select(func.max(SchemaSnapshot.taken_at)).where(
            SchemaSnapshot.target_id == target_id, SchemaSnapshot.statistics.is_not(None)
        )
    )
