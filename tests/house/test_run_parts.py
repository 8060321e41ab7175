"""A run's page has one part for every state and for every kind of step, and no part without its word."""

from pathlib import Path

import pytest
from jinja2 import Environment

from app.run.states import RunState
from app.steps.registry import KINDS

RUNS = Path(__file__).resolve().parents[2] / "templates" / "runs"


def names(folder: str) -> set[str]:
    return {file.stem.removeprefix("_") for file in (RUNS / folder).glob("_*.html")}


def test_every_state_has_its_part_and_no_part_is_left_over():
    assert names("states") == {state.value for state in RunState}


def test_every_step_kind_has_its_part_and_no_part_is_left_over():
    assert names("kinds") == set(KINDS)


@pytest.mark.parametrize("file", sorted(RUNS.rglob("*.html")), ids=lambda file: file.name)
def test_each_template_says_what_it_takes_and_styles_nothing_inline(file: Path):
    text = file.read_text()
    assert text.startswith("{#"), "the first line names the record that the template takes"
    assert " style=" not in text
    Environment(autoescape=True).parse(text)
