"""What a newcomer may count on in every module: its size, its names, a docstring, and a reason beside each exception."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house.tree import ROOT, modules, name_of

MODULE_LINES, FUNCTION_LINES = 300, 60
OURS = modules("app", "workers")
#: a migration is written once and never touched again, however many tables it makes
SIZED = [*OURS, *modules("benchmarks", "static", "tests"), ROOT / "migrations" / "env.py", ROOT / "headgate"]
#: if no better name comes, the thing is not understood yet
BANNED = {
    "util",
    "utils",
    "helper",
    "helpers",
    "common",
    "misc",
    "core",
    "manager",
    "service",
    "services",
    "handler",
    "processor",
    "info",
}
EXCEPTION = re.compile(r"#\s*(?:noqa(?!\w)(?::\s*[A-Z]+\d+(?:,\s*[A-Z]+\d+)*)?|type:\s*ignore(?:\[[\w\-, ]+\])?)(?P<reason>.*)")

FUNCTIONS = ast.FunctionDef | ast.AsyncFunctionDef
DEFINITIONS = FUNCTIONS | ast.ClassDef


def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def _public(body: list[ast.stmt], prefix: str = "") -> Iterator[tuple[str, FUNCTIONS | ast.ClassDef]]:
    """Functions and classes that others may use; what is defined inside a function is its own affair."""
    for node in body:
        if isinstance(node, DEFINITIONS) and not node.name.startswith("_"):
            yield prefix + node.name, node
            if isinstance(node, ast.ClassDef):
                yield from _public(node.body, f"{node.name}.")


def _words(name: str) -> set[str]:
    return {word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", name)}


@pytest.mark.parametrize("path", SIZED, ids=name_of)
def test_a_module_fits_in_one_sitting(path: Path):
    lines = len(path.read_text(encoding="utf-8").splitlines())
    assert lines <= MODULE_LINES, f"{lines} lines: split it by what changes together"


@pytest.mark.parametrize("path", SIZED, ids=name_of)
def test_a_function_fits_a_glance(path: Path):
    long = {
        node.name: node.end_lineno - node.lineno + 1
        for node in ast.walk(_tree(path))
        if isinstance(node, FUNCTIONS) and node.end_lineno - node.lineno >= FUNCTION_LINES
    }
    assert long == {}


@pytest.mark.parametrize("path", OURS, ids=name_of)
def test_every_module_and_everything_public_says_what_it_is(path: Path):
    tree = _tree(path)
    silent = [name for name, node in _public(tree.body) if not ast.get_docstring(node)]
    if tree.body and not ast.get_docstring(tree):
        silent.insert(0, "the module")
    assert silent == []


@pytest.mark.parametrize("path", OURS, ids=name_of)
def test_names_say_what_a_thing_is(path: Path):
    names = {node.name for node in ast.walk(_tree(path)) if isinstance(node, DEFINITIONS)} | set(
        path.relative_to(ROOT).with_suffix("").parts
    )
    bad = {name for name in names if BANNED & _words(name) or name.lstrip("_").startswith(("do_", "handle_"))}
    assert bad == set()


@pytest.mark.parametrize("path", SIZED, ids=name_of)
def test_an_exception_from_a_rule_gives_its_reason_on_the_same_line(path: Path):
    lines = path.read_text(encoding="utf-8").splitlines()
    found = [
        (number, match) for number, line in enumerate(lines, 1) if (match := EXCEPTION.search(line)) and path != Path(__file__)
    ]
    assert [number for number, match in found if not re.search(r"[A-Za-z]{3}", match["reason"])] == []


@pytest.mark.parametrize("path", OURS, ids=name_of)
def test_whoever_catches_everything_raises_it_again_or_says_why_not(path: Path):
    lines = path.read_text(encoding="utf-8").splitlines()
    silent = []
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.ExceptHandler) and (
            node.type is None or ast.unparse(node.type) in {"Exception", "BaseException"}
        ):
            raises = any(isinstance(inner, ast.Raise) for inner in ast.walk(node))
            if not raises and "#" not in lines[node.lineno - 1]:
                silent.append(node.lineno)
    assert silent == []
