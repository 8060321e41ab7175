"""pg_dump as Headgate runs it, on a real server: what is written, what is refused, what is left when it is stopped."""

import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from psycopg import OperationalError

from app.backup.clients import ClientTooOldError
from app.backup.dump import DumpOrder, dump
from app.backup.place import Place
from app.backup.progress import Progress
from app.backup.source import UnknownTableError
from app.backup.storage import BackupFailedError, DiskFullError
from tests.doubles.databases import Database
from tests.doubles.waiting import until
from tests.postgres.backup.taking import ended, left_in, sessions_of, taken


@pytest.mark.parametrize("kind", ["directory", "custom"])
def test_a_backup_knows_its_tables_with_the_rows_of_its_own_snapshot(shop: Database, place: Place, kind: str):
    seen: list[Progress] = []
    running = dump(DumpOrder(dsn=shop.dsn, place=place, name="b", format=kind))
    seen.append(next(running))
    shop.execute("DELETE FROM users WHERE id > 10")
    manifest = ended(running, seen).manifest
    assert manifest.rows["public.Odd Name"] == 2
    assert manifest.rows["public.events_25"] == 30
    assert manifest.rows["public.users"] == 1000
    assert "public.events" not in manifest.rows, "a partitioned table has no rows of its own"
    assert seen[0].tables_total == len(manifest.rows)
    assert (seen[0].phase, manifest.entries > 5, manifest.bytes > 0) == ("dumping", True, True)
    assert left_in(place.directory) == ["b", "b.manifest.json"]


def test_a_partitioned_table_that_is_named_brings_its_partitions(shop: Database, place: Place):
    assert taken(shop, place, tables=("public.events", "public.users")).manifest.rows == {
        "public.events_25": 30,
        "public.users": 1000,
    }


def test_tables_that_do_not_exist_are_named_before_anything_is_written(shop: Database, place: Place):
    with pytest.raises(UnknownTableError, match=r"public\.gone, public\.nowhere"):
        taken(shop, place, tables=("public.users", "public.nowhere", "public.gone"))
    assert left_in(place.directory) == []


def test_the_current_table_and_the_bytes_are_told_while_it_goes_on(shop: Database, place: Place):
    seen: list[Progress] = []
    shop.execute("INSERT INTO users SELECT i, repeat(md5(i::text), 8) FROM generate_series(2000, 30000) AS i")
    ended(dump(DumpOrder(dsn=shop.dsn, place=place, name="b", jobs=1)), seen)
    last = [progress for progress in seen if progress.phase == "dumping"][-1]
    assert last.tables_done == last.tables_total
    assert last.current is not None
    assert last.current.startswith("public.")
    assert 0 < last.bytes_done < last.bytes_total


def test_a_dump_that_is_stopped_ends_its_children_and_leaves_nothing_within_two_seconds(shop: Database, place: Place):
    # pg_dump waits for this lock, so it is surely under way when it is stopped
    with shop.connect(autocommit=False) as holder:
        holder.execute("LOCK TABLE users")
        running = dump(DumpOrder(dsn=shop.dsn, place=place, name="b"))
        next(running)
        children = until(lambda: [child for child in psutil.Process().children(recursive=True) if child.name() == "pg_dump"])
        began = time.monotonic()
        running.close()
        assert time.monotonic() - began < 2
    assert not any(child.is_running() for child in children)
    assert left_in(place.directory) == []
    assert until(lambda: sessions_of(shop, "headgate backup") == [])


def test_what_an_earlier_attempt_left_is_ended_and_removed(shop: Database, place: Place):
    (place.directory / "b.partial").mkdir(parents=True)
    (place.directory / "b.partial" / "1.dat").write_text("half")
    orphan = shop.connect(autocommit=False)
    orphan.execute("SET application_name = 'headgate backup 7'")
    orphan.execute("LOCK TABLE users")
    assert taken(shop, place, application_name="headgate backup 7").manifest.rows["public.users"] == 1000
    with pytest.raises(OperationalError):
        orphan.execute("SELECT 1")
    assert left_in(place.directory) == ["b", "b.manifest.json"]


def test_a_role_that_may_not_read_is_told_the_grant(shop: Database, place: Place):
    shop.execute("DROP ROLE IF EXISTS poor_reader; CREATE ROLE poor_reader LOGIN PASSWORD 'secret-of-poor'")
    dsn = shop.dsn_for("poor_reader", "secret-of-poor")
    with pytest.raises(BackupFailedError) as caught:
        ended(dump(DumpOrder(dsn=dsn, place=place, name="b")))
    assert "pg_read_all_data" in (caught.value.hint or "")
    assert left_in(place.directory) == []


def test_pg_dump_that_is_older_than_the_server_is_refused_with_both_versions(shop: Database, postgres_17, place: Place):
    old = Place(directory=place.directory, bin_dir=postgres_17.installation / "bin")
    with pytest.raises(ClientTooOldError, match="pg_dump is of PostgreSQL 17, the server is 18"):
        taken(shop, old)
    assert left_in(place.directory) == []


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own that is soon full."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "none", folder], check=False, capture_output=True)
    if mounted.returncode != 0:
        pytest.skip("only root may mount a small file system")
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)


def test_a_disk_without_room_is_refused_with_the_figures(shop: Database, small_disk: Path):
    shop.execute("CREATE TABLE big AS SELECT repeat(i::text, 100) FROM generate_series(1, 20000) AS i")
    with pytest.raises(DiskFullError, match=r"may need [\d,]+ bytes \(as much as the tables.*has [\d,]+ free"):
        taken(shop, Place(directory=small_disk))
    assert left_in(small_disk) == []


def test_a_disk_that_becomes_full_in_the_middle_keeps_nothing(shop: Database, small_disk: Path):
    # the last backup was a hundredth of the tables; these rows don't shrink, so the estimate is wrong
    shop.execute("CREATE TABLE big AS SELECT sha512(i::text::bytea) FROM generate_series(1, 80000) AS i")
    with pytest.raises(DiskFullError, match="became full; nothing was kept"):
        taken(shop, Place(directory=small_disk), ratio=0.01)
    assert left_in(small_disk) == []
    assert shutil.disk_usage(small_disk).used < 100_000
