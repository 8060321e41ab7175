"""The checklist by group with what the one who looks may do about each item, and the gates that no item speaks for."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from app.actions.permissions import Permission
from app.actions.work import Work
from app.review.readiness import Ready
from app.review.ticks import PROVABLE, ItemStatus, gate_of
from app.store import reviews
from app.store.tables import Run
from app.store.tables.reviews import Tick
from app.web.views.gaps import Gap, gaps
from app.web.views.standing import Standing


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One item with what the one who looks may do about it."""

    status: ItemStatus
    is_proven: bool
    may_tick: bool
    may_untick: bool
    #: what stands in its way, where it is open
    gap: Gap | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChecklistPage:
    """The items, and the gates beside them."""

    groups: tuple[tuple[str, tuple[Item, ...]], ...]
    #: gates without an item of their own: the analysis, the rehearsal, the target
    gates: tuple[Gap, ...]
    ticked: int
    total: int
    missing: tuple[Gap, ...]
    overridden: tuple[Gap, ...]
    #: those of them that no item shows
    overridden_beside: tuple[Gap, ...]
    is_ready: bool
    may_tick: bool
    may_override: bool
    may_start: bool
    #: the run that did it, where it is done: the page then shows what was ticked when it began
    done: Run | None


def checklist_page(work: Work, now: Standing) -> ChecklistPage | None:
    """The page; None while the plan has no target."""
    if now.readiness is None:
        return None
    project, is_open = now.plan.project_id, now.done is None
    may_tick = is_open and work.actor.may(project, Permission.TICK)
    missing = gaps(now.missing)
    by_gate = {gap.gate: gap for gap in missing}
    statuses = now.readiness.checklist if is_open else _as_it_began(work, now)
    items = [_item(status, by_gate, may_tick=may_tick) for status in statuses]
    spoken_for = {gate_of(status.item) for status in statuses}
    groups: dict[str, list[Item]] = {}
    for item in items:
        groups.setdefault(item.status.item.group, []).append(item)
    return ChecklistPage(
        groups=tuple((name, tuple(items)) for name, items in groups.items()),
        gates=tuple(gap for gap in missing if gap.gate not in spoken_for),
        ticked=sum(status.is_ticked for status in statuses),
        total=len(statuses),
        missing=missing,
        overridden=gaps(now.readiness.overridden),
        overridden_beside=tuple(gap for gap in gaps(now.readiness.overridden) if gap.gate not in spoken_for),
        is_ready=is_open and isinstance(now.readiness, Ready),
        may_tick=may_tick,
        may_override=is_open and work.actor.may(project, Permission.OVERRIDE),
        may_start=is_open and work.actor.may(project, Permission.START_RUN),
        done=now.done,
    )


def _item(status: ItemStatus, by_gate: Mapping[str, Gap], *, may_tick: bool) -> Item:
    is_proven = status.item.proof in PROVABLE
    by_hand = may_tick and not is_proven
    return Item(
        status=status,
        is_proven=is_proven,
        may_tick=by_hand and not status.is_ticked,
        may_untick=by_hand and status.is_ticked and not status.is_overridden,
        gap=None if status.is_ticked else by_gate.get(gate_of(status.item)),
    )


def _as_it_began(work: Work, now: Standing) -> tuple[ItemStatus, ...]:
    """Every item with the proof that was written down when the run was started: what lapsed since does not matter any more."""
    if now.readiness is None or now.target is None:
        return ()
    kept = {tick.item_id: tick for tick, _ in reviews.standing_ticks(work.session, now.plan.id, now.target.id)}
    return tuple(_kept(status, kept.get(status.item.id)) for status in now.readiness.checklist)


def _kept(status: ItemStatus, tick: Tick | None) -> ItemStatus:
    if tick is None or tick.person_id is not None:
        return replace(status, until=None)
    told = tick.evidence or {}
    return ItemStatus(
        item=status.item,
        is_ticked=True,
        by="headgate",
        text=str(told.get("text", "")),
        href=str(told.get("href", "")),
        at=tick.ticked_at,
    )
