"""`headgate backup ...`: backups, proofs, restores and the swap, against a running server."""

import argparse
import json
import os
import sys
from collections.abc import Callable, Mapping
from typing import Any

from app.cli.reading import add_json
from app.client import HeadgateClient
from app.contract import CONTRACT
from app.errors import HeadgateError

_DEFAULT_URL = "http://localhost:8000"
_LONGEST_SECONDS = 24 * 3600.0
_LOOK_SECONDS = 0.5
_MOVING = {"queued", "running", "cancelling", "swapping", "swapping_back"}
_GOOD = {"done", "swapped"}

Answer = dict[str, Any]
Act = Callable[[argparse.Namespace, HeadgateClient], int]


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command and its verbs."""
    parser = subparsers.add_parser(
        "backup", help="take, verify, prove and restore backups on a server (HEADGATE_URL, HEADGATE_TOKEN)"
    )
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    take = _verb(verbs, "take", "a backup of a target", "target", _take)
    take.add_argument("--table", action="append", default=[], metavar="SCHEMA.TABLE", help="only this one; may come again")
    take.add_argument("--dump-format", choices=("directory", "custom"), default="directory", help="of pg_dump")
    take.add_argument("--jobs", type=int, default=2, help="tables at the same time")
    _waits(take)
    _verb(verbs, "list", "the newest backups of a target", "target", _list)
    _verb(verbs, "show", "one backup: state, rows, what proves it", "backup", _show)
    _verb(verbs, "cancel", "stop a backup that is being taken", "backup", _cancel)
    _waits(_verb(verbs, "verify", "compare every byte with the manifest, and let pg_restore list it", "backup", _verify))
    _waits(_verb(verbs, "prove", "restore it into a scratch database and compare the rows", "backup", _prove))
    restore = _waits(_verb(verbs, "restore", "restore it into a new database beside the old one", "backup", _restore))
    restore.add_argument("--into", required=True, metavar="DATABASE", help="the new database's name")
    restore.add_argument("--confirm", required=True, metavar="DATABASE", help="the same name once more")
    _waits(_verb(verbs, "sessions", "who is connected to both databases", "restore", _sessions))
    swap = _waits(_verb(verbs, "swap", "put a restored database in place of the target's, or the old one back", "restore", _swap))
    swap.add_argument("--confirm", required=True, metavar="TARGET", help="the target's name")
    swap.add_argument("--end-sessions", action="store_true", help="end those that `sessions` named")


def _verb(
    verbs: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, help_text: str, what: str, act: Act
) -> argparse.ArgumentParser:
    parser = verbs.add_parser(name, help=help_text)
    parser.add_argument("number", type=int, metavar=what.upper())
    parser.add_argument("--url", default=os.environ.get("HEADGATE_URL", _DEFAULT_URL), help="default: HEADGATE_URL")
    add_json(parser)
    parser.set_defaults(run=run, act=act)
    return parser


def _waits(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    parser.add_argument("--no-wait", action="store_true", help="answer at once, when it is queued")
    return parser


def run(args: argparse.Namespace) -> int:
    """Do the verb as the holder of HEADGATE_TOKEN."""
    token = os.environ.get("HEADGATE_TOKEN")
    if not token:
        raise HeadgateError("HEADGATE_TOKEN is not set.", hint="Make a token: headgate token add, or under Settings.")
    with HeadgateClient(args.url, token=token) as client:
        code: int = args.act(args, client)
    return code


def _say(args: argparse.Namespace, answer: Mapping[str, Any], text: str, *, good: bool = True) -> int:
    print(json.dumps({"contract": CONTRACT, **answer}) if args.format == "json" else text)
    return 0 if good else 1


def _take(args: argparse.Namespace, client: HeadgateClient) -> int:
    body = {"tables": args.table, "format": args.dump_format, "jobs": args.jobs}
    number = client.post(f"/targets/{args.number}/backups", body)["backup"]
    return _ended(args, client, f"/backups/{number}", f"Backup {number}")


def _list(args: argparse.Namespace, client: HeadgateClient) -> int:
    answer = client.get(f"/targets/{args.number}/backups")
    lines = [_line(row) for row in answer["backups"]] or ["There is no backup."]
    return _say(args, answer, "\n".join(lines))


def _line(row: Answer) -> str:
    proof = "proven" if row["proven_at"] else "verified" if row["verified_at"] else ""
    return f"{row['id']:>6}  {row['state']:<10} {row['size_bytes'] or '':>14}  {proof:<8} {row['finished_at'] or ''}".rstrip()


def _show(args: argparse.Namespace, client: HeadgateClient) -> int:
    answer = client.get(f"/backups/{args.number}")
    return _say(args, answer, f"{_line(answer)}\n{answer['location'] or ''}\n{answer['sha256'] or ''}".rstrip())


def _cancel(args: argparse.Namespace, client: HeadgateClient) -> int:
    answer = client.post(f"/backups/{args.number}/cancel")
    return _say(args, answer, f"Backup {args.number} is {answer['state']}")


def _verify(args: argparse.Namespace, client: HeadgateClient) -> int:
    before = client.get(f"/backups/{args.number}")["checked"]
    job = client.post(f"/backups/{args.number}/verify")["job"]
    if args.no_wait:
        return _say(args, {"job": job}, f"Job {job} is queued")
    path = f"/backups/{args.number}"
    seen = client.wait_for(path, lambda seen: seen["checked"] != before, seconds=_LONGEST_SECONDS, what=path, every=_LOOK_SECONDS)
    checked = seen["checked"]
    said = f"{checked['files']} files are what was written" if checked["ok"] else checked["error"]["message"]
    return _say(args, {"backup": args.number, "checked": checked}, f"Backup {args.number}: {said}", good=checked["ok"])


def _prove(args: argparse.Namespace, client: HeadgateClient) -> int:
    number = client.post(f"/backups/{args.number}/prove")["restore"]
    return _ended(args, client, f"/restores/{number}", f"Test restore {number}")


def _restore(args: argparse.Namespace, client: HeadgateClient) -> int:
    body = {"new_database": args.into, "confirmation": args.confirm}
    number = client.post(f"/backups/{args.number}/restore", body)["restore"]
    return _ended(args, client, f"/restores/{number}", f"Restore {number}")


def _sessions(args: argparse.Namespace, client: HeadgateClient) -> int:
    before = (client.get(f"/restores/{args.number}")["sessions"] or {}).get("at")
    job = client.post(f"/restores/{args.number}/sessions")["job"]
    if args.no_wait:
        return _say(args, {"job": job}, f"Job {job} is queued")
    path = f"/restores/{args.number}"

    def is_there(seen: Answer) -> bool:
        return (seen["sessions"] or {}).get("at") != before

    found = client.wait_for(path, is_there, seconds=60, what="The list of sessions", every=_LOOK_SECONDS)["sessions"]
    lines = [
        f"{each['pid']:>8}  {each['application'] or '-'} as {each['role']} from {each['address']} on {each['database']}"
        for each in found["sessions"]
    ]
    return _say(args, found, "\n".join(lines) or "Nobody is connected.")


def _swap(args: argparse.Namespace, client: HeadgateClient) -> int:
    body = {"confirmation": args.confirm, "end_sessions": args.end_sessions}
    client.post(f"/restores/{args.number}/swap", body)
    if args.no_wait:
        return _say(args, {"restore": args.number}, f"Restore {args.number} is queued")
    seen = _until_at_rest(args, client, f"/restores/{args.number}")
    error = (seen["swap"] or {}).get("error")
    said = f"Nothing was swapped: {error['message']}" if error else f"{seen['new_database']} is {seen['state']}"
    return _say(args, seen, said, good=not error)


def _ended(args: argparse.Namespace, client: HeadgateClient, path: str, name: str) -> int:
    """The row at its end, told on the way; 1 where it did not end well."""
    if args.no_wait:
        seen = client.get(path)
        return _say(args, seen, f"{name} is {seen['state']}")
    seen = _until_at_rest(args, client, path)
    good = seen["state"] in _GOOD and (seen.get("result") or {}).get("is_equal", True)
    why = f": {seen['error']['message']}" if seen["error"] else "" if good else ": other rows than when it was taken"
    return _say(args, seen, f"{name} is {seen['state']}{why}", good=good)


def _until_at_rest(args: argparse.Namespace, client: HeadgateClient, path: str) -> Answer:
    told = ""

    def is_at_rest(seen: Answer) -> bool:
        nonlocal told
        progress = seen.get("progress") or {}
        text = " ".join(str(progress[name]) for name in ("phase", "bytes_done", "current") if progress.get(name))
        if text != told and args.format == "text":
            print(text, file=sys.stderr)
        told = text
        return seen["state"] not in _MOVING

    return client.wait_for(path, is_at_rest, seconds=_LONGEST_SECONDS, what=path, every=_LOOK_SECONDS)
