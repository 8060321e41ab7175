"""Say by hand how an item of the monitoring checklist stands."""

from app.actions import moving, reach, wording
from app.actions.permissions import Permission
from app.actions.work import Work
from app.errors import MovedMeanwhileError
from app.run.states import RunState
from app.store.events import notify
from app.store.tables.snapshots import MonitoringItem
from app.store.words import ItemState, Window

_BY_HAND = (ItemState.PASSED, ItemState.FAILED)


def set_monitoring_item(work: Work, *, run_id: int, item_id: str, window: str, state: str, note: str = "") -> MonitoringItem:
    """Set an item to passed or failed; to pass what Headgate found failed needs a reason and is kept as overridden.

    Raises NotFoundError, NotAllowedError, InvalidInputError, MovedMeanwhileError where the run is not being watched.
    """
    run = reach.run(work, run_id, Permission.MONITOR, held=True)
    if run.state is not RunState.MONITORING:
        raise MovedMeanwhileError(f"Run {run.id} is {run.state.words}: nobody watches it.")
    if window not in set(Window) or state not in set(_BY_HAND):
        raise wording.refused("state", f"The states are {' and '.join(_BY_HAND)}; the window has to be one of the watch.")
    item = work.session.get(MonitoringItem, (run.id, item_id, Window(window)), with_for_update=True)
    if item is None:
        raise wording.refused("item_id", "The monitoring checklist has no such item.")
    wanted = ItemState(state)
    if wanted is ItemState.PASSED and item.state in {ItemState.FAILED, ItemState.OVERRIDDEN} and item.figures:
        note, wanted = wording.reason(note, "note"), ItemState.OVERRIDDEN
    before = item.state.value
    item.state, item.note, item.person_id, item.evaluated_at = wanted, wording.text(note), work.actor.person_id, work.now
    work.session.flush()
    notify(work.session, run.id)
    moving.note(
        work, run, "set_monitoring_item", item=item_id, window=window, before=before, state=wanted.value, reason=item.note
    )
    return item
