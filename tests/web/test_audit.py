import csv
import io

from sqlalchemy import text

from tests.web.site import Site


def test_the_audit_shows_the_lines_of_ones_own_projects_and_says_what_was_done_to_what(site: Site):
    plan = site.world.imported()
    page = site.browser("viewer").get("/audit?act=import_plan").text
    assert f'href="/plans/{plan.id}">plan {plan.id}</a> <span class="soft break" dir="auto">Add a note</span>' in page
    assert f"digest {site.world.digest(plan)[:12]}</bdi>" in page
    assert "import plan" not in site.browser("outsider").get("/audit").text


def test_the_audit_is_filtered_and_paged_by_its_id(site: Site):
    world = site.world
    with world.work("operator") as work:
        for _ in range(60):
            work.note("test_target", "target", world.production.id, project_id=world.project.id)
    browser = site.browser("admin")
    first = browser.get("/audit?act=test_target").text
    assert first.count('id="line-') == 50
    older = first.partition('rel="next" href="')[2].partition('"')[0].replace("&amp;", "&")
    assert browser.get(older).text.count('id="line-') == 10


def test_the_chain_is_checked_on_request_and_a_change_past_headgate_is_found(site: Site):
    admin = site.browser("admin")
    assert "The chain holds" in admin.get("/audit?verify=1").text
    with site.world.engine.begin() as connection:
        connection.execute(text("ALTER TABLE audit_log DISABLE TRIGGER ALL"))
        connection.execute(text("UPDATE audit_log SET actor = 'nobody' WHERE id = (SELECT min(id) + 1 FROM audit_log)"))
    assert "The chain is broken" in admin.get("/audit?verify=1").text


def test_the_export_holds_the_hashes_and_no_formula(site: Site):
    site.browser("admin").post("/projects", data={"name": "=cmd()"})
    admin = site.browser("admin")
    rows = list(csv.reader(io.StringIO(admin.get("/audit/export.csv").text)))
    assert rows[0][-1] == "hash"
    assert not any(cell.startswith("=") for row in rows for cell in row)
    lines = admin.get("/audit/export.json").json()["lines"]
    assert lines[1]["previous_hash"] == lines[0]["hash"]
