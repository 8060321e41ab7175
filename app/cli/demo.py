"""`headgate demo`: the embedded stack with a sample shop, live traffic, and a plan that awaits review."""

import argparse
import json
import shutil
import tempfile
from pathlib import Path

from app.cli import up
from app.cli.reading import add_json
from app.cli.up import say


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the command line."""
    parser = subparsers.add_parser("demo", help="`up` with a sample shop under live traffic and a plan that awaits review")
    up.add_arguments(parser)
    parser.add_argument("--headless", action="store_true", help="play the whole story without a browser, print a report, end")
    add_json(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Start it and stay until a signal ends it, or play the story and end."""
    return _play(args) if args.headless else _stay(args)


def _stay(args: argparse.Namespace) -> int:
    from app.embedded import story
    from app.embedded.demo import start_demo, welcome

    stack = up.stack_for(args)
    stack.supervisor.end_on_signals()
    try:
        shops = start_demo(stack)
        people = story.seed(stack, shops)
        print(welcome(stack.address, people), flush=True)
        stack.supervisor.watch()
    except KeyboardInterrupt:
        say("Broken off while starting.")
    finally:
        stack.stop()
    say("All of it has ended.")
    return 0


def _play(args: argparse.Namespace) -> int:
    """Play the story on a free port and in a folder of its own, unless told otherwise."""
    from app.embedded import story
    from app.embedded.demo import start_demo
    from app.embedded.ports import free_port

    folder = None if args.data_dir else Path(tempfile.mkdtemp(prefix="headgate-"))
    if folder is not None:
        folder.chmod(0o711)  # PostgreSQL may run as another user: it has to pass through
        args.data_dir = folder / "data"
    args.port = args.port or free_port()
    stack = up.stack_for(args)
    stack.supervisor.end_on_signals()
    try:
        shops = start_demo(stack)
        report = story.play(stack, shops)
    finally:
        stack.stop()
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)
    if args.format == "json":
        print(json.dumps(report))
    else:
        for stage in report["stages"]:
            print(f"{'ok  ' if stage['ok'] else 'FAIL'} {stage['seconds']:6.1f} s  {stage['name']}")
    return 0 if report["ok"] else 1
