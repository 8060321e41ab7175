"""pg_dump as Headgate runs it, on a real server: what is written, what is refused, what is left when it is stopped."""

from pathlib import Path

import pytest

from app.backup.artifact import Artifact, BackupDamagedError, check_artifact, manifest_path
from app.backup.clients import connect_argument, connection_environment
from app.backup.dump import BackupFailedError, DumpOrder, DumpProgress, dump
from app.backup.restore import RestoreFailedError, RestoreOrder, restore
from tests.doubles.databases import Database


def finished(order: DumpOrder) -> tuple[list[DumpProgress], Artifact]:
    seen, running = [], dump(order)
    while True:
        try:
            seen.append(next(running))
        except StopIteration as end:
            return seen, end.value


@pytest.fixture
def shop(database: Database) -> Database:
    database.execute("CREATE TABLE users (id bigint PRIMARY KEY, email text NOT NULL)")
    database.execute('CREATE TABLE "Odd Name" (id int)')
    database.execute("INSERT INTO users SELECT i, 'user' || i FROM generate_series(1, 1000) AS i")
    return database


@pytest.mark.parametrize("kind", ["directory", "custom"])
def test_a_backup_is_complete_hashed_and_listed_by_pg_restore(shop: Database, tmp_path: Path, kind: str):
    progress, artifact = finished(DumpOrder(dsn=shop.dsn, path=tmp_path / "b", format=kind))
    assert progress[0].tables_total == 2
    assert "public.users" in artifact.tables
    assert len(artifact.tables) == 2
    assert artifact.size_bytes > 0
    assert check_artifact(artifact.path, expected_sha256=artifact.sha256, bin_dir=None) == artifact.entries


def test_only_the_named_tables_are_dumped(shop: Database, tmp_path: Path):
    _, artifact = finished(DumpOrder(dsn=shop.dsn, path=tmp_path / "b", tables=("public.users",)))
    assert artifact.tables == ("public.users",)


def test_a_table_that_does_not_exist_is_named_before_anything_is_written(shop: Database, tmp_path: Path):
    with pytest.raises(BackupFailedError, match=r"public\.nowhere"):
        finished(DumpOrder(dsn=shop.dsn, path=tmp_path / "b", tables=("public.nowhere",)))
    assert list(tmp_path.iterdir()) == []


def test_a_dump_that_is_stopped_leaves_nothing_behind(shop: Database, tmp_path: Path):
    running = dump(DumpOrder(dsn=shop.dsn, path=tmp_path / "b"))
    next(running)
    running.close()
    assert list(tmp_path.iterdir()) == []
    assert (
        shop.value("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'headgate backup' AND state = 'active'") == 0
    )


def test_a_changed_file_is_noticed_and_named(shop: Database, tmp_path: Path):
    _, artifact = finished(DumpOrder(dsn=shop.dsn, path=tmp_path / "b"))
    (artifact.path / "toc.dat").write_bytes(b"nonsense")
    with pytest.raises(BackupDamagedError, match=r"toc\.dat"):
        check_artifact(artifact.path, expected_sha256=artifact.sha256, bin_dir=None)


def test_a_changed_manifest_is_noticed(shop: Database, tmp_path: Path):
    _, artifact = finished(DumpOrder(dsn=shop.dsn, path=tmp_path / "b"))
    with pytest.raises(BackupDamagedError, match="manifest"):
        check_artifact(artifact.path, expected_sha256="0" * 64, bin_dir=None)
    assert manifest_path(artifact.path).exists()


def test_a_role_that_may_not_read_is_told_the_grant(shop: Database, tmp_path: Path):
    shop.execute("DROP ROLE IF EXISTS poor_reader")
    shop.execute("CREATE ROLE poor_reader LOGIN")
    shop.execute("ALTER ROLE poor_reader PASSWORD 'secret-of-poor'")
    dsn = shop.dsn_for("poor_reader", "secret-of-poor")
    with pytest.raises(BackupFailedError) as caught:
        finished(DumpOrder(dsn=dsn, path=tmp_path / "b"))
    assert "pg_read_all_data" in (caught.value.hint or "")
    assert list(tmp_path.iterdir()) == []


def test_a_backup_is_restored_into_a_new_database_beside_the_old_one(shop: Database, tmp_path: Path):
    _, artifact = finished(DumpOrder(dsn=shop.dsn, path=tmp_path / "b"))
    shop.execute("DELETE FROM users")
    order = RestoreOrder(dsn=shop.dsn, path=artifact.path, sha256=artifact.sha256, new_database=f"{shop.name}_restored")
    running = restore(order)
    while True:
        try:
            next(running)
        except StopIteration as end:
            restored = end.value
            break
    assert restored.rows["public.users"] == 1000
    assert shop.value("SELECT count(*) FROM users") == 0
    shop.execute(f'DROP DATABASE "{order.new_database}"')


def test_a_restore_never_writes_over_a_database(shop: Database, tmp_path: Path):
    _, artifact = finished(DumpOrder(dsn=shop.dsn, path=tmp_path / "b"))
    with pytest.raises(RestoreFailedError, match="exists"):
        list(restore(RestoreOrder(dsn=shop.dsn, path=artifact.path, sha256=artifact.sha256, new_database=shop.name)))
    assert shop.value("SELECT count(*) FROM users") == 1000


def test_a_restore_that_fails_leaves_no_database(shop: Database, tmp_path: Path):
    _, artifact = finished(DumpOrder(dsn=shop.dsn, path=tmp_path / "b"))
    data = next(file for file in artifact.path.iterdir() if file.name.endswith(".dat.gz"))
    data.unlink()
    new = f"{shop.name}_broken"
    with pytest.raises(BackupDamagedError):
        list(restore(RestoreOrder(dsn=shop.dsn, path=artifact.path, sha256=artifact.sha256, new_database=new)))
    assert shop.value("SELECT count(*) FROM pg_database WHERE datname = %s", [new]) == 0


def test_a_restore_whose_rows_do_not_fit_drops_the_new_database(shop: Database, tmp_path: Path):
    shop.execute("CREATE TABLE child (user_id bigint REFERENCES users)")
    _, broken = finished(DumpOrder(dsn=shop.dsn, path=tmp_path / "c", tables=("public.child",)))
    new = f"{shop.name}_broken"
    with pytest.raises(RestoreFailedError, match="users"):
        list(restore(RestoreOrder(dsn=shop.dsn, path=broken.path, sha256=broken.sha256, new_database=new)))
    assert shop.value("SELECT count(*) FROM pg_database WHERE datname = %s", [new]) == 0


def test_the_password_is_in_no_argument_and_no_environment(shop: Database):
    with connection_environment("postgresql://app:hunter2@localhost/shop", application_name="headgate") as environment:
        assert "hunter2" not in " ".join([connect_argument(), *environment.values()])
        assert Path(environment["PGSERVICEFILE"]).stat().st_mode & 0o077 == 0
    assert not Path(environment["PGSERVICEFILE"]).exists()
