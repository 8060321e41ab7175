"""Backups and restores driven to their end, with what was told on the way."""

from collections.abc import Generator
from pathlib import Path
from typing import Any

from app.backup.dump import DumpOrder, dump
from app.backup.keep import Artifact
from app.backup.place import Place
from app.backup.progress import Progress
from app.backup.restore import Restored, RestoreOrder, restore
from tests.doubles.databases import Database


def ended(running: Generator[Progress, None, Any], seen: list[Progress] | None = None) -> Any:
    """What the work returned."""
    while True:
        try:
            progress = next(running)
        except StopIteration as end:
            return end.value
        if seen is not None:
            seen.append(progress)


def taken(database: Database, place: Place, *, name: str = "b", **also: Any) -> Artifact:
    """A backup of a database."""
    return ended(dump(DumpOrder(dsn=database.dsn, place=place, name=name, **also)))


def an_order(database: Database, place: Place, artifact: Artifact, new: str, **also: Any) -> RestoreOrder:
    """The order to restore it beside the database."""
    values = {"dsn": database.dsn, "place": place, "location": artifact.location, "sha256": artifact.manifest.sha256}
    return RestoreOrder(**{**values, "new_database": new, "mark": "headgate restore 1", "like": database.name, **also})


def restored(order: RestoreOrder) -> Restored:
    """The restore, at its end."""
    return ended(restore(order))


def left_in(folder: Path) -> list[str]:
    """What is in a folder; nothing where there is none."""
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def databases(database: Database, like: str) -> int:
    """How many databases of that name there are."""
    return database.value("SELECT count(*) FROM pg_database WHERE datname = %s", [like])


def sessions_of(database: Database, name: str) -> list:
    """Sessions whose name begins so."""
    return database.rows("SELECT application_name FROM pg_stat_activity WHERE starts_with(application_name, %s)", [name])
