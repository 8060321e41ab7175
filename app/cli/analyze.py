"""`headgate analyze`: the risk of an SQL file, a plan file or a migrations folder, for people, scripts and CI."""

import argparse
import json
import re
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from app.analysis.analyse import Script, analyse_plan, analyse_scripts
from app.analysis.basis import Basis
from app.analysis.formats import as_github, as_sarif, as_text, details_as_text
from app.analysis.report import Analysis
from app.analysis.second_opinion import SecondOpinion
from app.assessment.ask_rows import Asking
from app.assessment.ask_squawk import ask_squawk
from app.assessment.assess import assess
from app.cli.reading import PLAN_SUFFIXES, STANDARD_INPUT, add_dsn, optional_dsn_of
from app.errors import HeadgateError
from app.importing.read import Imported, read_folder
from app.importing.source import decode
from app.plan.document import read_plan
from app.sql.inverse import Deriver

#: the marks of tools that keep both ways in one file
_SECTIONS = re.compile(r"^--\s*(?:\+goose|\+micrate|migrate:|\+migrate)\s*\w+", re.MULTILINE)
#: tools that run a file in a transaction (or as one query, which is the same); the others run statement by statement
_WRAPPING_TOOLS = frozenset(
    {"prisma", "drizzle", "alembic", "django", "flyway", "rails", "dbmate", "goose", "node-pg-migrate", "graphile-migrate"}
)

_EPILOG = """\
exit codes: 0 nothing at or over the threshold; 1 findings at or over it; 2 the input is wrong; 3 the database is out of reach.
The threshold (--fail-on) is high unless you say otherwise, and "unknown" (what can't be judged) counts as more than medium.
A finding is accepted by a comment before its statement:  -- headgate: allow RULE the reason
"""


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "analyze",
        help="risk of an SQL file, a plan file or a migrations folder",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("path", metavar="PATH", help="SQL file, plan file (.yaml), folder of migrations, or - for standard input")
    add_dsn(parser)
    parser.add_argument("--assume-large", action="store_true", help="take existing tables as large and busy, whatever their size")
    parser.add_argument("--single-transaction", action="store_true", help="judge the whole input as one transaction")
    parser.add_argument(
        "--server-version",
        type=_server_version,
        metavar="N",
        help="major version of the server, 14 to 18; default: the target's, or 18",
    )
    parser.add_argument(
        "--fail-on", choices=("high", "medium", "low"), default="high", help="exit 1 at this level or above; default: high"
    )
    parser.add_argument(
        "--preflight-timeout",
        dest="preflight_timeout_ms",
        type=int,
        default=Asking().timeout_ms,
        metavar="MS",
        help="how long one read-only question to the rows may take (NULLs, duplicates, orphans, ...); 0 asks none; default: 5000",
    )
    parser.add_argument("--hide-rows", action="store_true", help="no row and no value in the answer, only counts")
    parser.add_argument(
        "--second-opinion", action="store_true", help="also ask squawk (package squawk-cli), another linter; it changes no risk"
    )
    parser.add_argument("--from", dest="tool", metavar="TOOL", help="the tool that wrote the folder; default: detected")
    parser.add_argument("--format", choices=("text", "json", "sarif", "github"), default="text", help="default: text")
    parser.add_argument("--json", action="store_const", const="json", dest="format", help="short for --format json")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """0 where every level is below the threshold, 1 where one reaches it."""
    basis = Basis(server_version=args.server_version, assume_large=args.assume_large)
    dsn = optional_dsn_of(args)
    if dsn is None:
        analysis, details = _analysed(args, basis), dict[str, Any]()
    else:
        asking = Asking(timeout_ms=args.preflight_timeout_ms, shows_rows=not args.hide_rows)
        assessed = assess(dsn, lambda known: _analysed(args, known), basis, asking=asking)
        analysis, details = assessed.analysis, assessed.details()
    if args.second_opinion:
        details["second_opinion"] = _second_opinion(analysis, args).as_json()
    _show(analysis, details, args)
    counted = [finding for finding in analysis.findings() if finding.accepted is None]
    return 1 if counted and analysis.reaches(args.fail_on) else 0


def _second_opinion(analysis: Analysis, args: argparse.Namespace) -> SecondOpinion:
    second = ask_squawk(analysis, server_version=args.server_version)
    if second.missing:
        print(f"No second opinion: {second.missing}.", file=sys.stderr)
    return second


def _server_version(text: str) -> int:
    """``18``, ``17.4`` or ``170004``: the major version."""
    try:
        number = int(text) if text.isdigit() else int(text.split(".", maxsplit=1)[0])
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no version: say 18, for example") from None
    number = number // 10_000 if number >= 10_000 else number  # noqa: PLR2004  # as server_version_num has it
    if not 9 <= number <= 99:  # noqa: PLR2004  # PostgreSQL's versions
        raise argparse.ArgumentTypeError(f"{text!r} is no version: say 18, for example")
    return number


def _analysed(args: argparse.Namespace, basis: Basis) -> Analysis:
    path = Path(args.path)
    if path.suffix in PLAN_SUFFIXES and args.tool is None and not path.is_dir():
        plan = read_plan(_content(args.path), file=args.path, derive=Deriver(basis.schema).derive)
        return analyse_plan(plan, basis=basis, single_transaction=args.single_transaction)
    return analyse_scripts(_scripts(args.path, args.tool), basis=basis, single_transaction=args.single_transaction)


def _scripts(path: str, tool: str | None) -> list[Script]:
    """The forward SQL of the input, file by file."""
    if not Path(path).is_dir() or path == STANDARD_INPUT:
        text = decode(_content(path), path)
        if tool is None and not (_SECTIONS.search(text) and path != STANDARD_INPUT):
            return [Script(text=text, file=path)]
    return _imported(read_folder(Path(path), tool))


def _imported(imported: Imported) -> list[Script]:
    return [
        Script(
            text=migration.up.in_place(),
            file=migration.file,
            whole=f"{imported.tool} runs the file as one transaction"
            if imported.tool in _WRAPPING_TOOLS and migration.transactional is not False
            else None,
        )
        for migration in imported.migrations
    ]


def _content(path: str) -> bytes:
    if path == STANDARD_INPUT:
        return sys.stdin.buffer.read()
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise HeadgateError(f"{path} can't be read: {error.strerror}.", file=path, hint="Check the path.") from None


def _show(analysis: Analysis, details: dict[str, Any], args: argparse.Namespace) -> None:
    folder = Path(args.path)

    def path_of(file: str) -> str:
        return (folder / file).as_posix() if folder.is_dir() else file

    if args.format == "json":
        print(json.dumps({**analysis.as_json(), **details}))
    elif args.format == "sarif":
        print(json.dumps(as_sarif(analysis, path_of=path_of, version=_own_version())))
    elif args.format == "github":
        print(as_github(analysis, path_of=path_of))
    else:
        print("\n".join([as_text(analysis), *details_as_text(details)]))


def _own_version() -> str:
    try:
        return version("headgate")
    except PackageNotFoundError:
        return "0"
