"""A worker killed in the middle of a dump: no password stays anywhere, no pg_dump, and the next holder's backup is whole."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from app.backup.clients import access, connect_argument
from app.backup.place import Place
from app.backup.staging import sweep
from tests.doubles.databases import Database
from tests.doubles.waiting import until
from tests.postgres.backup.taking import left_in, sessions_of, taken

PASSWORD = "hunter2-of-the-reader"
WORKER = """
import os
from pathlib import Path
from app.backup.dump import DumpOrder, dump
from app.backup.place import Place
place = Place(directory=Path(os.environ["HEADGATE_BACKUP_DIR"]))
list(dump(DumpOrder(dsn=os.environ["HEADGATE_DSN"], place=place, name="b", application_name="headgate backup 7")))
"""


@contextmanager
def dumping(shop: Database, place: Place, scratch: Path) -> Iterator[tuple[subprocess.Popen[bytes], list[psutil.Process]]]:
    """A worker whose pg_dump and its children have all connected and wait for a table, and those processes."""
    shop.execute(
        f"DROP ROLE IF EXISTS killed_reader; CREATE ROLE killed_reader LOGIN PASSWORD '{PASSWORD}' IN ROLE pg_read_all_data"
    )
    scratch.mkdir()
    environment = {**os.environ, "TMPDIR": str(scratch), "HEADGATE_BACKUP_DIR": str(place.directory)}
    environment["HEADGATE_DSN"] = shop.dsn_for("killed_reader", PASSWORD)
    with shop.connect(autocommit=False) as holder:
        holder.execute("LOCK TABLE users")
        worker = subprocess.Popen([sys.executable, "-c", WORKER], env=environment)
        try:
            until(lambda: any(process.name() == "pg_dump" for process in psutil.Process(worker.pid).children()), seconds=30)
            # the worker's snapshot, its count and pg_dump; then pg_dump stands at the lock
            until(lambda: len(sessions_of(shop, "headgate backup 7")) >= 3, seconds=30)
            yield worker, psutil.Process(worker.pid).children(recursive=True)
        finally:
            worker.kill()
            worker.wait()


def holding(folder: Path, words: str) -> list[Path]:
    """Files below the folder with these words in them."""
    return [file for file in folder.rglob("*") if file.is_file() and words.encode() in file.read_bytes()]


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel ends pg_dump with its worker, and holds the password in memory")
def test_a_killed_worker_leaves_no_password_and_no_pg_dump_and_the_next_backup_is_whole(
    shop: Database, place: Place, tmp_path: Path
):
    scratch = tmp_path / "scratch"
    with dumping(shop, place, scratch) as (worker, children):
        assert PASSWORD not in " ".join(" ".join(child.cmdline()) + str(child.environ()) for child in children)
        assert holding(tmp_path, PASSWORD) == []
        worker.kill()
        psutil.wait_procs(children, timeout=20)
        assert not [child for child in children if child.is_running()]
    assert holding(tmp_path, PASSWORD) == []
    assert left_in(scratch) == []
    assert [name for name in left_in(place.directory) if name.endswith(".partial")], "it was killed in the middle"
    again = taken(shop, place, application_name="headgate backup 7", jobs=3)
    assert again.manifest.rows["public.users"] == 1000
    assert left_in(place.directory) == ["b", "b.manifest.json"]
    assert until(lambda: sessions_of(shop, "headgate backup 7") == [])


def test_work_that_is_held_is_left_alone_and_what_nobody_holds_goes(shop: Database, place: Place, tmp_path: Path):
    (place.directory / "old.x.partial").mkdir(parents=True)
    (place.directory / "old.x.partial" / "1.dat").write_text("half")
    with dumping(shop, place, tmp_path / "scratch"):
        sweep(place.directory)
        assert [name.partition(".")[0] for name in left_in(place.directory)] == ["b"]
    sweep(place.directory)
    assert left_in(place.directory) == []


@pytest.mark.parametrize("has_memory", [True, False])
def test_the_password_is_in_no_argument_and_no_environment(has_memory: bool, tmp_path: Path, monkeypatch):
    if not has_memory:
        monkeypatch.delattr(os, "memfd_create", raising=False)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with access("postgresql://app:hunter2@localhost/shop", application_name="headgate") as reach:
        assert "hunter2" not in " ".join([connect_argument(), *reach.environment.values()])
        assert "password=hunter2" in Path(reach.environment["PGSERVICEFILE"]).read_text()
        assert bool(holding(tmp_path, "hunter2")) is not has_memory
        assert not [path for path in tmp_path.rglob("*") if path.stat().st_mode & 0o077 and path.name == "service.conf"]
    assert not holding(tmp_path, "hunter2")
