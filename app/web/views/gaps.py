"""What is missing before a run, as pages show it: who or what clears it, and a link that says what waits behind it."""

from collections.abc import Iterable
from dataclasses import dataclass

from app.review.readiness import Missing

#: what clears it -> (icon, words)
_CLEARS = {
    "fix": ("wrench", "to do"),
    "by itself": ("hourglass", "clears by itself"),
    "person": ("user", "takes a person"),
    "override": ("hand", "takes an override"),
}
#: gate -> what the link leads to
_LINKS = {
    "analysis": "Look at the analysis",
    "rehearsal": "Look at the rehearsal",
    "approvals": "Look at the review",
    "staging_first": "Run it there first",
    "backup": "Take a backup",
    "open_run": "Look at that run",
    "target": "Look at the target",
    "archived": "Look at the plan",
    "current_revision": "Look at the newest",
    "checklist:rollback-prepared": "Look at the steps",
    "checklist:metrics-ready": "Look at the target",
    "checklist:query-performance": "Look at the target",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """One line of what is missing."""

    gate: str
    what: str
    why: str
    icon: str
    clears: str
    href: str
    link: str
    can_override: bool


def gaps(missing: Iterable[Missing]) -> tuple[Gap, ...]:
    """Every missing thing as a line."""
    return tuple(_gap(each) for each in missing)


def _gap(missing: Missing) -> Gap:
    icon, clears = _CLEARS[missing.clears]
    return Gap(
        gate=missing.gate,
        what=missing.what,
        why=missing.why,
        icon=icon,
        clears=clears,
        href=missing.href,
        link=_LINKS.get(missing.gate, "Go to the checklist"),
        can_override=missing.can_override,
    )
