"""`headgate backfill`: one backfill by itself. The same command again goes on where it stopped.

Standard output carries events as JSON lines, the last one ``backfill_finished``; standard error carries the progress.
"""

import argparse
import json
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from typing import Any, get_args

import psycopg

from app.backfill.definition import BackfillDefinition, ProfileName, StrategyWish, read_definition
from app.backfill.execute import run_backfill
from app.backfill.ledger_tables import ensure_ledger
from app.backfill.order import BackfillOrder
from app.backfill.shards import Checkpoints
from app.cli.backfill_jobs import adjust, be_alone, jobs_with_rows_aside, next_job, pause, qualified, resume, show_status
from app.cli.backfill_preview import show_preview
from app.cli.reading import add_dsn, add_json, dsn_of
from app.clock import SystemClock
from app.contract import event_line
from app.plan.backfills import LIMITS
from app.run.events import BackfillFinished, Gauge
from app.settings import get_settings
from app.target.errors import from_psycopg
from app.target.session import Target

STEP = "backfill"
_STOPPED = 130


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the command line."""
    parser = subparsers.add_parser("backfill", help="change many rows in small committed batches; resumable, exactly once")
    add_dsn(parser)
    parser.add_argument("--table", required=True, help="the table, for example public.users")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--set", dest="set_list", metavar="EXPR", help="new values, for example \"role = 'user'\"")
    what.add_argument("--delete", action="store_true", help="delete the rows")
    what.add_argument("--into", metavar="TABLE", help="copy the rows into another table")
    parser.add_argument("--columns", metavar="LIST", help='what --into copies: "id, lower(email) AS email" (default: same names)')
    parser.add_argument("--where", metavar="COND", help='for example "role IS NULL" (default: every row; --delete needs one)')
    parser.add_argument("--key", metavar="COLS", help="columns of a unique key to walk by, with commas")
    parser.add_argument("--profile", choices=get_args(ProfileName), help="how hard to push (default: balanced)")
    parser.add_argument("--max-rate", type=float, metavar="ROWS/S", help="rows a second at most")
    parser.add_argument(
        "--limit", action="append", default=[], metavar="NAME=NUMBER", help=f"slow down or wait above it: {', '.join(LIMITS)}"
    )
    parser.add_argument("--workers", type=int, default=1, help="parallel workers (default: %(default)s)")
    parser.add_argument("--strategy", default="auto", choices=get_args(StrategyWish), help="the walk (default: %(default)s)")
    parser.add_argument(
        "--max-quarantine", type=int, default=0, metavar="N", help="set aside up to N rows that fail (default: stop at the first)"
    )
    instead = parser.add_mutually_exclusive_group()
    instead.add_argument("--preview", "--dry-run", action="store_true", help="show what would happen, and change nothing")
    instead.add_argument("--status", action="store_true", help="show how far it is, its certificate and the rows set aside")
    instead.add_argument("--pause", action="store_true", help="let a running one stand still at its next batch")
    instead.add_argument("--resume", action="store_true", help="let a paused one go on")
    instead.add_argument("--adjust", action="store_true", help="give a running one another --profile or --max-rate (0: no limit)")
    instead.add_argument("--retry", action="store_true", help="try rows again that finished backfills of this text had set aside")
    instead.add_argument("--again", action="store_true", help="run a finished backfill again although that changes rows twice")
    add_json(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run it, or what is left of it; 0 when the end is proven."""
    dsn, definition = dsn_of(args), read_definition(_spec(args))
    try:
        with Target.connect(dsn, purpose="backfill") as target:
            definition = qualified(target.connection, definition)
            if args.preview:
                return show_preview(target.connection, definition, as_json=args.format == "json")
            schema = get_settings().ledger_schema
            ensure_ledger(target, schema)
            return _with_ledger(args, dsn, target, schema, definition)
    except psycopg.Error as error:
        raise from_psycopg(error) from error


def _with_ledger(args: argparse.Namespace, dsn: str, target: Target, schema: str, definition: BackfillDefinition) -> int:
    if args.status:
        return show_status(target, schema, definition, as_json=args.format == "json")
    if args.pause or args.resume:
        return (pause if args.pause else resume)(target, schema, definition)
    if args.adjust:
        return adjust(target, schema, definition, profile=args.profile, max_rate=args.max_rate)
    found = jobs_with_rows_aside(target, schema, definition) if args.retry else []
    jobs = found or [next_job(target, schema, definition, again=args.again)]
    with _stopping() as stop:
        for job in jobs:
            points = Checkpoints(target.connection, schema, job)
            be_alone(target, points)
            # a walk that was paused or slowed on the target goes on as this command says
            points.change_state("running")
            points.forget_speed()
            order = _order(dsn, points, definition, stop, tries_aside_again=args.retry)
            if code := _print_events(order, stop, quiet=args.format == "json"):
                return code
    return 0


def _spec(args: argparse.Namespace) -> dict[str, Any]:
    spec = {"table": args.table, "set": args.set_list, "delete": args.delete or None, "into": args.into, "columns": args.columns}
    spec |= {"where": args.where, "profile": args.profile, "workers": args.workers, "strategy": args.strategy}
    spec |= {"max_quarantine": args.max_quarantine, "max_rate": None if args.adjust else args.max_rate}
    spec["limits"] = dict(_limit(text) for text in args.limit)
    return {**spec, "key": [name.strip() for name in args.key.split(",")] if args.key else None}


def _limit(text: str) -> tuple[str, Any]:
    name, _, number = text.partition("=")
    try:
        return name.strip(), float(number)
    except ValueError:
        return name.strip(), number


def _order(
    dsn: str, points: Checkpoints, definition: BackfillDefinition, stop: threading.Event, *, tries_aside_again: bool
) -> BackfillOrder:
    return BackfillOrder(
        dsn=dsn,
        schema=points.schema,
        run=points.job,
        job=points.job,
        epoch=max((shard.epoch for shard in points.shards()), default=0) + 1,
        step=STEP,
        purpose="backfill",
        definition=definition,
        clock=SystemClock(),
        rest=partial(_rest, stop),
        tries_aside_again=tries_aside_again,
    )


def _rest(stop: threading.Event, seconds: float) -> None:
    stop.wait(seconds)


@contextmanager
def _stopping() -> Iterator[threading.Event]:
    """Set by Ctrl-C and SIGTERM, so that the walk ends after a batch."""
    stop = threading.Event()
    before = {number: signal.signal(number, lambda *_: stop.set()) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _print_events(order: BackfillOrder, stop: threading.Event, *, quiet: bool) -> int:
    running = run_backfill(order)
    number, finished = 0, False
    try:
        while True:
            told = next(running)
            if isinstance(told, Gauge):
                if not quiet:
                    print(progress_line(told), file=sys.stderr)
            else:
                number += 1
                finished = isinstance(told, BackfillFinished)
                print(json.dumps(event_line(number, datetime.now(UTC), told)), flush=True)
            if stop.is_set():
                running.close()
                print("Stopped after a batch; the same command goes on from there.", file=sys.stderr)
                return _STOPPED
    except StopIteration as end:
        if not finished:
            # it was finished before; its figures are told again
            figures = {name: end.value[name] for name in ("rows_changed", "rows_scanned", "batches", "seconds", "resumed")}
            event = BackfillFinished(step=STEP, quarantined=end.value["quarantined"], **figures)
            print(json.dumps(event_line(number + 1, datetime.now(UTC), event)), flush=True)
    return 0


def progress_line(gauge: Gauge) -> str:
    """One line for a person at a terminal."""
    share = "" if gauge.fraction is None else f"{gauge.fraction:6.1%}  "
    rate = "" if gauge.rows_per_second is None else f"  {gauge.rows_per_second:,.0f} rows/s"
    left = "" if gauge.eta_seconds is None else f"  {gauge.eta_seconds[0]:.0f}-{gauge.eta_seconds[1]:.0f} s left"
    return f"{share}{gauge.rows_done or 0:,} rows{rate}{left}  {gauge.phase}"
