"""The checklist by group, what may be overridden, and what stands in the way of the start."""

from dataclasses import dataclass

from app.actions.permissions import Permission
from app.actions.work import Work
from app.review.readiness import Missing, Ready
from app.review.ticks import PROVABLE, ItemStatus
from app.web.views.plan_head import Standing


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One item with what the one who looks may do about it."""

    status: ItemStatus
    is_proven: bool
    may_tick: bool
    may_untick: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ChecklistPage:
    """The items, and the gates beside them."""

    groups: tuple[tuple[str, tuple[Item, ...]], ...]
    ticked: int
    total: int
    missing: tuple[Missing, ...]
    overridden: tuple[Missing, ...]
    is_ready: bool
    may_override: bool
    may_start: bool


def checklist_page(work: Work, now: Standing) -> ChecklistPage | None:
    """The page; None while the plan has no target."""
    if now.readiness is None:
        return None
    may_tick = work.actor.may(now.plan.project_id, Permission.TICK)
    may_override = work.actor.may(now.plan.project_id, Permission.OVERRIDE)
    groups: dict[str, list[Item]] = {}
    for status in now.readiness.checklist:
        is_proven = status.item.proof in PROVABLE
        groups.setdefault(status.item.group, []).append(
            Item(
                status=status,
                is_proven=is_proven,
                may_tick=may_tick and not is_proven and not status.is_ticked,
                may_untick=may_tick and not is_proven and status.is_ticked and not status.text.startswith("Overridden: "),
            )
        )
    return ChecklistPage(
        groups=tuple((name, tuple(items)) for name, items in groups.items()),
        ticked=sum(status.is_ticked for status in now.readiness.checklist),
        total=len(now.readiness.checklist),
        missing=now.missing,
        overridden=now.readiness.overridden,
        is_ready=isinstance(now.readiness, Ready),
        may_override=may_override,
        may_start=work.actor.may(now.plan.project_id, Permission.START_RUN),
    )
