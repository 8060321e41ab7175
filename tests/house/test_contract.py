"""docs/contract.md is the command line: every command and flag that a page names exists, and every command is on the page."""

import argparse
import re

import pytest

from app.cli.main import COMMANDS, build_parser
from tests.house.tree import ROOT

PAGE = (ROOT / "docs" / "contract.md").read_text(encoding="utf-8")
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
#: a command as people type it, in backticks or at the start of a line of a block
TYPED = re.compile(r"(?:`|^)(?:\./)?headgate ([a-z-]+)([^`\n|#]*)", re.MULTILINE)
OF_A_CLONE = {"test", "lint", "bench", "chaos"}


def _flags(parser: argparse.ArgumentParser) -> set[str]:
    flags: set[str] = set()
    for action in parser._actions:
        flags.update(action.option_strings)
        if isinstance(action, argparse._SubParsersAction):
            for name, below in action.choices.items():
                flags |= {name, *_flags(below)}
    return flags


FLAGS = {command: _flags(build_parser(command)._actions[-1].choices[command]) for command in COMMANDS}


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_on_the_page(command: str):
    assert re.search(rf"^\| `headgate {command}\b", PAGE, re.MULTILINE)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_whatever_a_page_tells_people_to_type_exists(page):
    for command, rest in TYPED.findall(page.read_text(encoding="utf-8")):
        if command not in OF_A_CLONE:
            assert command in COMMANDS, command
            assert set(re.findall(r"--[a-z][a-z-]*", rest)) <= FLAGS[command], f"headgate {command}{rest}"


@pytest.mark.parametrize("command", ["plan", "backup", "user", "target", "token", "audit"])
def test_the_page_names_every_verb(command: str):
    (row,) = [line for line in PAGE.splitlines() if line.startswith(f"| `headgate {command} ")]
    verbs = {flag for flag in FLAGS[command] if not flag.startswith("-")}
    assert verbs == set(re.findall(r"[a-z-]+", row.split("|")[1].replace("headgate", "").replace(command, "", 1)))


@pytest.mark.parametrize("command", [command for command, flags in FLAGS.items() if command != "up"])
def test_every_command_but_up_takes_a_format(command: str):
    assert {"--format", "--json"} <= FLAGS[command]
