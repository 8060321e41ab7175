"""What commands are given: a path (plan file, folder, SQL file or standard input) as a plan, and the connection string."""

import argparse
import os
import sys
from pathlib import Path

from app.catalog.records import Schema
from app.errors import HeadgateError
from app.importing.draft import draft
from app.importing.read import read_folder, read_upload
from app.plan.document import read_plan
from app.plan.model import Plan
from app.sql.inverse import Deriver

PLAN_SUFFIXES = frozenset({".yaml", ".yml"})
STANDARD_INPUT = "-"


class NoConnectionError(HeadgateError):
    """The command needs a database and was given none."""


def add_dsn(parser: argparse.ArgumentParser, *, saved: bool = True) -> None:
    """The options by which a command learns its database; ``saved``: a saved target's name will do."""
    parser.add_argument("--dsn", metavar="DSN", help="libpq URI or keyword string; default: HEADGATE_DSN")
    if saved:
        parser.add_argument("--target", metavar="NAME", help="a target that is saved in Headgate (needs HEADGATE_DATABASE_URL)")


def dsn_of(args: argparse.Namespace) -> str:
    """The connection string; Raises NoConnectionError where none was given."""
    dsn = optional_dsn_of(args)
    if dsn is None:
        raise NoConnectionError("No database was given.", hint="Say --dsn postgresql://user@host/database, or set HEADGATE_DSN.")
    return dsn


def optional_dsn_of(args: argparse.Namespace) -> str | None:
    """The connection string, or None where none was given; Raises NoConnectionError for a target that is not saved."""
    if getattr(args, "target", None):
        return _saved_dsn(args.target)
    return args.dsn or os.environ.get("HEADGATE_DSN") or None


def _saved_dsn(name: str) -> str:
    # imported here: only this way of naming a database needs Headgate's own
    from sqlalchemy import select

    from app.cli.desk import work_at_home
    from app.store import targets
    from app.store.tables.targets import Target
    from app.target.secrets import load_keys

    with work_at_home() as work:
        found = list(work.session.scalars(select(Target).where(Target.name == name, Target.retired_at.is_(None))))
        if len(found) != 1:
            lack = "There is no saved target" if not found else "More than one project has a target"
            raise NoConnectionError(f"{lack} named {name!r}.", hint="`headgate target list` shows them; --dsn works always.")
        return targets.open_dsn(load_keys(work.settings), found[0])


def add_json(parser: argparse.ArgumentParser) -> None:
    """``--format text|json`` and its short form."""
    parser.add_argument("--format", choices=("text", "json"), default="text", help="default: text")
    parser.add_argument("--json", action="store_const", const="json", dest="format", help="short for --format json")


def plan_of(path: str, *, tool: str | None = None, schema: Schema | None = None) -> Plan:
    """The plan at a path: a plan file, a folder of migrations, one SQL file, or ``-`` for SQL on standard input.

    Raises PlanError, ImportRefusedError, SqlSyntaxError: each names file and line.
    """
    where = Path(path)
    if where.suffix in PLAN_SUFFIXES:
        return read_plan(_content(where), file=path, derive=Deriver(schema).derive)
    if path == STANDARD_INPUT:
        imported = read_upload({"standard-input.sql": sys.stdin.buffer.read()}, tool)
    else:
        imported = read_folder(where, tool)
    # whoever works from a terminal has no review to pass: a step without a way back is stated as such, not refused
    return draft(imported.migrations, name=_name(where), schema=schema, tool=imported.tool, accept_irreversible=True)


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise HeadgateError(f"{path} can't be read: {error.strerror}.", file=str(path), hint="Check the path.") from None


def _name(path: Path) -> str:
    return path.resolve().stem if str(path) != STANDARD_INPUT else "Standard input"
