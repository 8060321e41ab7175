"""`headgate backup ...`: backups, proofs, restores and the swap, against a running server."""

import argparse
import sys

from app.cli.remote import Act, Answer, add_verb, say
from app.client import HeadgateClient
from app.errors import HeadgateError

_LONGEST_SECONDS = 24 * 3600.0
_LOOK_SECONDS = 0.5
_MOVING = {"queued", "running", "cancelling", "swapping", "swapping_back"}
_GOOD = {"done", "swapped"}


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
    parser = add_verb(verbs, name, help_text, act)
    if what == "target":
        parser.add_argument("target", metavar="TARGET", help="its name, or its number")
    else:
        parser.add_argument("number", type=int, metavar=what.upper())
    return parser


def _waits(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    parser.add_argument("--no-wait", action="store_true", help="answer at once, when it is queued")
    return parser


def _target(args: argparse.Namespace, client: HeadgateClient) -> int:
    """The number of the target that is named."""
    if args.target.isdigit():
        return int(args.target)
    there = [target for project in client.get("/projects")["projects"] for target in project["targets"]]
    found = [target["id"] for target in there if target["name"] == args.target]
    if len(found) == 1:
        return int(found[0])
    names = ", ".join(f"{target['name']} ({target['id']})" for target in there) or "none"
    many = f"{len(found)} targets are named {args.target}" if found else f"There is no target named {args.target}"
    raise HeadgateError(f"{many}.", hint=f"Give its number; in sight are: {names}.")


def _take(args: argparse.Namespace, client: HeadgateClient) -> int:
    body = {"tables": args.table, "format": args.dump_format, "jobs": args.jobs}
    number = client.post(f"/targets/{_target(args, client)}/backups", body)["backup"]
    return _ended(args, client, f"/backups/{number}", f"Backup {number}")


def _list(args: argparse.Namespace, client: HeadgateClient) -> int:
    answer = client.get(f"/targets/{_target(args, client)}/backups")
    lines = [_line(row) for row in answer["backups"]] or ["There is no backup."]
    return say(args, answer, "\n".join(lines))


def _line(row: Answer) -> str:
    proof = "proven" if row["proven_at"] else "verified" if row["verified_at"] else ""
    return f"{row['id']:>6}  {row['state']:<10} {row['size_bytes'] or '':>14}  {proof:<8} {row['finished_at'] or ''}".rstrip()


def _show(args: argparse.Namespace, client: HeadgateClient) -> int:
    answer = client.get(f"/backups/{args.number}")
    return say(args, answer, f"{_line(answer)}\n{answer['location'] or ''}\n{answer['sha256'] or ''}".rstrip())


def _cancel(args: argparse.Namespace, client: HeadgateClient) -> int:
    answer = client.post(f"/backups/{args.number}/cancel")
    return say(args, answer, f"Backup {args.number} is {answer['state']}")


def _verify(args: argparse.Namespace, client: HeadgateClient) -> int:
    before = client.get(f"/backups/{args.number}")["checked"]
    job = client.post(f"/backups/{args.number}/verify")["job"]
    if args.no_wait:
        return say(args, {"job": job}, f"Job {job} is queued")
    path = f"/backups/{args.number}"
    seen = client.wait_for(path, lambda seen: seen["checked"] != before, seconds=_LONGEST_SECONDS, what=path, every=_LOOK_SECONDS)
    checked = seen["checked"]
    said = f"{checked['files']} files are what was written" if checked["ok"] else checked["error"]["message"]
    return say(args, {"backup": args.number, "checked": checked}, f"Backup {args.number}: {said}", good=checked["ok"])


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
        return say(args, {"job": job}, f"Job {job} is queued")
    path = f"/restores/{args.number}"

    def is_there(seen: Answer) -> bool:
        return (seen["sessions"] or {}).get("at") != before

    found = client.wait_for(path, is_there, seconds=60, what="The list of sessions", every=_LOOK_SECONDS)["sessions"]
    lines = [
        f"{each['pid']:>8}  {each['application'] or '-'} as {each['role']} from {each['address']} on {each['database']}"
        for each in found["sessions"]
    ]
    return say(args, found, "\n".join(lines) or "Nobody is connected.")


def _swap(args: argparse.Namespace, client: HeadgateClient) -> int:
    body = {"confirmation": args.confirm, "end_sessions": args.end_sessions}
    client.post(f"/restores/{args.number}/swap", body)
    if args.no_wait:
        return say(args, {"restore": args.number}, f"Restore {args.number} is queued")
    seen = _until_at_rest(args, client, f"/restores/{args.number}")
    error = (seen["swap"] or {}).get("error")
    said = f"Nothing was swapped: {error['message']}" if error else f"{seen['new_database']} is {seen['state']}"
    return say(args, seen, said, good=not error)


def _ended(args: argparse.Namespace, client: HeadgateClient, path: str, name: str) -> int:
    """The row at its end, told on the way; 1 where it did not end well."""
    if args.no_wait:
        seen = client.get(path)
        return say(args, seen, f"{name} is {seen['state']}")
    seen = _until_at_rest(args, client, path)
    good = seen["state"] in _GOOD and (seen.get("result") or {}).get("is_equal", True)
    why = f". {seen['error']['message']}" if seen["error"] else "" if good else ", but with other rows than when it was taken"
    words = seen["state"].replace("_", " ")
    return say(args, seen, f"{name}: {words}{why}", good=good)


def _until_at_rest(args: argparse.Namespace, client: HeadgateClient, path: str) -> Answer:
    told = ""

    def is_at_rest(seen: Answer) -> bool:
        nonlocal told
        progress = seen.get("progress") or {}
        text = " ".join(filter(None, [progress.get("phase"), _mebibytes(progress.get("bytes_done")), progress.get("current")]))
        if text != told and args.format == "text":
            print(text, file=sys.stderr)
        told = text
        return seen["state"] not in _MOVING

    return client.wait_for(path, is_at_rest, seconds=_LONGEST_SECONDS, what=path, every=_LOOK_SECONDS)


def _mebibytes(count: int | None) -> str:
    return f"{count / (1 << 20):,.1f} MiB" if count else ""
