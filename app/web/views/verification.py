"""The result of a run compared with what was planned, as its page shows it."""

from dataclasses import dataclass
from datetime import datetime

from app.actions.work import Work
from app.store import snapshots
from app.verification.report import Item, Verification

_TONES = {
    "passed": ("is-ok", "circle-check", "The result is what was planned"),
    "failed": ("is-bad", "octagon-alert", "The result is not what was planned"),
    "unknown": ("is-warn", "circle-question-mark", "Not everything could be told"),
}
_ORDER = ("failed", "unknown", "passed")


@dataclass(frozen=True, slots=True, kw_only=True)
class VerificationPage:
    """One verification."""

    at: datetime
    tone: str
    icon: str
    sentence: str
    counts: str
    #: what failed first, then what could not be told, then the rest
    items: tuple[Item, ...]
    fingerprint: str | None


def verification_page(work: Work, run_id: int) -> VerificationPage | None:
    """The run's newest verification; None before there is one."""
    row = snapshots.newest_verification(work.session, run_id)
    if row is None:
        return None
    report = Verification.from_json(row.report)
    tone, icon, sentence = _TONES[report.state]
    return VerificationPage(
        at=row.created_at,
        tone=tone,
        icon=icon,
        sentence=sentence,
        counts=report.sentence(),
        items=tuple(sorted(report.items, key=lambda item: _ORDER.index(item.state))),
        fingerprint=report.fingerprint,
    )
