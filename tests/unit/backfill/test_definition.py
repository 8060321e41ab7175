"""A step's spec becomes a definition, or the field that is wrong is named."""

from typing import Any

import pytest

from app.backfill.definition import read_definition
from app.backfill.expressions import BackfillRefusedError

SPEC = {"table": "public.users", "set": "role = 'user'", "where": "role IS NULL"}


def test_defaults_are_careful() -> None:
    found = read_definition({"table": "users", "set": "a = 1"})
    assert (found.profile, found.workers, found.strategy, found.max_quarantine) == ("balanced", 1, "auto", 0)
    assert found.expressions.where_text == "true"
    assert found.key is None


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"table": ""}, "table"),
        ({"set": None}, "set"),
        ({"profile": "wild"}, "profile"),
        ({"strategy": "loop"}, "strategy"),
        ({"workers": 0}, "workers"),
        ({"workers": True}, "workers"),
        ({"workers": 99}, "workers"),
        ({"max_rate": 0}, "max_rate"),
        ({"max_rate": "fast"}, "max_rate"),
        ({"max_quarantine": -1}, "max_quarantine"),
        ({"key": []}, "key"),
        ({"key": [1]}, "key"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_wrong_field_is_named(changed: dict[str, Any], field: str) -> None:
    with pytest.raises(BackfillRefusedError, match=field):
        read_definition({**SPEC, **changed})


def test_a_key_may_be_one_name() -> None:
    assert read_definition({**SPEC, "key": "id"}).key == ("id",)


def test_speed_and_tolerance_do_not_make_it_another_backfill() -> None:
    same = read_definition({**SPEC, "profile": "gentle", "max_rate": 5, "workers": 3, "max_quarantine": 9})
    assert same.digest() == read_definition(SPEC).digest()
    assert read_definition({**SPEC, "where": "role IS NULL AND id > 5"}).digest() != same.digest()


def test_the_spec_can_be_written_and_read_again() -> None:
    found = read_definition({**SPEC, "key": ["id"], "max_rate": 100})
    assert read_definition(found.as_json()) == found
