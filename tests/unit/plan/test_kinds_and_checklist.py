"""Specs that pages hand in, and the checklists."""

import pytest

from app.plan.checklist import DEFAULT_CHECKLIST, MONITORING_CHECKLIST, groups
from app.plan.errors import PlanError
from app.plan.kinds import check_spec


@pytest.mark.parametrize(
    ("kind", "spec"),
    [
        ("sql", {"sql": "SELECT 1", "lock_timeout_ms": 2000, "transaction": False}),
        ("check", {"statement": "INSERT INTO t VALUES (NULL)", "refused_with": "23502"}),
        ("gate", {"ask": "Live", "who": "operator"}),
        ("backup", {}),
    ],
)
def test_a_whole_spec_is_accepted(kind: str, spec: dict) -> None:
    check_spec(kind, spec)


@pytest.mark.parametrize(
    ("kind", "spec", "sentence"),
    [
        ("sqll", {}, "no kind of step named sqll"),
        ("sql", {}, "Sql is missing"),
        ("sql", {"sql": "x", "lock_timeout": "2s"}, "has no field lock_timeout"),
        ("sql", {"sql": "x", "lock_timeout_ms": "2s"}, "must be a whole number"),
        ("sql", {"sql": "x", "transaction": 1}, "must be true or false"),
        ("check", {"query": "x", "expect": {"a": 1}}, "must be one value"),
        ("check", {"query": "x", "expect": [1]}, "list of rows"),
        ("check", {"statement": "x", "refused_with": "no"}, "SQLSTATE"),
        ("hook", {"url": "javascript:alert(1)"}, "http:// or https://"),
        ("hook", {"url": "http://[x"}, "must be a URL"),
        ("backfill", {"table": "a.b; DROP TABLE c", "set": "a = 1", "where": "a IS NULL"}, "one table"),
    ],
)
def test_a_spec_that_does_not_fit_is_refused_with_a_sentence(kind: str, spec: dict, sentence: str) -> None:
    with pytest.raises(PlanError) as caught:
        check_spec(kind, spec)
    assert sentence in caught.value.message


def test_the_checklists_are_those_of_the_workflow() -> None:
    assert {name: [item.text for item in items] for name, items in groups(DEFAULT_CHECKLIST).items()} == {
        "Database": ["Migration SQL reviewed", "Rollback SQL prepared", "Backup taken", "Tested on staging"],
        "Application": ["Code changes deployed", "Environment variables updated", "Cache cleared (if needed)"],
        "Monitoring": ["Database metrics dashboard ready", "Query performance monitoring enabled", "Error tracking configured"],
    }
    assert {name: len(items) for name, items in groups(MONITORING_CHECKLIST).items()} == {
        "Immediate (0-1 hour)": 3,
        "Short-term (1-24 hours)": 3,
        "Long-term (1 week)": 3,
    }


def test_every_item_has_an_id_of_its_own_and_every_proof_its_evidence() -> None:
    items = DEFAULT_CHECKLIST + MONITORING_CHECKLIST
    assert len({item.id for item in items}) == len(items)
    assert all(bool(item.evidence) == (item.proof is not None) for item in items)
