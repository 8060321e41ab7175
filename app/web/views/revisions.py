"""A plan's revisions and what differs between two of them."""

import difflib
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.plan.changes import differences
from app.plan.model import Plan as Content
from app.plan.writing import write_plan
from app.store.tables import Person, PlanRevision

_CONTEXT = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class RevisionLine:
    """One revision of the list."""

    id: int
    number: int
    digest: str
    author: str
    created_at: datetime
    note: str


def revision_lines(session: Session, plan_id: int) -> list[RevisionLine]:
    """Every revision, the newest first."""
    rows = session.execute(
        select(PlanRevision.id, PlanRevision.number, PlanRevision.digest, Person.name, PlanRevision.created_at, PlanRevision.note)
        .join(Person, Person.id == PlanRevision.created_by)
        .where(PlanRevision.plan_id == plan_id)
        .order_by(PlanRevision.number.desc())
    )
    return [
        RevisionLine(id=number_id, number=number, digest=digest, author=author, created_at=at, note=note)
        for number_id, number, digest, author, at, note in rows
    ]


def content_of(session: Session, plan_id: int, number: int) -> Content | None:
    """The content of the revision of that number."""
    document = session.scalar(select(PlanRevision.document).where(PlanRevision.plan_id == plan_id, PlanRevision.number == number))
    return Content.from_json(document) if document else None


def changes_between(old: Content, new: Content) -> list[str]:
    """What changed, a sentence each."""
    return [change.sentence for change in differences(old, new)]


def diff_between(old: Content, new: Content) -> list[tuple[str, str]]:
    """The two plan files as a unified difference: (sign, text)."""
    lines = difflib.unified_diff(write_plan(old).splitlines(), write_plan(new).splitlines(), lineterm="", n=_CONTEXT)
    return [("@", line) if line.startswith("@@") else (line[:1], line[1:]) for line in list(lines)[2:]]
