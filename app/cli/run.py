"""`headgate run ...`: every button of a run's page, against a running server; pressed again, each does nothing more."""

import argparse

from app.cli.remote import Act, Answer, add_verb, say
from app.client import HeadgateClient
from app.errors import HeadgateError

#: verb -> what it does, for those that take a reason or a note and nothing else
_SAID = {
    "cancel": "stop for good at the next safe point; finished steps stay done",
    "ask-control": "ask the one who drives the run for its control",
    "take-control": "take the control with a reason (--text), which somebody else reviews",
}
_STEPS = {
    "retry": "try the failed step again",
    "skip": "go on without the failed step, with a reason (--text)",
    "open-gate": "confirm what the gate asks (--text is kept with it)",
}


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command and its verbs."""
    parser = subparsers.add_parser(
        "run", help="show, stop, retry, skip, undo and hand over runs on a server (HEADGATE_URL, HEADGATE_TOKEN)"
    )
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    _verb(verbs, "show", "state, steps, who drives it, what stands in its way", _show)
    for name, text in {"pause": "stop at the next safe point", "resume": "go on where it stopped"}.items():
        _verb(verbs, name, text, _press)
    for name, text in _SAID.items():
        _text(_verb(verbs, name, text, _press))
    for name, text in _STEPS.items():
        _text(_verb(verbs, name, text, _press)).add_argument(
            "--step", default="", metavar="STEP", help="default: where it stands"
        )
    speed = _verb(verbs, "speed", "make its backfills slower or faster", _speed)
    speed.add_argument("--profile", choices=("gentle", "balanced", "fast"))
    speed.add_argument("--max-rate", type=int, metavar="ROWS", help="rows a second at most; 0: no limit")
    _undo(verbs)
    for name, text in {"hand-over": "give the control to a person", "decline-control": "keep the control"}.items():
        _text(_verb(verbs, name, text, _person)).add_argument("--person", type=int, required=True, metavar="NUMBER")
    review = _text(_verb(verbs, "review-control", "review a control that was taken", _review))
    review.add_argument("--handover", type=int, required=True, metavar="NUMBER", help="`headgate run show` has it")
    end = _text(_verb(verbs, "end-session", "have the session that stands in its way ended", _end))
    end.add_argument("--pid", type=int, required=True)
    end.add_argument("--backend-start", required=True, metavar="MOMENT", help="as `headgate run show` has it")


def _verb(
    verbs: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, help_text: str, act: Act
) -> argparse.ArgumentParser:
    parser = add_verb(verbs, name, help_text, act)
    parser.add_argument("run_number", type=int, metavar="RUN")
    return parser


def _text(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    parser.add_argument("--text", default="", help="reason or note, kept with your name")
    return parser


def _undo(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    back = _verb(verbs, "roll-back", "undo everything, a phase or a step, as a run of its own", _roll_back)
    which = back.add_mutually_exclusive_group()
    which.add_argument("--phase", metavar="PHASE")
    which.add_argument("--step", metavar="STEP")
    back.add_argument("--dry-run", action="store_true", help="only say what would be undone, and where it would stop")
    abort = _text(_verb(verbs, "abort", "stop at the next safe point and undo what was done", _abort))
    for parser in (back, abort):
        parser.add_argument("--confirm", default="", metavar="TARGET", help="the target's name: what is typed on the page")


def _path(args: argparse.Namespace, verb: str = "") -> str:
    return f"/runs/{args.run_number}" + (f"/{verb}" if verb else "")


def _told(args: argparse.Namespace, answer: Answer) -> int:
    return say(args, answer, f"Run {answer['run']} is {answer['state']}. {answer.get('reason') or ''}".rstrip())


def _press(args: argparse.Namespace, client: HeadgateClient) -> int:
    body: Answer = {name: getattr(args, name) for name in ("text", "step") if hasattr(args, name)}
    if "step" in body and not body["step"]:
        body["step"] = client.get(_path(args))["current_step"] or ""
    return _told(args, client.post(_path(args, args.verb), body))


def _speed(args: argparse.Namespace, client: HeadgateClient) -> int:
    return _told(args, client.post(_path(args, "speed"), {"profile": args.profile, "max_rate": args.max_rate}))


def _roll_back(args: argparse.Namespace, client: HeadgateClient) -> int:
    scope, of = ("phase", args.phase) if args.phase else ("step", args.step) if args.step else ("all", "")
    found = [choice for choice in client.get(_path(args, "way-back"))["choices"] if _is(choice, scope, of)]
    if not found and not args.phase and not args.step:
        raise HeadgateError("Nothing that can be undone was done.", hint="`headgate run show` lists its steps.")
    if args.dry_run:
        return say(args, {"choices": found}, "\n".join(choice["sentence"] for choice in found) or "Undoes nothing.")
    return _told(args, client.post(_path(args, "roll-back"), {"target": args.confirm, "scope": scope, "of": of}))


def _is(choice: Answer, scope: str, of: str) -> bool:
    return bool(choice["scope"] == scope and choice["of"] == of)


def _abort(args: argparse.Namespace, client: HeadgateClient) -> int:
    return _told(args, client.post(_path(args, "abort"), {"target": args.confirm, "text": args.text}))


def _person(args: argparse.Namespace, client: HeadgateClient) -> int:
    return _told(args, client.post(_path(args, args.verb), {"person": args.person, "text": args.text}))


def _review(args: argparse.Namespace, client: HeadgateClient) -> int:
    answer = client.post(_path(args, "review-control"), {"handover": args.handover, "text": args.text})
    return say(args, answer, f"Reviewed {answer['handover']}")


def _end(args: argparse.Namespace, client: HeadgateClient) -> int:
    body = {"pid": args.pid, "backend_start": args.backend_start, "text": args.text}
    answer = client.post(_path(args, "end-session"), body)
    return say(args, answer, f"pid {answer['pid']}: {answer['outcome']}")


def _show(args: argparse.Namespace, client: HeadgateClient) -> int:
    seen, control = client.get(_path(args)), client.get(_path(args, "control"))
    lines = [f"Run {args.run_number} is {seen['state']}. {seen['reason']}", f"  driven by {control['driver'] or 'nobody'}"]
    lines += [f"  {step['state']:<12} {step['id']}  {step['title']}" for step in seen["steps"]]
    lines += [f"  {ask['person']} (person {ask['person_id']}) asks for the control: {ask['note']}" for ask in control["asks"]]
    lines += [f"  handover {taken['id']} is to be reviewed: {taken['reason']}" for taken in control["to_review"]]
    lines += [f"  in the way, since {found['backend_start']}: {found['session']}" for found in control["blockers"]]
    return say(args, {**seen, "control": control}, "\n".join(lines))
