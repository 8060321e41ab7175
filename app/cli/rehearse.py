"""`headgate rehearse PATH --dsn DSN`: run the plan forward, back and forward again on a shadow; facts as text or JSON."""

import argparse
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from app.catalog.records import QueryStatistics, Schema
from app.catalog.schema import read_schema
from app.catalog.statistics import read_statistics
from app.cli.reading import add_dsn, add_json, dsn_of, plan_of
from app.rehearsal.rehearse import RehearsalOrder, rehearse
from app.rehearsal.report import Rehearsal
from app.settings import get_settings
from app.target.session import Target


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    parser = subparsers.add_parser("rehearse", help="run a plan on a shadow of a database: locks, rewrites, rollback, queries")
    parser.add_argument("path", metavar="PATH", help="plan file, folder of migrations, SQL file, or - for standard input")
    add_dsn(parser)
    parser.add_argument("--shadow", metavar="DSN", help="a server where databases may be made; default: an embedded PostgreSQL")
    parser.add_argument(
        "--schema-only", action="store_true", help="copy no statistics, which hold values of rows; costs are then of empty tables"
    )
    parser.add_argument("--from", dest="tool", metavar="TOOL", help="the tool that wrote the folder; default: detected")
    parser.add_argument(
        "--crash-test", action="store_true", help="also kill the worker at every safe point, on copies of the shadow"
    )
    add_json(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """0 where everything went forward and back, and on after every kill; 1 where it did not."""
    dsn = dsn_of(args)
    schema, queries = _look(dsn)
    plan = plan_of(args.path, tool=args.tool, schema=schema)
    with _shadow(args.shadow) as shadow:
        order = RehearsalOrder(
            plan=plan,
            target_dsn=dsn,
            shadow_dsn=shadow,
            queries=queries,
            ledger_schema=get_settings().ledger_schema,
            bin_dir=get_settings().client_bin_dir,
            copies_statistics=not args.schema_only,
            crash_test=args.crash_test,
        )
        seen = rehearse(order, report=lambda text: print(text, file=sys.stderr))
    print(json.dumps(seen.as_json()) if args.format == "json" else "\n".join(_lines(seen)))
    resumed = seen.crash_test is None or not seen.crash_test.failed
    return 0 if seen.ok and resumed else 1


def _look(dsn: str) -> tuple[Schema, tuple[QueryStatistics, ...]]:
    with Target.connect(dsn, purpose="rehearsal", allow_standby=True) as target:
        return read_schema(target.connection), read_statistics(target.connection).queries


@contextmanager
def _shadow(given: str | None) -> Iterator[str]:
    configured = get_settings().shadow_url
    shadow = given or (configured.get_secret_value() if configured else None)
    if shadow:
        yield shadow
        return
    from app.embedded.temporary import temporary_server

    with temporary_server() as server:
        yield server.dsn()


def _lines(seen: Rehearsal) -> Iterator[str]:
    for trace in seen.statements:
        locks = ", ".join(f"{lock.mode} on {lock.relation}" for lock in trace.locks) or "no locks on existing relations"
        yield f"{trace.index:>3}  {trace.duration_ms:8.1f} ms  {trace.phase:<8}  {' '.join(trace.sql.split())[:80]}"
        yield f"     {locks}"
        yield from (f"     rewrites {name}" for name in trace.rewrites)
        yield from (f"     scans {name}" for name in trace.scans)
    yield from (f"     step {note.step}: {note.outcome}. {note.text}" for note in seen.steps)
    yield from (f"     {change.change} {change.kind} {change.object}" for change in seen.changes)
    yield from (f"Broken query ({query['calls']} calls): {query['query']}" for query in seen.queries.get("broken", ()))
    for query in seen.queries.get("changed", ()):
        yield f"Another plan ({query['calls']} calls, cost {query['cost_before']} -> {query['cost_after']}): {query['query']}"
    trip = seen.round_trip
    if not trip.ran:
        yield f"Rollback was not run ({trip.grade}). {trip.reason}"
    elif trip.schema_restored:
        yield f"Rollback restores the schema exactly ({trip.grade})."
    else:
        yield "Rollback does not restore the schema:"
        yield from (f"     {change.change} {change.kind} {change.object}" for change in trip.left_over)
    if seen.crash_test is not None:
        yield seen.crash_test.sentence()
        yield from (
            f"     point {lost['point']}, {lost['event']} of {lost['step']}: {lost['reason']}" for lost in seen.crash_test.failed
        )
    yield from seen.notes
    if seen.error:
        yield f"Failed at step {seen.error.get('step')}: {seen.error['message']}"
