from pathlib import Path

import pytest

from app.run.events import EVENTS
from app.run.pages import PAGES, event_page, state_page, untold
from app.run.states import TRANSITIONS

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("name", PAGES)
def test_a_generated_page_is_what_the_code_says_now(name):
    assert (ROOT / name).read_text(encoding="utf-8") == PAGES[name](), f"{name} is out of date: run `python -m app.run.pages`"


def test_every_event_is_on_the_page_with_a_sentence():
    page = event_page()
    for name, cls in EVENTS.items():
        assert f"\n### {name}\n" in page
        assert cls.__doc__ in page


def test_every_field_of_an_event_has_its_meaning():
    assert untold() == (), (
        "write a `#: meaning, with its unit` line above the field in app/run/events (or the name in _USUAL of app/run/pages.py "
        "where it means the same everywhere), then run `python -m app.run.pages`"
    )


def test_what_only_groups_events_is_none_itself():
    assert not {"event", "person", "decision"} & set(EVENTS)


def test_every_move_is_in_the_diagram_and_in_the_table():
    page = state_page()
    for row in TRANSITIONS:
        assert f"    {row.source.value} --> {row.target.value}: {row.move.value}\n" in page
        assert row.reason in page
