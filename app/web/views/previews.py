"""The schema preview of a plan for its page: seen by the newest rehearsal, or else foreseen by the analysis."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.catalog.preview import Preview, TablePreview
from app.store.words import JobState
from app.web.views.diagrams import Diagram, diagram
from app.web.views.standing import Standing

_ORDER = ("new", "modified", "removed")


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewPage:
    """What the page shows."""

    preview: Preview
    #: new first, then modified, then removed
    tables: tuple[TablePreview, ...]
    counts: tuple[tuple[str, int], ...]
    diagram: Diagram | None
    is_seen: bool
    at: datetime | None
    #: the target's schema is not the one that it was made with
    is_old: bool


def preview_page(now: Standing) -> PreviewPage | None:
    """The page, or None where nothing is known yet."""
    rehearsed = _rehearsed(now)
    # an analysis' details are loaded only where they are needed
    content = rehearsed or _analysed(now)
    if content is None:
        return None
    row = now.rehearsal if rehearsed else now.analysis
    found = Preview.from_json(content)
    facts = now.facts
    return PreviewPage(
        preview=found,
        tables=tuple(sorted(found.tables, key=lambda table: (_ORDER.index(table.change), table.table))),
        counts=tuple((word, sum(table.change == word for table in found.tables)) for word in _ORDER),
        diagram=diagram(found.diagram),
        is_seen=bool(rehearsed),
        at=row.finished_at if row else None,
        is_old=bool(facts and (facts.rehearsal_is_old if rehearsed else facts.analysis_is_old)),
    )


def _rehearsed(now: Standing) -> dict[str, Any] | None:
    row = now.rehearsal
    if row is None or row.state is not JobState.DONE or not row.result:
        return None
    if row.result.get("error") and not (row.result.get("rollback") or {}).get("ran"):
        # it stopped on the way forward: the schema that it left is not the plan's
        return None
    found: dict[str, Any] | None = row.result.get("preview")
    return found


def _analysed(now: Standing) -> dict[str, Any] | None:
    row = now.analysis
    if row is None or row.state is not JobState.DONE:
        return None
    return (row.details or {}).get("preview")
