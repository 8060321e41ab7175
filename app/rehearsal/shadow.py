"""Makes and drops the shadow: a database with the target's schema and none of its rows."""

import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import psycopg
from psycopg import conninfo, sql

from app.backup.clients import access, connect_argument, find_client, require_not_older
from app.backup.process import run_client
from app.errors import HeadgateError
from app.target.session import Target

_ROLES = "SELECT rolname FROM pg_catalog.pg_roles WHERE rolname !~ '^pg_'"
_SAMPLE_LINES = 3


class ShadowError(HeadgateError):
    """The target's schema could not be built on the shadow server."""

    status = 502
    exit_code = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Shadow:
    """An empty copy of a target."""

    dsn: str
    target_version: str
    shadow_version: str
    #: what makes its answers weaker than the target's own would be
    notes: tuple[str, ...]


@contextmanager
def shadow_database(
    target_dsn: str, server_dsn: str, *, ledger_schema: str = "headgate", bin_dir: Path | None = None
) -> Iterator[Shadow]:
    """A fresh database on the shadow server with the target's schema; dropped at the end, whatever happens.

    Raises ShadowError (an extension or a role is missing there, ...), TargetError.
    """
    name = f"headgate_shadow_{secrets.token_hex(6)}"
    target_version, target_num, roles = _look_at(target_dsn)
    try:
        with psycopg.connect(server_dsn, autocommit=True, application_name="headgate rehearsal") as server:
            shadow_version = _version(server)
            notes = [*_create_roles(server, roles), *_version_note(target_version, shadow_version)]
            server.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name)))
    except psycopg.OperationalError as error:
        raise ShadowError(f"The shadow server could not be reached: {error}", hint="Check HEADGATE_SHADOW_URL.") from None
    try:
        dsn = conninfo.make_conninfo(server_dsn, dbname=name)
        _copy_schema(target_dsn, dsn, ledger_schema, _dump_program(bin_dir, target_num), bin_dir)
        yield Shadow(dsn=dsn, target_version=target_version, shadow_version=shadow_version, notes=tuple(notes))
    finally:
        with psycopg.connect(server_dsn, autocommit=True, application_name="headgate rehearsal") as server:
            server.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def _look_at(target_dsn: str) -> tuple[str, int, list[str]]:
    with Target.connect(target_dsn, purpose="rehearsal", allow_standby=True) as target:
        return _version(target.connection), target.server_version_num, [row["rolname"] for row in target.all(_ROLES)]


def _version(connection: psycopg.Connection) -> str:
    number = connection.info.server_version
    return f"{number // 10000}.{number % 10000}"


def _create_roles(server: psycopg.Connection, roles: list[str]) -> list[str]:
    """Make the roles that policies and grants of the target may name; they can't sign in and own nothing."""
    there = {row[0] for row in server.execute(_ROLES).fetchall()}
    missing = [role for role in roles if role not in there]
    try:
        for role in missing:
            server.execute(sql.SQL("CREATE ROLE {} NOLOGIN").format(sql.Identifier(role)))
    except psycopg.errors.InsufficientPrivilege:
        return ["Roles of the target could not be made on the shadow server; what names them fails there."]
    return []


def _version_note(target: str, shadow: str) -> list[str]:
    if target.split(".", maxsplit=1)[0] == shadow.split(".", maxsplit=1)[0]:
        return []
    return [f"The shadow is PostgreSQL {shadow}, the target {target}: locks and rewrites may differ between versions."]


def _copy_schema(target_dsn: str, shadow_dsn: str, ledger_schema: str, dump: Path, bin_dir: Path | None) -> None:
    restore = find_client("pg_restore", bin_dir)
    common = ["--no-password", "--no-owner", "--no-privileges"]
    # a file without a name: a kill leaves nothing of the schema on the disk
    with tempfile.TemporaryFile() as archive:
        kind = ["--schema-only", "--format=custom", f"--exclude-schema={ledger_schema}"]
        _run(dump, [*common, *kind], target_dsn, writes=archive)
        _run(restore, [*common, "--exit-on-error"], shadow_dsn, reads=archive)


def _dump_program(bin_dir: Path | None, server_version_num: int) -> Path:
    program = find_client("pg_dump", bin_dir)
    require_not_older(program, server_version_num)
    return program


def _run(
    program: Path, arguments: list[str], dsn: str, *, reads: IO[bytes] | None = None, writes: IO[bytes] | None = None
) -> None:
    with access(dsn, application_name="headgate rehearsal") as reach:
        ended = run_client(program, [*arguments, connect_argument()], reach, reads=reads, writes=writes)
    if ended.returncode != 0:
        lines = [line for line in ended.stderr.splitlines() if "error" in line.lower()] or ended.stderr.splitlines()
        raise ShadowError(
            f"The schema could not be copied: {' '.join(lines[:_SAMPLE_LINES])}",
            hint="Where an extension is missing on the shadow server, point HEADGATE_SHADOW_URL at one that has it.",
        )
