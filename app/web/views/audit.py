"""The audit log as a filterable list and as an export."""

import csv
import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import InstrumentedAttribute, Session

from app.actions.permissions import Permission
from app.actions.work import Actor
from app.store.tables import AuditLine, Environment, Person, Plan, Project, Target
from app.web.views.audit_words import summary_of
from app.web.views.paging import PER_PAGE

_PAGES = {
    "plan": "/plans/{}",
    "run": "/runs/{}",
    "target": "/targets/{}",
    "backup": "/backups/{}",
    "environment": "/environments/{}",
}
_NAMED: dict[str, tuple[InstrumentedAttribute[int], InstrumentedAttribute[str]]] = {
    kind: (table.id, table.name)
    for kind, table in (
        ("plan", Plan),
        ("target", Target),
        ("environment", Environment),
        ("project", Project),
        ("person", Person),
    )
}
_COLUMNS = (
    "id",
    "at",
    "person_id",
    "actor",
    "act",
    "subject_kind",
    "subject_id",
    "project_id",
    "details",
    "address",
    "request_id",
    "previous_hash",
    "hash",
)
#: spreadsheets run a cell that begins like this as a formula
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditFilter:
    """What the list is narrowed to."""

    project: str = ""
    person: str = ""
    act: str = ""
    before: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditRow:
    """One line as the page shows it."""

    id: int
    at: datetime
    actor: str
    act: str
    subject_kind: str
    subject_id: int | None
    href: str
    #: of the subject, as it is called now; empty where it has no name
    name: str
    summary: str
    details: str
    hash: str
    address: str
    request_id: str


def _in_sight(actor: Actor) -> ColumnElement[bool] | None:
    """Lines of one's projects, and one's own; None for an administrator, who sees all."""
    if actor.is_admin:
        return None
    projects = [number for number in actor.roles if actor.may(number, Permission.VIEW)]
    return or_(AuditLine.project_id.in_(projects), AuditLine.person_id == actor.person_id)


def _where(actor: Actor, wanted: AuditFilter) -> list[ColumnElement[bool]]:
    where: list[ColumnElement[bool]] = []
    seen = _in_sight(actor)
    if seen is not None:
        where.append(seen)
    if wanted.project.isdigit():
        where.append(AuditLine.project_id == int(wanted.project))
    if wanted.person.isdigit():
        where.append(AuditLine.person_id == int(wanted.person))
    if wanted.act:
        where.append(AuditLine.act == wanted.act)
    if wanted.before is not None:
        where.append(AuditLine.id < wanted.before)
    return where


def audit_rows(session: Session, actor: Actor, wanted: AuditFilter) -> tuple[list[AuditRow], int | None]:
    """One page of lines, the newest first, and the id that the next page begins before."""
    query = select(AuditLine).where(*_where(actor, wanted)).order_by(AuditLine.id.desc()).limit(PER_PAGE + 1)
    lines = session.scalars(query).all()
    names = _names(session, lines)
    rows = [_row(line, names.get((line.subject_kind, line.subject_id or 0), "")) for line in lines[:PER_PAGE]]
    return rows, rows[-1].id if len(lines) > PER_PAGE else None


def _names(session: Session, lines: Sequence[AuditLine]) -> dict[tuple[str, int], str]:
    """What the subjects of the lines are called."""
    found = {}
    for kind, (identity, called) in _NAMED.items():
        numbers = {line.subject_id for line in lines if line.subject_kind == kind and line.subject_id}
        if numbers:
            rows = session.execute(select(identity, called).where(identity.in_(numbers)))
            found.update({(kind, number): name for number, name in rows})
    return found


def _row(line: AuditLine, name: str) -> AuditRow:
    path = _PAGES.get(line.subject_kind)
    return AuditRow(
        id=line.id,
        at=line.at,
        actor=line.actor,
        act=line.act,
        subject_kind=line.subject_kind,
        subject_id=line.subject_id,
        href=path.format(line.subject_id) if path and line.subject_id else "",
        name=name,
        summary=summary_of(line.details, subject=name, address=line.address),
        details=json.dumps(line.details, indent=2, ensure_ascii=False),
        hash=line.hash,
        address=line.address,
        request_id=line.request_id,
    )


def acts(session: Session, actor: Actor) -> list[str]:
    """Every verb that occurs in the lines that the actor sees."""
    seen = _in_sight(actor)
    query = select(AuditLine.act).distinct().order_by(AuditLine.act)
    return list(session.scalars(query if seen is None else query.where(seen)))


def actors(session: Session, actor: Actor) -> list[tuple[int, str]]:
    """Everybody who occurs in the lines that the actor sees."""
    seen = _in_sight(actor)
    known = AuditLine.person_id.is_not(None)
    query = select(AuditLine.person_id, AuditLine.actor).ext(distinct_on(AuditLine.person_id)).where(known)
    query = query.order_by(AuditLine.person_id, AuditLine.id.desc())
    rows = session.execute(query if seen is None else query.where(seen))
    return [(number, name) for number, name in rows if number is not None]


def exported(session: Session, actor: Actor, wanted: AuditFilter) -> list[dict[str, object]]:
    """Every line that matches, the oldest first, as plain values."""
    lines = session.scalars(select(AuditLine).where(*_where(actor, wanted)).order_by(AuditLine.id))
    return [
        {name: getattr(line, name).isoformat() if name == "at" else getattr(line, name) for name in _COLUMNS} for line in lines
    ]


def as_csv(lines: list[dict[str, object]]) -> Iterator[str]:
    """The lines as CSV; cells that a spreadsheet would run are quoted."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    for row in [list(_COLUMNS), *([_cell(line[name]) for name in _COLUMNS] for line in lines)]:
        writer.writerow(row)
        yield buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()


def _cell(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else "" if value is None else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text
