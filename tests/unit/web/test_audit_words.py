import pytest

from app.web.views.audit_words import summary_of


@pytest.mark.parametrize(
    ("details", "said"),
    [
        (
            {"digest": "a" * 64, "target": "prod", "reason": "Split it", "revision": 2},
            "target prod · revision 2 · “Split it” · digest " + "a" * 12,
        ),
        ({"name": "Add a note", "tool": "", "steps": 3}, "steps 3"),
        (
            {"new_account": True, "sign_ins_ended": 0, "role": "author", "is_admin": False},
            "role author · new account · sign ins ended 0",
        ),
        (
            {"evidence": {"a": 1}, "changes": {"color": ["blue", "red"], "lock_timeout_ms": [1, 2]}},
            "changes color, lock timeout ms",
        ),
        ({}, "from 10.0.0.1"),
    ],
)
def test_the_details_of_an_audit_line_are_said_in_one_line_without_its_subject(details: dict, said: str):
    assert summary_of(details, subject="Add a note", address="10.0.0.1") == said


def test_a_line_without_details_or_address_says_that_there_is_nothing_more():
    assert summary_of({}) == "nothing more is kept"


def test_a_long_text_is_cut():
    assert summary_of({"note": "x" * 500}) == f"“{'x' * 79}…”"
