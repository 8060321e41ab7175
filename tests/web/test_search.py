from tests.web.site import Site


def test_search_finds_plans_runs_and_targets_in_sight_only(site: Site):
    plan, run = site.world.imported(), site.world.started()
    viewer, outsider = site.browser("viewer"), site.browser("outsider")
    for q in ("note", f"plan {plan.id}", f"{plan.id}"):
        assert f'href="/plans/{plan.id}"' in viewer.get("/search", params={"q": q}).text, q
        assert f'href="/plans/{plan.id}"' not in outsider.get("/search", params={"q": q}).text, q
    assert f'href="/runs/{run.id}"' in viewer.get(f"/search?q=Run+{run.id}").text
    assert "shop-production" in viewer.get("/search?q=production").text


def test_what_is_not_found_leads_to_the_lists_and_odd_text_breaks_nothing(site: Site):
    viewer = site.browser("viewer")
    for q in ("nothing of that name", "%00%25'", "9" * 40, "\u00b2", "#"):
        page = viewer.get("/search", params={"q": q})
        assert page.status_code == 200, q
        assert "Nothing is called like that" in page.text, q
        assert 'href="/targets">All targets' in page.text, q
