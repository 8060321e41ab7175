"""`headgate ...`: one module a group of commands, each with ``register(subparsers)``; errors become the error object."""

import argparse
import contextlib
import importlib
import json
import sys
from collections.abc import Sequence
from itertools import pairwise
from typing import NoReturn

from app.contract import CONTRACT
from app.errors import HeadgateError

#: Command -> the module that registers it, in the order in which ``headgate --help`` lists them.
COMMANDS = {
    "up": "up",
    "demo": "demo",
    "analyze": "analyze",
    "rehearse": "rehearse",
    "apply": "apply",
    "rollback": "apply",
    "status": "apply",
    "backfill": "backfill",
    "plan": "plan",
    "run": "run",
    "backup": "backup",
    "migrate": "admin",
    "user": "admin",
    "target": "admin",
    "token": "admin",
    "audit": "admin",
    "doctor": "doctor",
}


class UsageError(HeadgateError):
    """The call is wrong."""


class _Parser(argparse.ArgumentParser):
    """Says what is wrong with a call as an error of ours, so that scripts get the error object."""

    def error(self, message: str) -> NoReturn:
        """Raise instead of printing; ``main`` prints."""
        raise UsageError(f"{message[:1].upper()}{message[1:]}.", hint=f"{self.format_usage().strip()} (more with --help)")


def build_parser(command: str | None = None) -> argparse.ArgumentParser:
    """The command line; with a command only its own module is loaded, so that each costs just what it needs to start."""
    parser = _Parser(
        prog="headgate", description="The control room for PostgreSQL migrations: rehearse, run exactly once, watch."
    )
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    wanted = [COMMANDS[command]] if command in COMMANDS else dict.fromkeys(COMMANDS.values())
    for module in wanted:
        importlib.import_module(f"app.cli.{module}").register(subparsers)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; its exit code follows docs/contract.md (0 good, 1 not good, 2 wrong call or input, 3 out of reach)."""
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        args = build_parser(words[0] if words else None).parse_args(words)
    except UsageError as error:
        _print_error(error, as_json="--json" in words or "--format=json" in words or _follows(words, "--format", "json"))
        return error.exit_code
    try:
        code: int = args.run(args)
    except HeadgateError as error:
        _print_error(error, as_json=_wants_json(args))
        return error.exit_code
    except KeyboardInterrupt:
        print("Interrupted; what was done stays done, the same command goes on from there.", file=sys.stderr)
        return 130
    except BrokenPipeError:
        with contextlib.suppress(OSError):
            sys.stdout.close()
        return 1
    return code


def _follows(words: Sequence[str], option: str, value: str) -> bool:
    return (option, value) in pairwise(words)


def _wants_json(args: argparse.Namespace) -> bool:
    return bool(getattr(args, "format", "text") == "json")


def _print_error(error: HeadgateError, *, as_json: bool) -> None:
    if as_json:
        print(json.dumps({"contract": CONTRACT, "error": error.as_json()}))
        return
    place = ":".join(str(part) for part in (error.file, error.line, error.column) if part is not None)
    print(f"{place}: {error.message}" if place else error.message, file=sys.stderr)
    if error.hint:
        print(f"  {error.hint}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
