"""`headgate apply`, `rollback`, `status`: migrations on a development database or in CI, with the real engine.

Standard output of apply and rollback carries events as JSON lines, the last one ``run_finished``.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from typing import Any

from app.backfill.applied import Applied, generation, last_error, read_applied
from app.backfill.ledger_tables import has_ledger
from app.backup.place import place_of
from app.catalog.schema import read_schema
from app.cli.applying import EXIT_GOOD, EXIT_NOT_GOOD, Bench, Ending, alone_on, apply_one, roll_back_one
from app.cli.lines import JsonLines, stopping_at_signals
from app.cli.pending import Comparison, Wanted, compare, plan_for, wanted_of
from app.cli.reading import add_dsn, add_json, dsn_of
from app.contract import CONTRACT
from app.errors import HeadgateError
from app.settings import Settings, get_settings
from app.steps.protocol import LockPolicy
from app.target.session import Target


class UnknownRevisionError(HeadgateError):
    """No migration of that name is applied."""


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the three commands."""
    apply = subparsers.add_parser("apply", help="run every pending migration; the same command goes on after a crash")
    _add_path(apply)
    apply.add_argument("--steps", action="store_true", help="in safe steps: phases, backfills in place of large updates")
    apply.add_argument("--open", action="append", default=[], metavar="STEP", help="open a gate of a plan file")
    _add_limits(apply)
    apply.set_defaults(run=run_apply)

    rollback = subparsers.add_parser("rollback", help="undo applied migrations, the last one first")
    add_dsn(rollback)
    which = rollback.add_mutually_exclusive_group(required=True)
    which.add_argument("--to", metavar="REVISION", help="undo everything that was applied after this one")
    which.add_argument("--last", action="store_true", help="undo the last one")
    add_json(rollback)
    _add_limits(rollback)
    rollback.set_defaults(run=run_rollback)

    status = subparsers.add_parser("status", help="what is applied, pending, failed, and unknown to the folder")
    _add_path(status)
    status.set_defaults(run=run_status)


def run_apply(args: argparse.Namespace) -> int:
    """0 where everything is applied in the end."""
    dsn, settings, journal = dsn_of(args), get_settings(), JsonLines()
    wanted = wanted_of(args.path, args.tool)
    with stopping_at_signals(journal), alone_on(dsn, settings.ledger_schema) as target:
        bench = _bench(args, dsn, settings, target, journal)
        bench.opened_gates = dict.fromkeys(args.open, "opened on the command line")
        found = compare(wanted, read_applied(target, bench.schema))
        for name in found.changed:
            print(f"{name} was changed after it was applied; what ran then stays.", file=sys.stderr)
        for item in found.pending:
            ending = _apply(bench, item, in_steps=args.steps)
            if ending is not None:
                return bench.end(ending)
        message = "" if found.pending else "Nothing is pending."
        return bench.end(Ending(state="completed", code=EXIT_GOOD, message=message))


def run_rollback(args: argparse.Namespace) -> int:
    """0 where everything in question is undone."""
    dsn, settings, journal = dsn_of(args), get_settings(), JsonLines()
    with stopping_at_signals(journal), alone_on(dsn, settings.ledger_schema) as target:
        bench = _bench(args, dsn, settings, target, journal)
        applied = to_undo(read_applied(target, bench.schema), args.to)
        for item in applied:
            ending = roll_back_one(bench, item)
            if ending is not None:
                return bench.end(ending)
        message = "" if applied else "Nothing is there to undo."
        return bench.end(Ending(state="completed", code=EXIT_GOOD, message=message))


def run_status(args: argparse.Namespace) -> int:
    """0, or 1 where something failed and is not mended."""
    wanted, schema = wanted_of(args.path, args.tool), get_settings().ledger_schema
    # it only reads: a standby has what its primary's ledger said a moment ago
    with Target.connect(dsn_of(args), purpose="status", allow_standby=True) as target:
        is_known = has_ledger(target, schema)
        found = compare(wanted, read_applied(target, schema) if is_known else ())
        failed = [entry for item in found.pending if is_known and (entry := _failure(target, schema, item))]
    document = _document(found, failed)
    print(json.dumps(document) if args.format == "json" else "\n".join(_lines(document)))
    return EXIT_NOT_GOOD if failed else EXIT_GOOD


def to_undo(applied: Sequence[Applied], revision: str | None) -> list[Applied]:
    """What is undone, last one first: the last one, or everything after a revision.

    Raises UnknownRevisionError.
    """
    if revision is None:
        return list(applied[-1:])
    names = [item.name for item in applied]
    if revision not in names:
        raise UnknownRevisionError(
            f"No migration called {revision} is applied.", hint=f"Applied are: {', '.join(names) or 'none'}."
        )
    return list(reversed(applied[names.index(revision) + 1 :]))


def _apply(bench: Bench, item: Wanted, *, in_steps: bool) -> Ending | None:
    # the way back is derived from what is there before
    plan = plan_for(item, read_schema(bench.target.connection), in_steps=in_steps)
    key = item.key(generation(bench.target, bench.schema, item.name))
    applied = Applied(name=item.name, digest=item.digest, tool=item.tool, run=key, plan=plan.as_json())
    return apply_one(bench, applied, plan)


def _bench(args: argparse.Namespace, dsn: str, settings: Settings, target: Target, journal: JsonLines) -> Bench:
    locks = LockPolicy() if args.lock_timeout is None else LockPolicy(lock_timeout_ms=args.lock_timeout)
    return Bench(
        dsn=dsn,
        schema=settings.ledger_schema,
        target=target,
        journal=journal,
        locks=locks,
        options={"backups": place_of(settings)},
    )


def _failure(target: Target, schema: str, item: Wanted) -> dict[str, Any] | None:
    error = last_error(target, schema, item.key(generation(target, schema, item.name)))
    return {"name": item.name, "step": error[0], "error": error[1]} if error else None


def _document(found: Comparison, failed: list[dict[str, Any]]) -> dict[str, Any]:
    broken = {entry["name"] for entry in failed}
    return {
        "contract": CONTRACT,
        "applied": [
            {
                "name": item.name,
                "digest": item.digest,
                "tool": item.tool,
                "applied_at": item.applied_at.isoformat() if item.applied_at else None,
                "changed": item.name in found.changed,
            }
            for item in found.applied
            if item.name not in found.unknown
        ],
        "pending": [{"name": item.name, "digest": item.digest} for item in found.pending if item.name not in broken],
        "failed": failed,
        "unknown": [{"name": name} for name in found.unknown],
    }


def _lines(document: dict[str, Any]) -> list[str]:
    lines = []
    for state in ("applied", "failed", "pending", "unknown"):
        for entry in document[state]:
            note = " (changed since)" if entry.get("changed") else ""
            lines.append(f"{state:<8} {entry['name']}{note}" + (f": {entry['error']}" if "error" in entry else ""))
    return lines or ["There is no migration, neither here nor there."]


def _add_path(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("path", metavar="PATH", help="folder of migrations, SQL file, or plan file")
    parser.add_argument("--from", dest="tool", metavar="TOOL", help="the tool that wrote the folder; default: detected")
    add_dsn(parser)
    add_json(parser)


def _add_limits(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--lock-timeout", type=int, metavar="MS", help="how long a lock is waited for (default: 2000)")
