from app.actions.request_review import request_review
from app.run.states import RunState
from tests.web.site import Site


def test_home_says_whose_turn_it_is_and_for_how_long(site: Site):
    plan = site.world.imported()
    site.analysed(plan)
    with site.world.work("author") as work:
        request_review(work, plan_id=plan.id)
    page = site.browser("approver").get("/").text
    assert "A plan waits for your review: Add a note" in page
    assert 'data-relative="bare">a moment</time>' in page
    assert "Nothing needs you" in site.browser("viewer").get("/").text


def test_home_shows_what_runs_and_to_nobody_else(site: Site):
    run = site.world.started()
    site.world.driven(run, RunState.RUNNING)
    page = site.browser("viewer").get("/").text
    assert "1 run is under way" in page
    assert f'href="/runs/{run.id}"' in page
    assert "running for <time" in page
    assert f'href="/runs/{run.id}"' not in site.browser("outsider").get("/").text


def test_a_home_without_plans_leads_to_the_first_one(site: Site):
    assert 'href="/plans/import">' in site.browser("author").get("/").text
    page = site.browser("outsider").get("/").text
    assert "There is no plan yet" in page
    assert "Add a database" in page
