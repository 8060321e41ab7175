"""`headgate plan ...`: everything that the pages do with a plan, against a running server."""

import argparse
import json
import sys
import time
from pathlib import Path
from uuid import uuid4

from app.cli.reading import PLAN_SUFFIXES
from app.cli.remote import Act, Answer, add_verb, say
from app.client import HeadgateClient
from app.errors import HeadgateError

_LOOK_SECONDS = 0.5
_ENDED = {"monitoring", "completed", "failed", "cancelled", "paused", "rolled_back"}
_GOOD = {"monitoring", "completed"}


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command and its verbs."""
    parser = subparsers.add_parser(
        "plan", help="create, show, review, run and watch plans on a server (HEADGATE_URL, HEADGATE_TOKEN)"
    )
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    create = _verb(verbs, "create", "import a folder, an SQL file or a plan file", _create, needs_plan=False)
    create.add_argument("path", metavar="PATH")
    create.add_argument("--project", type=int, required=True, metavar="NUMBER")
    create.add_argument("--target", type=int, metavar="NUMBER", help="the target that the plan is meant for")
    create.add_argument("--name", default="", help="default: what the files suggest")
    _target(_verb(verbs, "show", "state, digest, risk, and what is missing", _show))
    _verb(verbs, "export", "the newest revision as a plan file", _export)
    _verb(verbs, "submit", "ask for a review", _submit)
    approve = _target(_verb(verbs, "approve", "approve the newest revision", _approve))
    approve.add_argument("--digest", help="approve only if this is still the newest revision")
    approve.add_argument("--note", default="")
    tick = _target(_verb(verbs, "tick", "tick an item of the checklist", _tick))
    tick.add_argument("item", metavar="ITEM")
    tick.add_argument("--note", default="")
    _target(_verb(verbs, "run", "start the newest revision", _run))
    watch = _verb(verbs, "watch", "follow a run's events until it ends or waits for a person", _watch, needs_plan=False)
    watch.add_argument("run_number", type=int, metavar="RUN")


def _verb(
    verbs: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, help_text: str, act: Act, *, needs_plan: bool = True
) -> argparse.ArgumentParser:
    parser = add_verb(verbs, name, help_text, act)
    if needs_plan:
        parser.add_argument("plan", type=int, metavar="PLAN")
    return parser


def _target(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    parser.add_argument("--target", type=int, metavar="NUMBER", help="default: the plan's own")
    return parser


def _create(args: argparse.Namespace, client: HeadgateClient) -> int:
    body: Answer = {"project_id": args.project, "target_id": args.target, "name": args.name}
    answer = client.post("/plans", {**body, **_content(Path(args.path))})
    return say(args, answer, f"Plan {answer['id']} ({answer['digest'][:12]})")


def _content(path: Path) -> Answer:
    if not path.exists():
        raise HeadgateError(f"There is no {path}.", file=str(path), hint="Check the path.")
    if path.suffix in PLAN_SUFFIXES:
        return {"plan": path.read_text()}
    files = sorted(path.rglob("*")) if path.is_dir() else [path]
    base = path if path.is_dir() else path.parent
    return {"files": {file.relative_to(base).as_posix(): _text(file) for file in files if file.is_file()}}


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise HeadgateError(
            f"{file} is not UTF-8 (byte {error.start}).", file=str(file), hint="Save it as UTF-8 and try again."
        ) from None


def _show(args: argparse.Namespace, client: HeadgateClient) -> int:
    answer = client.get(f"/plans/{args.plan}", target_id=args.target)
    lines = [f"{answer['name']}: {answer['state']}, revision {answer['revision']}, risk {answer.get('risk', 'unknown')}"]
    lines += [f"  missing: {gap['what']}. {gap['why']}" for gap in answer.get("missing", ())]
    lines += [
        f"  step {step}: {found['policy']}" for step, limits in answer.get("limits", {}).items() for found in limits["classes"]
    ]
    return say(args, answer, "\n".join(lines))


def _export(args: argparse.Namespace, client: HeadgateClient) -> int:
    answer = client.get(f"/plans/{args.plan}/document")
    return say(args, answer, str(answer["plan"]))


def _submit(args: argparse.Namespace, client: HeadgateClient) -> int:
    answer = client.post(f"/plans/{args.plan}/submit")
    return say(args, answer, f"Plan {args.plan}: {answer['state']}")


def _approve(args: argparse.Namespace, client: HeadgateClient) -> int:
    digest = args.digest or client.get(f"/plans/{args.plan}")["digest"]
    body = {"digest": digest, "note": args.note, "target_id": args.target}
    return say(args, client.post(f"/plans/{args.plan}/approve", body), f"Approved {digest[:12]}")


def _tick(args: argparse.Namespace, client: HeadgateClient) -> int:
    answer = client.post(f"/plans/{args.plan}/checklist/{args.item}/tick", {"note": args.note, "target_id": args.target})
    return say(args, answer, f"Ticked {args.item}")


def _run(args: argparse.Namespace, client: HeadgateClient) -> int:
    digest = client.get(f"/plans/{args.plan}")["digest"]
    body = {"digest": digest, "request_token": uuid4().hex, "target_id": args.target}
    answer = client.post(f"/plans/{args.plan}/run", body)
    return say(args, answer, f"Run {answer['run']}; follow it with: headgate plan watch {answer['run']}")


def _watch(args: argparse.Namespace, client: HeadgateClient) -> int:
    """Events as lines; 0 where the run went well, 1 where it did not or waits for a person."""
    number = 0
    while True:
        seen = client.get(f"/runs/{args.run_number}")
        for event in client.get(f"/runs/{args.run_number}/events", after=number)["events"]:
            number = event["number"]
            text = f"{event['at']} {event['type']} {event.get('step', '')}".rstrip()
            print(json.dumps(event) if args.format == "json" else text, flush=True)
        if seen["last_event"] > number:
            continue
        if seen["state"] in _ENDED or seen["state"] == "waiting_gate":
            print(f"Run {args.run_number} is {seen['state']}: {seen['reason']}", file=sys.stderr)
            return 0 if seen["state"] in _GOOD else 1
        time.sleep(_LOOK_SECONDS)
