"""Databases as the pages show them: by project and environment, and one with its capabilities and its schema."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from app.actions.permissions import Permission
from app.actions.work import Actor, Work
from app.catalog.encoding import from_json
from app.catalog.records import Relation, RelationStatistics, Schema, Statistics
from app.errors import NotFoundError
from app.review.policy import EnvironmentPolicy
from app.run.states import ACTIVE
from app.store import backups
from app.store.tables import Backup, Environment, Job, Plan, Project, Run, SchemaSnapshot, Target
from app.store.words import JobKind, JobState
from app.web.views.run_lines import RunLine, run_lines
from app.web.views.visible import in_sight

BACKUPS_SHOWN = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetLine:
    """One database in the list."""

    id: int
    name: str
    where: str
    server_version: str | None
    #: ok, failed, never
    health: str
    problem: str
    last_checked_at: datetime | None
    database_bytes: int | None
    is_busy: bool
    is_retired: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvironmentBox:
    """One environment with its databases."""

    id: int
    name: str
    color: str
    is_production: bool
    policy: EnvironmentPolicy
    targets: tuple[TargetLine, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectBox:
    """One project with its environments in promotion order."""

    id: int
    name: str
    slug: str
    may_edit: bool
    environments: tuple[EnvironmentBox, ...]


def projects(work: Work) -> tuple[ProjectBox, ...]:
    """Every project that the actor sees, with all environments and databases."""
    session, actor = work.session, work.actor
    rows = session.scalars(select(Project).where(in_sight(actor, Project.id)).order_by(Project.name)).all()
    environments = session.scalars(
        select(Environment).where(in_sight(actor, Environment.project_id)).order_by(Environment.position)
    ).all()
    lines = _lines(session, actor)
    return tuple(
        ProjectBox(
            id=project.id,
            name=project.name,
            slug=project.slug,
            may_edit=actor.may(project.id, Permission.EDIT_TARGETS),
            environments=tuple(_environment(row, lines.get(row.id, [])) for row in environments if row.project_id == project.id),
        )
        for project in rows
    )


def _environment(row: Environment, lines: list[TargetLine]) -> EnvironmentBox:
    return EnvironmentBox(
        id=row.id,
        name=row.name,
        color=row.color,
        is_production=row.is_production,
        policy=EnvironmentPolicy.from_json(row.policy),
        targets=tuple(lines),
    )


def _lines(session: Session, actor: Actor) -> dict[int, list[TargetLine]]:
    busy = set(session.scalars(select(Run.target_id).where(Run.state.in_(ACTIVE))))
    sizes = {
        row[0]: row[1]
        for row in session.execute(
            select(SchemaSnapshot.target_id, SchemaSnapshot.statistics["database_bytes"].as_integer())
            .ext(distinct_on(SchemaSnapshot.target_id))
            .order_by(SchemaSnapshot.target_id, SchemaSnapshot.taken_at.desc())
        )
    }
    lines: dict[int, list[TargetLine]] = {}
    for target in session.scalars(select(Target).where(in_sight(actor, Target.project_id)).order_by(Target.name)):
        lines.setdefault(target.environment_id, []).append(_target_line(target, sizes.get(target.id), is_busy=target.id in busy))
    return lines


def _target_line(target: Target, database_bytes: int | None, *, is_busy: bool) -> TargetLine:
    return TargetLine(
        id=target.id,
        name=target.name,
        where=target.dsn_summary,
        server_version=target.server_version,
        health="never" if target.last_checked_at is None else "failed" if target.last_error else "ok",
        problem=(target.last_error or {}).get("message", ""),
        last_checked_at=target.last_checked_at,
        database_bytes=database_bytes,
        is_busy=is_busy,
        is_retired=target.retired_at is not None,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class RelationRow:
    """One table of the schema browser."""

    relation: Relation
    statistics: RelationStatistics | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetPage:
    """One database with everything that is known about it."""

    target: Target
    project: Project
    environment: Environment
    policy: EnvironmentPolicy
    capabilities: Mapping[str, Any]
    #: of the contract; None after a good test
    error: Mapping[str, Any] | None
    open_job: Job | None
    snapshot_at: datetime | None
    fingerprint: str | None
    relations: tuple[RelationRow, ...]
    enums: tuple[tuple[str, tuple[str, ...]], ...]
    extensions: Mapping[str, str]
    database_bytes: int | None
    has_statements: bool
    backups: tuple[Backup, ...]
    runs: tuple[RunLine, ...]
    plans: tuple[tuple[int, str], ...]
    may_test: bool
    may_edit: bool
    may_back_up: bool


def target_row(work: Work, target_id: int) -> Target:
    """The target's row.

    Raises NotFoundError where the actor must not see it.
    """
    target = work.session.get(Target, target_id)
    if target is None:
        raise NotFoundError("There is no such database, or it belongs to a project you are not a member of.")
    work.actor.require(target.project_id, Permission.VIEW)
    return target


def target_page(work: Work, target_id: int, *, search: str = "") -> TargetPage:
    """Everything on the page of one database; ``search`` narrows its tables."""
    session, actor, target = work.session, work.actor, target_row(work, target_id)
    environment = session.get_one(Environment, target.environment_id)
    snapshot = newest_snapshot(session, target_id)
    schema = from_json(Schema, snapshot.content) if snapshot else Schema()
    statistics = from_json(Statistics, snapshot.statistics) if snapshot and snapshot.statistics else Statistics()
    return TargetPage(
        target=target,
        project=session.get_one(Project, target.project_id),
        environment=environment,
        policy=EnvironmentPolicy.from_json(environment.policy),
        capabilities=target.capabilities or {},
        error=target.last_error,
        open_job=open_job(session, target_id, JobKind.TEST_TARGET, JobKind.SNAPSHOT_SCHEMA),
        snapshot_at=snapshot.taken_at if snapshot else None,
        fingerprint=snapshot.fingerprint if snapshot else None,
        relations=_relations(schema, statistics, search),
        enums=tuple((name, enum.labels) for name, enum in sorted(schema.enums.items())),
        extensions=schema.extensions,
        database_bytes=statistics.database_bytes or None,
        has_statements=statistics.has_statements,
        backups=tuple(backups.of_target(session, target_id, limit=BACKUPS_SHOWN)),
        runs=tuple(run_lines(session, Run.target_id == target_id, limit=8)),
        plans=tuple(
            (row[0], row[1])
            for row in session.execute(
                select(Plan.id, Plan.name).where(Plan.target_id == target_id).order_by(Plan.updated_at.desc()).limit(8)
            )
        ),
        may_test=actor.may(target.project_id, Permission.TEST_TARGET),
        may_edit=actor.may(target.project_id, Permission.EDIT_TARGETS),
        may_back_up=actor.may(target.project_id, Permission.BACK_UP),
    )


def _relations(schema: Schema, statistics: Statistics, search: str) -> tuple[RelationRow, ...]:
    wanted = search.strip().lower()
    rows = [
        RelationRow(relation=relation, statistics=statistics.relations.get(name))
        for name, relation in schema.relations.items()
        if relation.kind != "sequence"
        and (not wanted or wanted in name.lower() or any(wanted in column.name.lower() for column in relation.columns))
    ]
    return tuple(sorted(rows, key=lambda row: (-(row.statistics.total_bytes if row.statistics else 0), row.relation.name)))


def newest_snapshot(session: Session, target_id: int) -> SchemaSnapshot | None:
    """What was last seen of the target's schema."""
    return session.scalar(
        select(SchemaSnapshot).where(SchemaSnapshot.target_id == target_id).order_by(SchemaSnapshot.taken_at.desc()).limit(1)
    )


def open_job(session: Session, subject_id: int, *kinds: JobKind) -> Job | None:
    """The job of those kinds that is still to come, or the newest one that failed."""
    return session.scalar(
        select(Job)
        .where(Job.subject_id == subject_id, Job.kind.in_(kinds), Job.state.in_((JobState.QUEUED, JobState.RUNNING)))
        .order_by(Job.id.desc())
        .limit(1)
    )


def choices(work: Work, permission: Permission = Permission.VIEW) -> list[tuple[int, str]]:
    """Targets to choose from, as ``project / environment / name``, in projects where the actor holds the right."""
    rows = work.session.execute(
        select(Target.id, Project.id, Project.name, Environment.name, Target.name)
        .join(Environment, Environment.id == Target.environment_id)
        .join(Project, Project.id == Target.project_id)
        .where(in_sight(work.actor, Target.project_id), Target.retired_at.is_(None))
        .order_by(Project.name, Environment.position, func.lower(Target.name))
    )
    return [
        (number, f"{project} / {environment} / {name}")
        for number, project_id, project, environment, name in rows
        if work.actor.may(project_id, permission)
    ]
