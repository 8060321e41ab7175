"""`headgate up`: the embedded stack in the foreground."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from app.settings import get_settings

if TYPE_CHECKING:  # the servers' code is read only by the commands that start them
    from app.embedded.stack import Stack

DEFAULT_PORT = 8000
HIGHEST_PORT = 65_535


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the command line."""
    parser = subparsers.add_parser("up", help="PostgreSQL, broker, web, worker and scheduler on this machine, in the foreground")
    add_arguments(parser)
    parser.set_defaults(run=run)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `up` and `demo` have in common."""
    parser.add_argument("--port", type=_port, default=None, help=f"the web's port (default: {DEFAULT_PORT})")
    parser.add_argument("--host", default="127.0.0.1", help="the address the web listens on (default: %(default)s)")
    parser.add_argument(
        "--data-dir", type=Path, default=None, help="where all is kept (default: $HEADGATE_DATA_DIR or .headgate)"
    )


def run(args: argparse.Namespace) -> int:
    """Start everything, say where it is, and stay until a signal ends it."""
    stack = stack_for(args)
    stack.supervisor.end_on_signals()
    try:
        stack.start()
        print(f"Headgate is ready: {stack.address} (data and logs in {stack.folder.path}). Ctrl-C ends it.", flush=True)
        stack.supervisor.watch()
    except KeyboardInterrupt:
        say("Broken off while starting.")
    finally:
        stack.stop()
    say("All of it has ended.")
    return 0


def stack_for(args: argparse.Namespace) -> "Stack":
    """The stack that the arguments describe, not yet started."""
    from app.embedded.folder import DataFolder
    from app.embedded.stack import Stack

    settings = get_settings()
    folder = DataFolder(args.data_dir or settings.data_dir)
    return Stack(folder=folder, settings=settings, port=args.port or DEFAULT_PORT, host=args.host, say=say)


def _port(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= HIGHEST_PORT:
        raise argparse.ArgumentTypeError(f"{text} is no port; ports are numbers from 1 to {HIGHEST_PORT}")
    return int(text)


def say(sentence: str) -> None:
    """Tell the person at the terminal; standard output is kept for what scripts read."""
    print(sentence, file=sys.stderr, flush=True)
