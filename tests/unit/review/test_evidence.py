"""What a decision is bound to, and what is said when it moved."""

from dataclasses import fields, replace

import pytest

from app.review.evidence import Evidence, rehearsal_digest, stale_because

KNOWN = Evidence(
    plan_digest="p",
    target_id=1,
    dsn_summary="db:5432/shop as app",
    catalog_fingerprint="c",
    rehearsal_id=7,
    rehearsal_ok=True,
    rehearsal_result="r",
    rules_version="1",
)


@pytest.mark.parametrize(
    ("moved", "sentence"),
    [
        ({"plan_digest": "q"}, "The plan was edited since."),
        ({"target_id": 2}, "It was given for another target."),
        (
            {"dsn_summary": "db2:5432/shop as app"},
            "The target's connection changed since, from db:5432/shop as app to db2:5432/shop as app.",
        ),
        ({"catalog_fingerprint": "d"}, "The target's schema changed since."),
        ({"rehearsal_result": "s"}, "A newer rehearsal had another result."),
        ({"rehearsal_result": None, "rehearsal_ok": None}, "Its rehearsal no longer counts."),
        ({"rules_version": "2"}, "The rules that judge the risk changed since."),
    ],
)
def test_whatever_moves_is_named(moved: dict, sentence: str):
    assert stale_because(KNOWN, replace(KNOWN, **moved)) == (sentence,)
    assert replace(KNOWN, **moved).digest() != KNOWN.digest()


def test_every_part_of_the_evidence_but_the_rehearsals_number_binds():
    for field in fields(Evidence):
        changed = replace(KNOWN, **{field.name: 99 if field.name.endswith("_id") else "other"})
        assert (changed.digest() != KNOWN.digest()) == (field.name != "rehearsal_id"), field.name


def test_what_was_not_known_before_and_is_known_now():
    before = replace(
        KNOWN, catalog_fingerprint=None, rehearsal_id=None, rehearsal_ok=None, rehearsal_result=None, rules_version=None
    )
    assert stale_because(before, KNOWN) == (
        "The target's schema was read for the first time since.",
        "It was analysed for the first time since.",
    )
    failed = replace(KNOWN, rehearsal_ok=False)
    assert "It was rehearsed since, and the rehearsal failed." in stale_because(before, failed)


def test_evidence_that_is_stored_reads_back_and_a_newer_field_is_passed_over():
    assert Evidence.from_json({**KNOWN.as_json(), "from_the_future": 1}) == KNOWN


def test_a_rehearsals_times_do_not_make_its_result_another_one():
    result = {
        "ok": True,
        "statements": [{"duration_ms": 3.1}],
        "schema": {"before": "a", "after": "b", "diff": []},
        "rollback": {"ran": True, "schema_restored": True},
        "queries": {"broken": []},
    }
    assert rehearsal_digest(result) == rehearsal_digest({**result, "statements": [{"duration_ms": 9.9}]})
    for changed in (
        {"ok": False},
        {"schema": {"before": "a", "after": "c", "diff": []}},
        {"rollback": {"ran": True, "schema_restored": False}},
        {"queries": {"broken": [{"queryid": 5}]}},
    ):
        assert rehearsal_digest({**result, **changed}) != rehearsal_digest(result)
