"""`headgate backfill`: one backfill by itself. The same command again goes on where it stopped.

Standard output carries events as JSON lines, the last one ``backfill_finished``; standard error carries the progress.
"""

import argparse
import json
import signal
import sys
import threading
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any, get_args
from uuid import NAMESPACE_URL, UUID, uuid5

import psycopg

from app.backfill.definition import BackfillDefinition, ProfileName, StrategyWish, read_definition
from app.backfill.execute import run_backfill
from app.backfill.ledger_tables import ensure_ledger
from app.backfill.order import BackfillOrder
from app.backfill.shards import Checkpoints
from app.backfill.table import find_table, read_table
from app.cli.reading import add_dsn, add_json, dsn_of
from app.clock import SystemClock
from app.contract import event_line
from app.errors import HeadgateError
from app.run.events import BackfillFinished, Gauge
from app.settings import get_settings
from app.target.errors import LockNotGrantedError, from_psycopg
from app.target.session import Target

STEP = "backfill"
#: a session that was killed lets go of its lock within that; a stopped one never does
_LOCK_SECONDS = 3
#: a checkpoint that did not move for so long belongs to nobody who works
_STALE_SECONDS = 15


class OtherSessionError(HeadgateError):
    """Another session runs this backfill now."""

    status = 409
    exit_code = 1


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the command line."""
    parser = subparsers.add_parser("backfill", help="change many rows in small committed batches; resumable, exactly once")
    add_dsn(parser)
    parser.add_argument("--table", required=True, help="the table, for example public.users")
    parser.add_argument("--set", required=True, dest="set_list", metavar="EXPR", help="for example \"role = 'user'\"")
    parser.add_argument("--where", default="true", metavar="COND", help='for example "role IS NULL" (default: every row)')
    parser.add_argument("--key", default=None, metavar="COLS", help="columns of a unique key to walk by, with commas")
    parser.add_argument("--profile", default="balanced", choices=get_args(ProfileName), help="how hard to push")
    parser.add_argument("--max-rate", type=float, default=None, metavar="ROWS/S", help="rows a second at most")
    parser.add_argument("--workers", type=int, default=1, help="parallel workers (default: %(default)s)")
    parser.add_argument("--strategy", default="auto", choices=get_args(StrategyWish), help="the walk (default: %(default)s)")
    parser.add_argument(
        "--max-quarantine", type=int, default=0, metavar="N", help="set aside up to N rows that fail (default: stop at the first)"
    )
    parser.add_argument("--again", action="store_true", help="run a finished backfill again although that changes rows twice")
    add_json(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run it, or what is left of it; 0 when the end is proven."""
    dsn = dsn_of(args)
    definition = read_definition(_spec(args))
    stop = threading.Event()
    schema = get_settings().ledger_schema
    before = {number: signal.signal(number, lambda *_: stop.set()) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        with Target.connect(dsn, purpose="backfill") as target:
            ensure_ledger(target, schema)
            order = _order(args, dsn=dsn, target=target, schema=schema, definition=definition, stop=stop)
            return _print_events(order, stop, quiet=args.format == "json")
    except psycopg.Error as error:
        raise from_psycopg(error) from error
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _spec(args: argparse.Namespace) -> dict[str, Any]:
    spec = {"table": args.table, "set": args.set_list, "where": args.where, "profile": args.profile, "workers": args.workers}
    spec |= {"strategy": args.strategy, "max_quarantine": args.max_quarantine, "max_rate": args.max_rate}
    return {**spec, "key": [name.strip() for name in args.key.split(",")] if args.key else None}


def _order(
    args: argparse.Namespace, *, dsn: str, target: Target, schema: str, definition: BackfillDefinition, stop: threading.Event
) -> BackfillOrder:
    definition = replace(definition, table=read_table(target.connection, find_table(target.connection, args.table)).qualified)
    job = _job(target, schema, definition, again=args.again)
    points = Checkpoints(target.connection, schema, job)
    _be_alone(target, points)
    # a walk that was paused on the target goes on: that is what the same command means
    points.change_state("running")
    return BackfillOrder(
        dsn=dsn,
        schema=schema,
        run=job,
        job=job,
        epoch=max((shard.epoch for shard in points.shards()), default=0) + 1,
        step=STEP,
        purpose="backfill",
        definition=definition,
        clock=SystemClock(),
        rest=partial(_rest, stop),
    )


def _rest(stop: threading.Event, seconds: float) -> None:
    stop.wait(seconds)


def _job(target: Target, schema: str, definition: BackfillDefinition, *, again: bool) -> UUID:
    """The job of these texts: the unfinished one, or a new one where a finished one may run again."""
    number = 1
    while True:
        job = uuid5(NAMESPACE_URL, f"headgate backfill {definition.digest()} {number}")
        found = Checkpoints(target.connection, schema, job).read()
        if found is None or found.certificate is None:
            return job
        if not again and not all(strategy["convergent"] for strategy in found.strategies):
            return job
        number += 1


def _be_alone(target: Target, points: Checkpoints) -> None:
    """Hold a lock that dies with us; a holder that does not move any more is taken over by its epoch.

    Raises OtherSessionError.
    """
    try:
        with target.transaction(lock_timeout_ms=_LOCK_SECONDS * 1000):
            target.execute("SELECT pg_advisory_lock(hashtextextended(%(job)s, 0))", {"job": str(points.job)})
    except LockNotGrantedError as error:
        age = points.seconds_since_last_batch()
        if age is not None and age < _STALE_SECONDS:
            raise OtherSessionError(
                f"Another session runs this backfill now; its last batch was {age:.1f} s ago.",
                hint="Wait for it, or end it: the same command then goes on where it stopped.",
            ) from error


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
                return 130
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
