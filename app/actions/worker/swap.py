"""Looks who is connected, and swaps databases: the row says what was asked, and what came of it."""

from app.actions import queueing
from app.actions.work import Work, headgate
from app.actions.worker.desk import Desk, Report, target_dsn
from app.backup.swap import SwapOrder, Swapped, sessions_on, swap
from app.errors import HeadgateError
from app.store.tables.backups import Backup, Restore
from app.store.tables.targets import Target
from app.store.words import JobKind, RestoreState
from app.target.dsn import parse_dsn


def name_sessions(desk: Desk, restore_id: int, _report: Report) -> None:
    """Keep who is connected to the database that is live and to the one that should take its place."""
    with desk.sessions() as session:
        order = _order(session.get_one(Restore, restore_id), target_dsn_of(desk, restore_id))
    found = sessions_on(order.dsn, [order.live, order.comes])
    with desk.sessions.begin() as session:
        row = session.get_one(Restore, restore_id, with_for_update=True)
        row.sessions = {"at": desk.clock.now().isoformat(), "sessions": [each.as_json() for each in found], "live": order.live}


def swap_database(desk: Desk, restore_id: int, _report: Report) -> None:
    """Swap, or swap back; where it is refused the row goes back to what it was, with the reason."""
    with desk.sessions() as session:
        row = session.get_one(Restore, restore_id)
        if row.state not in (RestoreState.SWAPPING, RestoreState.SWAPPING_BACK):
            return
        order = _order(row, target_dsn_of(desk, restore_id))
    try:
        swapped = swap(order)
    except HeadgateError as error:
        _keep(desk, restore_id, order, error=error)
        raise
    _keep(desk, restore_id, order, swapped=swapped)


def target_dsn_of(desk: Desk, restore_id: int) -> str:
    """The connection string of the target that a restore's backup is of; never log it."""
    with desk.sessions() as session:
        backup = session.get_one(Backup, session.get_one(Restore, restore_id).backup_id)
        return target_dsn(session, desk.settings, backup.target_id)


def _order(row: Restore, dsn: str) -> SwapOrder:
    asked = row.swap or {}
    aside = row.set_aside or f"headgate_before_{row.id}"
    is_back = row.state in (RestoreState.SWAPPED, RestoreState.SWAPPING_BACK)
    return SwapOrder(
        dsn=dsn,
        live=parse_dsn(dsn).database or "",
        comes=aside if is_back else row.new_database,
        goes=row.new_database if is_back else aside,
        may_end=frozenset((each["role"], each["application"], each["address"]) for each in asked.get("may_end", ())),
    )


def _keep(
    desk: Desk, restore_id: int, order: SwapOrder, *, swapped: Swapped | None = None, error: HeadgateError | None = None
) -> None:
    with desk.sessions.begin() as session:
        row = session.get_one(Restore, restore_id, with_for_update=True)
        was_back = row.state is RestoreState.SWAPPING_BACK
        # a swap that went through leaves the restored database in place, one that was refused leaves what there was before
        in_place = (swapped is not None) != was_back
        row.state = RestoreState.SWAPPED if in_place else RestoreState.DONE
        row.sessions = None
        row.swap = {
            **(row.swap or {}),
            "live": order.live,
            "at": desk.clock.now().isoformat(),
            "is_back": was_back,
            "result": swapped.as_json() if swapped else None,
            "error": error.as_json() if error else None,
        }
        if swapped is None:
            return
        row.swapped_at = desk.clock.now() if in_place else None
        target = session.get_one(Target, session.get_one(Backup, row.backup_id).target_id)
        work = Work(session=session, actor=headgate(), clock=desk.clock, settings=desk.settings)
        # another database answers by that name now: what is known of its schema is read anew, and the sweep rings the bell
        queueing.job(work, JobKind.SNAPSHOT_SCHEMA, target.id)
        work.note(
            "swapped_back" if was_back else "swapped_database",
            "backup",
            row.backup_id,
            project_id=target.project_id,
            target=target.name,
            live=order.live,
            came=order.comes,
            went=order.goes,
            ended=[f"{each.application} as {each.role} from {each.address}" for each in swapped.ended],
        )
