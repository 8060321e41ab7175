"""What a clone may hold: no path of somebody's machine, nothing left for later, no link to what is not there."""

import ast
import re
from pathlib import Path

import pytest

from app.steps.registry import KINDS
from tests.house.tree import ROOT, files, modules, name_of

#: spelled in two halves, so that this file does not name them itself
MACHINE = re.compile(
    "|".join((r"(?<![\w.$])/ho" + r"me/\w", r"(?<![\w.])/Us" + r"ers/\w", r"(?<![\w.$}*-])/wo" + r"rk(?:/|\b)", "/ro" + r"ot/\w"))
)
LATER = re.compile(r"\b(?:" + "|".join(("TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK", "TB" + "D")) + r")\b")
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
#: a path of ours in backticks; <name> stands for any
PATH = re.compile(r"`((?:app|workers|tests|templates|docs|static|migrations|benchmarks)/[\w/.<>-]+)`")
TESTS = modules("tests")


def test_no_file_names_a_place_on_somebodys_machine():
    found = [
        f"{name_of(path)}: {line.strip()}"
        for path in files()
        for line in path.read_text(encoding="utf-8").splitlines()
        if MACHINE.search(line)
    ]
    assert found == []


def test_nothing_is_left_for_later():
    found = [
        f"{name_of(path)}: {line.strip()}"
        for path in files()
        for line in path.read_text(encoding="utf-8").splitlines()
        if LATER.search(line)
    ]
    assert found == []


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_what_a_page_links_to_is_there(page: Path):
    links = [
        link for link in LINK.findall(page.read_text(encoding="utf-8")) if "://" not in link and not link.startswith("mailto:")
    ]
    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_a_path_that_a_page_names_is_there(page: Path):
    named = PATH.findall(page.read_text(encoding="utf-8"))
    assert [path for path in named if not any(ROOT.glob(re.sub(r"<\w+>", "*", path)))] == []


@pytest.mark.parametrize("kind", KINDS)
def test_every_step_kind_has_tests_on_a_real_server(kind: str):
    assert (ROOT / "tests" / "postgres" / "steps" / f"test_{kind}.py").exists()


@pytest.mark.parametrize("path", TESTS, ids=name_of)
def test_no_test_waits_by_the_clock(path: Path):
    calls = [
        ast.unparse(node.func) for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)
    ]
    assert [call for call in calls if call in {"time.sleep", "sleep", "asyncio.sleep"}] == [], (
        "wait for what you wait for: tests.doubles.waiting.until"
    )
