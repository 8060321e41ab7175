"""Debian's PgBouncer in front of a test server."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from app.embedded.ports import free_port
from tests.doubles.databases import Database
from tests.doubles.waiting import until

PROGRAM = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")


@contextmanager
def pgbouncer(database: Database, mode: str) -> Iterator[str]:
    """The address of the database behind a pool in that mode."""
    assert PROGRAM is not None
    folder, port = Path(tempfile.mkdtemp(prefix="hg-")), free_port()
    to = conninfo_to_dict(database.dsn)
    (folder / "ini").write_text(
        f"""
        [databases]
        * = host={to["host"]} port={to["port"]} user={to["user"]} password={to["password"]}
        [pgbouncer]
        listen_addr = 127.0.0.1
        listen_port = {port}
        unix_socket_dir =
        auth_type = any
        pool_mode = {mode}
        """
    )
    # it refuses to run as root
    user = pwd.getpwnam("nobody") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
    os.chown(folder, user.pw_uid, user.pw_gid)
    os.chown(folder / "ini", user.pw_uid, user.pw_gid)
    process = subprocess.Popen(
        [PROGRAM, "-q", "-u", user.pw_name, folder / "ini"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    dsn = make_conninfo(database.dsn, host="127.0.0.1", port=port)
    try:
        until(lambda: _answers(dsn))
        yield dsn
    finally:
        process.kill()
        process.wait()
        shutil.rmtree(folder)


def _answers(dsn: str) -> bool:
    try:
        psycopg.connect(dsn).close()
    except psycopg.OperationalError:
        return False
    return True
