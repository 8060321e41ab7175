"""Each rule finds its bad example and leaves its good one alone, on the shop of tests/doubles."""

import pytest

from app.analysis.analyse import analyse_script
from app.analysis.registry import RULES
from app.analysis.rule import RISKS, Rule
from app.sql.split import split
from tests.doubles.shop import a_shop

#: what only a target shows has tests of its own, with what the target shows
STATIC = {name: rule for name, rule in RULES.items() if not rule.needs_target}
#: examples that are about an older server
VERSIONS = {"not-in-this-version": 17}


@pytest.mark.parametrize("rule", STATIC.values(), ids=list(STATIC))
def test_the_bad_example_is_found_at_the_level_that_the_page_names(rule: Rule) -> None:
    found = analyse_script(rule.bad, schema=a_shop(), assume_large=True, server_version=VERSIONS.get(rule.id))
    hits = [finding for finding in found.findings() if finding.rule == rule.id]
    assert hits, [finding.rule for finding in found.findings()]
    assert max((hit.risk for hit in hits), key=RISKS.index) == rule.level
    assert all(hit.why and hit.source.startswith("https://www.postgresql.org/docs/") for hit in hits)


@pytest.mark.parametrize("rule", [rule for rule in RULES.values() if rule.good], ids=lambda rule: rule.id)
def test_the_good_example_is_left_alone(rule: Rule) -> None:
    found = analyse_script(rule.good or "", schema=a_shop(), assume_large=True, server_version=VERSIONS.get(rule.id))
    assert [finding.message for finding in found.findings() if finding.rule == rule.id and finding.risk != "low"] == []


@pytest.mark.parametrize("rule", RULES.values(), ids=list(RULES))
def test_what_a_finding_recommends_parses(rule: Rule) -> None:
    found = analyse_script(rule.bad, schema=a_shop(), assume_large=True, server_version=VERSIONS.get(rule.id))
    for finding in found.findings():
        if finding.safer and "..." not in finding.safer:
            split(finding.safer)
