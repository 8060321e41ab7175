"""A draft that was read and not saved yet, file by file and step by step."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import select

from app.actions.drafting import Draft
from app.actions.permissions import Permission
from app.actions.work import Work
from app.errors import HeadgateError
from app.plan.writing import write_plan
from app.store.tables import Project
from app.web.formats import plural
from app.web.views.plan_document import PhaseLines, plan_document
from app.web.views.visible import in_sight


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What the importer made of the files."""

    name: str
    sentence: str
    phases: tuple[PhaseLines, ...]
    steps: int
    recognised: tuple[str, ...]
    #: file -> why it plays no part
    not_recognised: Mapping[str, str]
    text: str


def preview_of(draft: Draft) -> Preview:
    """The draft as the page shows it; its text is the plan file that will be saved."""
    document = plan_document(draft.plan, None)
    imported = None if draft.source_text is not None else draft.imported
    sentence = (
        "Read from one text."
        if imported is None
        else f"{plural(len(imported.migrations), 'migration')} of {imported.tool}. {imported.reason}"
    )
    return Preview(
        name=draft.plan.name,
        sentence=sentence,
        phases=document.phases,
        steps=len(document.steps),
        recognised=imported.recognised if imported else (),
        not_recognised=imported.not_recognised if imported else {},
        text=write_plan(draft.plan),
    )


def project_choices(work: Work) -> list[tuple[int, str]]:
    """Projects in which the actor may write plans."""
    rows = work.session.execute(select(Project.id, Project.name).where(in_sight(work.actor, Project.id)).order_by(Project.name))
    return [(number, name) for number, name in rows if work.actor.may(number, Permission.WRITE_PLAN)]


def line_of(text: str, problem: HeadgateError) -> str | None:
    """The line of the text that the refusal names."""
    lines = text.splitlines()
    return lines[problem.line - 1][:400] if problem.line and problem.line <= len(lines) else None
