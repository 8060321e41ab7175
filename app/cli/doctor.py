"""`headgate doctor [--dsn DSN]`: what is there, what is missing, and how each thing is mended."""

import argparse
import json
import os
import platform
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from app.cli.reading import add_dsn, add_json, optional_dsn_of
from app.contract import CONTRACT
from app.errors import HeadgateError
from app.settings import Settings, get_settings

OLDEST_PYTHON = (3, 11)
NEWEST_CLIENT = 18
ASSETS = ("vendor.js", "geist.woff2", "geist-mono.woff2", "manifest.json")


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at."""

    name: str
    ok: bool
    found: str
    #: what to do about it, where it is not ok
    mend: str | None = None
    #: False where Headgate works without it, with less
    required: bool = True


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the command line."""
    parser = subparsers.add_parser("doctor", help="what is there and what is missing, each with the way to mend it")
    add_dsn(parser)
    add_json(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """0 where all that is required is there, 1 where not, 3 where the database of --dsn can't be reached."""
    findings = list(examine(get_settings()))
    dsn = optional_dsn_of(args)
    unreachable = False
    if dsn is not None:
        try:
            findings += examine_target(dsn, get_settings())
        except HeadgateError as error:
            unreachable = True
            findings.append(Finding(name="target", ok=False, found=error.message, mend=error.hint))
    ok = all(finding.ok for finding in findings if finding.required)
    if args.format == "json":
        print(json.dumps({"contract": CONTRACT, "ok": ok, "findings": [asdict(finding) for finding in findings]}))
    else:
        print("\n".join(_lines(findings)))
    return 3 if unreachable else 0 if ok else 1


def examine(settings: Settings) -> Iterator[Finding]:
    """This machine: Python, the embedded servers or those configured instead, client programs, pages' assets, data folder."""
    found = platform.python_version()
    yield Finding(name="Python", ok=sys.version_info >= OLDEST_PYTHON, found=found, mend="Install Python 3.11 or newer.")
    yield _database(settings)
    yield _broker(settings)
    yield from (_client(name, settings) for name in ("pg_dump", "pg_restore"))
    yield _assets()
    yield _data_folder(settings.data_dir)


def examine_target(dsn: str, settings: Settings) -> list[Finding]:
    """A target: version, rights, extensions, each lack with its GRANT.

    Raises TargetUnreachableError.
    """
    from app.backup.clients import find_client, require_not_older
    from app.catalog.capabilities import read_capabilities
    from app.target.session import Target

    with Target.connect(dsn, purpose="doctor", allow_standby=True) as target:
        seen = read_capabilities(target.connection)
    where = f"PostgreSQL {seen.server_version}, database {seen.database}, {seen.database_bytes / 2**20:.0f} MiB"
    mend = "Connect to the primary: a standby can't be changed." if seen.is_standby else None
    findings = [
        Finding(name="target", ok=not seen.is_standby, found=where + (", a standby" if seen.is_standby else ""), mend=mend),
        Finding(
            name="role",
            ok=seen.is_sufficient,
            found=f"{seen.rights.role}, owns {seen.rights.owned_tables} of {seen.rights.tables} tables",
        ),
        _tried(
            "backups",
            lambda: require_not_older(find_client("pg_dump", settings.client_bin_dir), seen.version_num),
            "pg_dump fits",
        ),
    ]
    lacks = [
        Finding(name="right", ok=False, found=f"{lack.what}: {lack.why}", mend=lack.grant_sql, required=lack.is_required)
        for lack in seen.missing
    ]
    return findings + lacks


def _database(settings: Settings) -> Finding:
    name = "Headgate's database"
    if "database_url" not in settings.model_fields_set:
        return _tried(name, _embedded_postgres, "")
    return _tried(name, lambda: _migrated(settings.database_url.get_secret_value()), "")


def _embedded_postgres() -> str:
    from app.backup.clients import client_major
    from app.embedded.postgres import installation

    return f"embedded PostgreSQL {client_major(installation() / 'bin' / 'postgres')}"


def _migrated(url: str) -> str:
    """The state of the configured database, in words; Raises HeadgateError where it is behind or out of reach."""
    from sqlalchemy.exc import SQLAlchemyError

    from app.store.migrate import current, newest

    try:
        at, wanted = current(url), newest(url)
    except SQLAlchemyError as error:
        first = str(error.__cause__ or error).splitlines()[0]
        raise HeadgateError(f"HEADGATE_DATABASE_URL: {first}", hint="Start the server, or correct the address.") from None
    if at != wanted:
        raise HeadgateError(f"its schema is at {at or 'nothing'}, this code wants {wanted}.", hint="Run: headgate migrate")
    return f"configured, schema {at}"


def _broker(settings: Settings) -> Finding:
    if "redis_url" not in settings.model_fields_set:
        return _tried("broker", _embedded_broker, "")
    return _tried("broker", lambda: _ping(settings.redis_url.get_secret_value()), "")


def _embedded_broker() -> str:
    from app.embedded.broker import server_program

    server_program()
    return "embedded Valkey"


def _ping(url: str) -> str:
    import redis

    try:
        client = redis.Redis.from_url(url, socket_connect_timeout=3)
        version = client.info("server")["redis_version"]
    except (redis.RedisError, ValueError) as error:
        raise HeadgateError(f"HEADGATE_REDIS_URL: {error}", hint="Start the broker, or correct the address.") from None
    return f"configured, speaks Redis {version}"


def _client(name: str, settings: Settings) -> Finding:
    """A client program; an old one is fine for old servers only."""
    from app.backup.clients import client_major, find_client

    def look() -> str:
        program = find_client(name, settings.client_bin_dir)
        major = client_major(program)
        if major < NEWEST_CLIENT:
            raise HeadgateError(
                f"PostgreSQL {major} ({program}) can't dump a newer server.", hint=f"Install postgresql-client-{NEWEST_CLIENT}."
            )
        return f"PostgreSQL {major} ({program})"

    return _tried(name, look, "")


def _assets() -> Finding:
    folder = Path(__file__).resolve().parents[1] / "web" / "_assets"
    missing = [name for name in ASSETS if not (folder / name).exists()]
    found = f"missing: {', '.join(missing)}" if missing else "built"
    return Finding(
        name="pages' assets", ok=not missing, found=found, mend="Install Headgate again: pip install -e . builds them."
    )


def _data_folder(path: Path) -> Finding:
    existing = next(folder for folder in (path.absolute(), *path.absolute().parents) if folder.exists())
    ok = os.access(existing, os.W_OK)
    found = str(path.absolute()) + ("" if existing == path.absolute() else " (will be made)")
    return Finding(
        name="data directory", ok=ok, found=found, mend="Set HEADGATE_DATA_DIR to a folder that this user may write to."
    )


def _tried(name: str, look: Callable[[], str | None], fine: str) -> Finding:
    try:
        return Finding(name=name, ok=True, found=look() or fine)
    except HeadgateError as error:
        return Finding(name=name, ok=False, found=error.message, mend=error.hint)


def _lines(findings: list[Finding]) -> Iterator[str]:
    width = max(len(finding.name) for finding in findings)
    for finding in findings:
        mark = "ok     " if finding.ok else "missing" if finding.required else "less   "
        yield f"{mark}  {finding.name:<{width}}  {finding.found}"
        if not finding.ok and finding.mend:
            yield f"{'':9}{'':<{width}}  -> {finding.mend}"
