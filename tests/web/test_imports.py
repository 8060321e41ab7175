import io
import zipfile
from html import unescape

import pytest

from app.store.tables import Plan
from tests.web.site import Forms, Site

SQL = "ALTER TABLE users ADD COLUMN note text;"


def _project(site: Site) -> str:
    return str(site.world.project.id)


def test_pasted_sql_is_shown_as_a_draft_and_saved_only_when_asked_for(site: Site):
    browser = site.browser("author")
    form = Forms(browser.get("/plans/import").text).fields("/plans/import")
    draft = browser.post("/plans/import", data={**form, "project_id": _project(site), "name": "Add a note", "text": SQL})
    assert draft.status_code == 200
    assert "Draft of Add a note" in draft.text
    assert "Add a note" not in browser.get("/plans").text
    fields = Forms(draft.text).fields("/plans")
    text = draft.text.partition('name="text"')[2].partition(">")[2].partition("</textarea>")[0]
    saved = browser.post("/plans", data={**fields, "project_id": _project(site), "text": unescape(text)})
    assert saved.status_code == 303
    assert saved.headers["location"].startswith("/plans/")
    assert [wake.task for wake in site.bell.rung] == ["job"]
    assert "Add a note" in browser.get("/plans").text


def test_pasted_sql_without_a_name_is_called_by_what_it_does(site: Site):
    answer = site.browser("author").post("/plans/import", data={"project_id": _project(site), "text": SQL})
    assert "Draft of ALTER TABLE users" in answer.text


def test_an_error_in_the_sql_is_shown_with_its_line_and_what_was_typed_stays(site: Site):
    answer = site.browser("author").post(
        "/plans/import", data={"project_id": _project(site), "text": "SELECT 1;\nALTER TABEL users ADD note text;"}
    )
    assert answer.status_code >= 400
    assert "line 2" in answer.text
    assert "ALTER TABEL users ADD note text;\n      ^</code>" in answer.text
    assert "Nothing was saved" in answer.text


def test_an_upload_says_file_by_file_what_was_recognised(site: Site):
    files = [
        ("files", ("app/migrations/0001_note.up.sql", SQL.encode())),
        ("files", ("app/migrations/0001_note.down.sql", b"ALTER TABLE users DROP COLUMN note;")),
        ("files", ("app/README.md", b"hello")),
    ]
    answer = site.browser("author").post("/plans/import", data={"project_id": _project(site)}, files=files)
    assert answer.status_code == 200
    assert "0001_note.up.sql" in answer.text
    assert "README.md" in answer.text
    assert "Not recognised" in answer.text


def test_a_zip_archive_is_read_too(site: Site):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("0001_note.up.sql", SQL)
        archive.writestr("0001_note.down.sql", "ALTER TABLE users DROP COLUMN note;")
    files = {"files": ("migrations.zip", packed.getvalue())}
    answer = site.browser("author").post("/plans/import", data={"project_id": _project(site)}, files=files)
    assert answer.status_code == 200
    assert "0001_note.up.sql" in answer.text


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("0001_x.up.sql", "ALTER TABLE caf\u00e9 ADD x int;".encode("latin1"), "not UTF-8"),
        ("0001_x.up.sql", b"", "There is no"),
        ("plan.yaml", b"headgate: 1\nname: x\nphasen: []\n", "phasen"),
        ("../../etc/passwd.sql", b"SELECT 1", "not accepted"),
    ],
)
def test_bad_input_is_refused_in_place_with_its_reason(site: Site, name, content, said):
    answer = site.browser("author").post("/plans/import", data={"project_id": _project(site)}, files={"files": (name, content)})
    assert answer.status_code >= 400
    assert said in answer.text


def test_nothing_at_all_is_refused(site: Site):
    answer = site.browser("author").post("/plans/import", data={"project_id": _project(site), "text": "  "})
    assert answer.status_code == 422
    assert "migration files, SQL, or a plan file" in answer.text


def test_a_viewer_sees_why_nothing_can_be_imported_and_can_not_do_it_by_hand_either(site: Site):
    browser = site.browser("viewer")
    assert "You need the role author" in browser.get("/plans/import").text
    answer = browser.post("/plans", data={"project_id": _project(site), "text": "headgate: 1\nname: x\nphases: []"})
    assert answer.status_code >= 400
    with site.world.sessions() as session:
        assert session.query(Plan).count() == 0


def test_a_plan_can_not_be_put_into_a_project_of_others(site: Site):
    text = (
        "headgate: 1\nname: Sneaky\nphases:\n  - name: expand\n    steps:\n      - {id: a, kind: wait, title: Wait, seconds: 1}\n"
    )
    answer = site.browser("author").post("/plans", data={"project_id": str(site.world.other_project.id), "text": text})
    assert answer.status_code == 404
    with site.world.sessions() as session:
        assert session.query(Plan).count() == 0


def test_two_uploads_of_one_name_are_refused_instead_of_one_replacing_the_other(site: Site):
    files = [("files", ("001_x.up.sql", b"SELECT 1;")), ("files", ("001_x.up.sql", b"SELECT 2;"))]
    answer = site.browser("author").post("/plans/import", files=files)
    assert answer.status_code == 422
    assert "Two files are called 001_x.up.sql" in answer.text
