"""The rules of an environment: stored, read back, refused by field."""

from datetime import UTC, datetime

import pytest

from app.errors import InvalidInputError
from app.review.policy import DEVELOPMENT, PRODUCTION, STAGING, Approvals, EnvironmentPolicy, default_policy
from app.review.roles import Role
from app.review.windows import next_opening, open_until, parse_window

SATURDAY_NIGHT = parse_window(["saturday", "22:00", "02:00"])
MONDAY = parse_window(["monday", "05:00", "06:30"])


def at(day: int, hour: int, minute: int = 0) -> datetime:
    """A moment of March 2026; the second is a Monday."""
    return datetime(2026, 3, day, hour, minute, tzinfo=UTC)


@pytest.mark.parametrize(
    "policy",
    [
        PRODUCTION,
        STAGING,
        DEVELOPMENT,
        EnvironmentPolicy(windows=(SATURDAY_NIGHT,), checklist=("a", "b"), approver_role=Role.OPERATOR),
        EnvironmentPolicy(severities={"index-drop": "low"}, shows_rows=False, preflight_timeout_ms=0),
    ],
)
def test_a_policy_that_is_stored_reads_back_as_it_was(policy: EnvironmentPolicy):
    assert EnvironmentPolicy.from_json(policy.as_json()) == policy


def test_a_set_of_levels_has_a_name_that_its_order_does_not_change():
    first = EnvironmentPolicy(severities={"index-drop": "low", "opaque": "high"}).severities_digest
    assert EnvironmentPolicy(severities={"opaque": "high", "index-drop": "low"}).severities_digest == first
    assert EnvironmentPolicy(severities={"index-drop": "high"}).severities_digest != first
    assert PRODUCTION.severities_digest == ""


def test_a_stored_policy_may_name_a_rule_that_is_gone():
    assert EnvironmentPolicy.from_json({"severities": {"rule-of-yesterday": "low"}}).severities == {"rule-of-yesterday": "low"}


def test_what_a_stored_policy_leaves_out_has_its_default():
    assert EnvironmentPolicy.from_json({}) == PRODUCTION


def test_production_is_the_strictest_by_default():
    assert default_policy("production", is_production=True) == PRODUCTION
    assert default_policy("staging", is_production=False) == STAGING
    assert default_policy("Dev", is_production=False) == DEVELOPMENT


@pytest.mark.parametrize(("risk", "needed"), [("low", 0), ("medium", 1), ("high", 3), ("unknown", 3)])
def test_an_unknown_risk_asks_for_as_many_approvals_as_a_high_one(risk, needed: int):
    assert Approvals(low=0, medium=1, high=3).needed(risk) == needed


def test_every_wrong_rule_is_named_at_once():
    with pytest.raises(InvalidInputError) as refused:
        EnvironmentPolicy.from_json({"attempts": "many", "profile": "ludicrous", "surprise": 1})
    assert set(refused.value.fields) == {"attempts", "profile", "surprise"}


@pytest.mark.parametrize(
    ("now", "until"),
    [(at(2, 5), at(2, 6, 30)), (at(7, 23), at(8, 2)), (at(8, 1, 59), at(8, 2)), (at(8, 2), None), (at(2, 6, 30), None)],
)
def test_a_window_is_open_from_its_first_minute_to_before_its_last_past_midnight_too(now: datetime, until: datetime | None):
    assert open_until([SATURDAY_NIGHT, MONDAY], now) == until


@pytest.mark.parametrize(
    ("now", "opens"), [(at(2, 5, 30), None), (at(2, 7), at(7, 22)), (at(8, 3), at(9, 5)), (at(2, 4, 59), at(2, 5))]
)
def test_the_next_opening_is_the_nearest_of_all_windows(now: datetime, opens: datetime | None):
    assert next_opening([SATURDAY_NIGHT, MONDAY], now) == opens


def test_a_window_that_just_closed_opens_in_a_week():
    assert next_opening([MONDAY], at(2, 6, 30)) == at(9, 5)


def test_without_windows_it_is_always_open():
    assert next_opening([], at(2, 5)) is None


@pytest.mark.parametrize(
    "value", [["someday", "22:00", "23:00"], ["monday", "25:00", "26:00"], ["monday", "22:00"], "monday 22:00 23:00"]
)
def test_a_window_that_is_none_is_refused(value):
    with pytest.raises(ValueError, match=r"window|time"):
        parse_window(value)
