"""Recipes beside the findings: offered, looked at, used; by forms alone."""

import pytest

from app.catalog.encoding import schema_to_json
from app.store.tables import Plan, SchemaSnapshot
from tests.doubles.world import a_plan
from tests.unit.recipes.shop import a_schema
from tests.web.site import Forms, Site


@pytest.fixture
def plan(site: Site) -> Plan:
    with site.world.sessions.begin() as session:
        snapshot = SchemaSnapshot(
            target_id=site.world.production.id,
            taken_at=site.world.clock.now(),
            fingerprint="f" * 64,
            content=schema_to_json(a_schema()),
            statistics=None,
        )
        session.add(snapshot)
    made = site.world.imported(a_plan(sql='ALTER TABLE "Users" ADD UNIQUE (org)'))
    site.analysed(made)
    return made


def path(plan: Plan, recipe: str = "add-unique") -> str:
    return f"/plans/{plan.id}/recipes/{recipe}"


def test_a_finding_leads_to_its_recipe_and_that_to_a_new_revision(site: Site, plan: Plan):
    author = site.browser("author")
    page = author.get(f"/plans/{plan.id}/analysis").text
    link = f"{path(plan)}?step=add-note&amp;statement=1"
    assert link in page
    page = author.get(link.replace("&amp;", "&")).text
    assert "CREATE UNIQUE INDEX CONCURRENTLY" in page
    fields = Forms(page).fields(path(plan))
    answer = author.post(path(plan), data=fields)
    assert answer.status_code == 303
    assert site.world.revision(plan).number == 2
    steps = author.get(answer.headers["location"]).text
    assert "Make the index the constraint" in steps
    assert "replaced by the recipe" in steps


def test_a_reader_is_offered_nothing_and_may_not_use_one(site: Site, plan: Plan):
    reader, digest = site.browser("viewer"), site.world.digest(plan)
    assert "/recipes/" not in reader.get(f"/plans/{plan.id}/analysis").text
    assert reader.get(f"{path(plan)}?step=add-note&statement=1").status_code == 403
    answer = reader.post(path(plan), data={"base_digest": digest, "step": "add-note", "statement": "1"})
    assert answer.status_code == 403
    assert site.world.revision(plan).number == 1


def test_a_stale_page_changes_nothing(site: Site, plan: Plan):
    answer = site.browser("author").post(path(plan), data={"base_digest": "0" * 64, "step": "add-note", "statement": "1"})
    assert answer.status_code == 409
    assert site.world.revision(plan).number == 1


def test_what_does_not_fit_is_refused_with_the_reason(site: Site, plan: Plan):
    author = site.browser("author")
    answer = author.get(f"{path(plan, 'add-check')}?step=add-note&statement=1")
    assert answer.status_code == 409
    assert "is not for this statement" in answer.text
    assert author.get(f"{path(plan, 'no-such')}?step=add-note&statement=1").status_code == 404
    assert author.get(f"{path(plan)}?step=nowhere&statement=1").status_code == 409
