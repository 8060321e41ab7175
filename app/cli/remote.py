"""What commands share that talk to a running server: its address, the token, and how an answer is said."""

import argparse
import json
import os
from collections.abc import Callable
from typing import Any

from app.cli.reading import add_json
from app.client import HeadgateClient
from app.contract import CONTRACT
from app.errors import HeadgateError

_DEFAULT_URL = "http://localhost:8000"

Answer = dict[str, Any]
Act = Callable[[argparse.Namespace, HeadgateClient], int]


def add_verb(
    verbs: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, help_text: str, act: Act
) -> argparse.ArgumentParser:
    """A verb that is done on a server as the holder of HEADGATE_TOKEN."""
    parser = verbs.add_parser(name, help=help_text)
    parser.add_argument("--url", default=os.environ.get("HEADGATE_URL", _DEFAULT_URL), help="default: HEADGATE_URL")
    add_json(parser)
    parser.set_defaults(run=_run, act=act)
    return parser


def say(args: argparse.Namespace, answer: Answer, text: str, *, good: bool = True) -> int:
    """Print the answer as the document of the contract, or as a sentence; 0, or 1 where it did not end well."""
    print(json.dumps({"contract": CONTRACT, **answer}) if args.format == "json" else text)
    return 0 if good else 1


def _run(args: argparse.Namespace) -> int:
    token = os.environ.get("HEADGATE_TOKEN")
    if not token:
        raise HeadgateError("HEADGATE_TOKEN is not set.", hint="Make a token: headgate token add, or under Settings.")
    with HeadgateClient(args.url, token=token) as client:
        code: int = args.act(args, client)
    return code
