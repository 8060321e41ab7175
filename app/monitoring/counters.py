"""Counters of tables, indexes and the database, one look against another."""

from collections.abc import Mapping

from app.monitoring.differences import DatabaseDifference, IndexDifference, TableDifference
from app.monitoring.figures import IndexFigures, Snapshot, TableFigures
from app.monitoring.intervals import counters_lost, seconds_between

_TRANSACTIONS = ("xact_commit", "xact_rollback")


def _grown(old: int, new: int, *, lost: bool) -> int:
    """What a counter grew by; all of it where it began again."""
    return new if lost or new < old else new - old


def table_difference(old: TableFigures | None, new: TableFigures, *, lost: bool) -> TableDifference:
    """One table, with what its counters grew by."""

    def grown(name: str) -> int:
        return _grown(getattr(old, name), getattr(new, name), lost=lost) if old else int(getattr(new, name))

    return TableDifference(
        name=new.name,
        bytes_before=old.table_bytes if old else None,
        bytes_after=new.table_bytes,
        indexes_before=old.indexes_bytes if old else None,
        indexes_after=new.indexes_bytes,
        # after a crash the counter of live rows is zero although the table is full
        rows_after=new.estimated_rows or float(new.live_rows),
        dead_rows_after=new.dead_rows,
        vacuum_at_dead_rows=new.vacuum_at_dead_rows,
        last_vacuum=new.last_vacuum,
        sequential_scans=grown("sequential_scans"),
        # the table's own count is a sum over its indexes, and falls when one of them is built again
        index_scans=max(0, new.index_scans - (old.index_scans if old and not lost else 0)),
        rows_written=grown("rows_inserted") + grown("rows_updated") + grown("rows_deleted"),
    )


def index_differences(
    old: Mapping[str, IndexFigures], new: Mapping[str, IndexFigures], *, lost: bool
) -> dict[str, IndexDifference]:
    """Every index of either look; one that was built again counts from zero."""
    found: dict[str, IndexDifference] = {}
    for name in sorted(old.keys() | new.keys()):
        was, now = old.get(name), new.get(name)
        shown = now or was
        if shown is None:
            continue
        same = was is not None and now is not None and was.counter == now.counter
        found[name] = IndexDifference(
            name=name,
            relation=shown.relation,
            presence="both" if was and now else "new" if now else "gone",
            scans=_grown(was.scans, now.scans, lost=lost) if was and now and same else now.scans if now else None,
            scans_before=was.scans if was else None,
            bytes=now.bytes if now else None,
            is_valid=shown.is_valid,
            is_building=shown.is_building,
            is_exempt=shown.is_unique or shown.serves_constraint,
            last_scan=now.last_scan if now else None,
        )
    return found


def database_difference(before: Snapshot, after: Snapshot, start: Snapshot, earlier: Snapshot | None) -> DatabaseDifference:
    """The database as a whole; without an earlier look there is no rate before."""

    def grown(name: str, one: Snapshot, other: Snapshot) -> int:
        lost = counters_lost(one.epoch, other.epoch)
        return _grown(int(one.database.get(name) or 0), int(other.database.get(name) or 0), lost=lost)

    past = {name: grown(name, earlier, before) for name in (*_TRANSACTIONS, "deadlocks")} if earlier else None
    now = {name: grown(name, start, after) for name in (*_TRANSACTIONS, "deadlocks", "sessions_fatal")}
    return DatabaseDifference(
        commits_before=past["xact_commit"] / seconds_between(earlier.taken_at, before.taken_at) if past and earlier else None,
        commits_after=now["xact_commit"] / seconds_between(start.taken_at, after.taken_at),
        transactions_before=past["xact_commit"] + past["xact_rollback"] if past else _whole(before, *_TRANSACTIONS),
        transactions_after=now["xact_commit"] + now["xact_rollback"],
        rollbacks_before=past["xact_rollback"] if past else _whole(before, "xact_rollback"),
        rollbacks_after=now["xact_rollback"],
        deadlocks_before=past["deadlocks"] if past else None,
        deadlocks_after=now["deadlocks"],
        fatal_after=now["sessions_fatal"],
        bytes_before=before.database.get("database_bytes"),
        bytes_after=after.database.get("database_bytes"),
        connections=after.database.get("connections"),
        connections_usable=after.database.get("connections_usable"),
        lock_waiters=after.database.get("lock_waiters"),
        oldest_transaction_seconds=after.database.get("oldest_transaction_seconds"),
    )


def _whole(snapshot: Snapshot, *names: str) -> int:
    return sum(int(snapshot.database.get(name) or 0) for name in names)
