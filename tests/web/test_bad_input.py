"""Bad input over the web and on the command line: refused with what, where and what to do, and nothing is half done."""

import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from app.cli.main import main
from app.run.states import RunState
from app.store.tables import Plan, Run
from tests.doubles.databases import Database
from tests.web.site import ORIGIN, Site

MIB = 2**20
STEP = "      - {id: a, kind: sql, sql: SELECT 1, rollback: {nothing: Nothing is changed.}}\n"
HEAD = "headgate: 1\nname: Bad\nphases:\n  - name: expand\n    steps:\n"

#: name -> files of a folder, the file and line that are named (None: no line), a word of the message
BAD: dict[str, tuple[dict[str, bytes], str, int | None, str]] = {
    "SQL that does not parse": ({"001_a.up.sql": b"SELECT 1;\nALTER TABEL x;\n"}, "001_a.up.sql", 2, "Syntax error"),
    "SQL that ends in the middle": ({"001_a.up.sql": b"SELECT 'abc"}, "001_a.up.sql", 1, "nterminated"),
    "not UTF-8": ({"001_a.up.sql": b"SELECT 1;\nSELECT '\xe9';\n"}, "001_a.up.sql", 2, "UTF-8"),
    "UTF-16": ({"001_a.up.sql": "SELECT 1;".encode("utf-16")}, "001_a.up.sql", None, "UTF-16"),
    "a NUL byte": ({"001_a.up.sql": b"SELECT 1;\0"}, "001_a.up.sql", None, "NUL"),
    "an empty folder": ({}, "", None, ""),
    "a folder without migrations": ({"README.txt": b"hello"}, "", None, ""),
    "psql's meta-commands": ({"001_a.up.sql": b"SELECT 1;\n\\connect other\n"}, "001_a.up.sql", 2, "\\connect"),
    "psql's variables": ({"001_a.up.sql": b"\\set n 1\nSELECT :n;\n"}, "001_a.up.sql", 1, "\\set"),
    "COPY with its data": ({"001_a.up.sql": b"COPY t FROM stdin;\n1\n\\.\n"}, "001_a.up.sql", 1, "COPY"),
    "an unknown field": ({"plan.yaml": (HEAD + STEP + "        colour: red\n").encode()}, "plan.yaml", None, ""),
    "a field of another kind": (
        {"plan.yaml": (HEAD + "      - id: a\n        kind: wait\n        seconds: 1\n        sql: SELECT 1\n").encode()},
        "plan.yaml",
        9,
        "sql",
    ),
    "a field that is misspelt": ({"plan.yaml": HEAD.replace("phases", "phasen").encode()}, "plan.yaml", 3, "phasen"),
    "a duplicate step id": ({"plan.yaml": (HEAD + STEP + STEP).encode()}, "plan.yaml", 7, "a"),
    "a missing rollback": (
        {"plan.yaml": (HEAD + "      - id: a\n        kind: sql\n        sql: DROP TABLE users\n").encode()},
        "plan.yaml",
        6,
        "undone",
    ),
    "an unknown kind of step": ({"plan.yaml": (HEAD + "      - {id: a, kind: sleep}\n").encode()}, "plan.yaml", 6, "sleep"),
    "an unknown version": ({"plan.yaml": HEAD.replace("headgate: 1", "headgate: 9").encode()}, "plan.yaml", 1, "9"),
    "no YAML at all": ({"plan.yaml": b"headgate: 1\nname: [unclosed\n"}, "plan.yaml", None, ""),
    "YAML that makes objects": ({"plan.yaml": b"headgate: 1\nname: !!python/object/apply:os.system [id]\n"}, "plan.yaml", 2, ""),
    "YAML that refers to itself": ({"plan.yaml": b"headgate: 1\nname: &a [*a]\n"}, "plan.yaml", 2, ""),
}
BY_CONTENT = [name for name, (files, *_) in BAD.items() if files]


def plans_of(site: Site) -> int:
    with site.world.sessions() as session:
        return session.query(Plan).count()


@pytest.mark.parametrize("name", BY_CONTENT)
def test_an_upload_that_is_wrong_is_refused_with_file_line_and_way_out(site: Site, name: str):
    files, file, line, _ = BAD[name]
    browser = site.browser("author")
    sent = [("files", (path, content)) for path, content in files.items()]
    answer = browser.post("/plans/import", data={"project_id": str(site.world.project.id)}, files=sent)
    assert 400 <= answer.status_code < 500
    assert file in answer.text
    assert line is None or f"line {line}" in answer.text
    assert "Nothing was saved" in answer.text
    assert plans_of(site) == 0
    assert not site.bell.rung


@pytest.mark.parametrize("name", [name for name in BY_CONTENT if all(map(bytes.isascii, BAD[name][0].values()))])
def test_a_script_gets_the_error_object_with_its_place(site: Site, name: str):
    files, file, line, word = BAD[name]
    content = {path: data.decode() for path, data in files.items()}
    body = {"project_id": site.world.project.id, "files": content}
    answer = site.browser("author").post("/api/v1/plans", json=body)
    assert 400 <= answer.status_code < 500, answer.text
    error = answer.json()["error"]
    assert word in error["message"]
    assert error["hint"]
    if file:
        assert error["file"] == file
    assert line is None or error["line"] == line
    assert plans_of(site) == 0


@pytest.mark.parametrize("name", BAD)
def test_the_command_line_ends_with_2_and_touches_nothing(tmp_path: Path, database: Database, capsys, name: str):
    files, file, line, word = BAD[name]
    for path, content in files.items():
        (tmp_path / path).write_bytes(content)
    given = str(tmp_path / "plan.yaml") if "plan.yaml" in files else str(tmp_path)
    for command in (["analyze", given, "--json"], ["apply", given, "--dsn", database.dsn, "--json"]):
        code = main(command)
        out = capsys.readouterr().out
        assert code == 2, out
        error = json.loads(out.splitlines()[-1])["error"]
        assert error["message"]
        assert word in error["message"]
        assert error["hint"]
        assert not file or (error["file"] or "").endswith(file)
        assert line is None or error["line"] == line
    assert database.value("SELECT count(*) FROM pg_namespace WHERE nspname = 'headgate'") == 0


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/v1/plans", {"project_id": "one"}),
        ("/api/v1/plans", [1, 2]),
        ("/api/v1/plans", {"project_id": 1, "files": {"a": 5}}),
        ("/api/v1/targets", {"environment_id": 1}),
        ("/api/v1/targets", {"environment_id": 2**70, "name": "x", "dsn": "host=a"}),
        ("/api/v1/projects", {"name": ""}),
        ("/api/v1/projects", {"name": "a\0b"}),
    ],
)
def test_a_body_of_the_wrong_shape_is_refused_in_the_contracts_form(site: Site, path: str, body: Any):
    answer = site.browser("admin").post(path, json=body)
    assert 400 <= answer.status_code < 500, answer.text
    assert answer.json()["error"]["message"]


@pytest.mark.parametrize(
    ("path", "body"), [("/api/v1/projects", rb'{"name": "\ud800"}'), ("/api/v1/plans", rb'{"project_id": 1, "sql": "\ud800"}')]
)
def test_half_a_character_is_refused_like_a_zero_byte(site: Site, path: str, body: bytes):
    answer = site.browser("admin").post(path, content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 422
    assert "half of a surrogate pair" in answer.json()["error"]["hint"]


@pytest.mark.parametrize("path", ["/plans/99999999999999999999", "/runs/x", "/targets/-1", "/api/v1/runs/99999999999999999999"])
def test_ids_that_can_not_be_are_not_there(site: Site, path: str):
    assert site.browser("admin").get(path).status_code in {404, 422}


@pytest.mark.parametrize(
    "dsn",
    ["postgresql://app:hunter2@[half/shop", "host=a port=none password=hunter2", "hunter2", "postgresql://a:hunter2@h:99999/d"],
)
def test_a_connection_string_that_is_none_is_refused_and_not_repeated(site: Site, dsn: str):
    browser, world = site.browser("admin"), site.world
    body = {"environment_id": world.production.environment_id, "name": "bad", "dsn": dsn}
    answer = browser.post("/api/v1/targets", json=body)
    assert answer.status_code == 422, answer.text
    assert "hunter2" not in answer.text
    form = {"environment_id": str(world.production.environment_id), "name": "bad", "dsn": dsn}
    page = browser.post("/targets", data=form)
    assert page.status_code == 422
    assert "hunter2" not in page.text
    with world.sessions() as session:
        assert session.scalar(text("SELECT count(*) FROM targets WHERE name = 'bad'")) == 0
        assert session.scalar(text("SELECT count(*) FROM audit_log WHERE details::text LIKE '%hunter2%'")) == 0


@pytest.mark.parametrize("verb", ["pause", "resume", "cancel", "retry", "skip", "open-gate", "roll-back"])
def test_a_stale_pages_button_changes_nothing_and_says_how_it_stands(site: Site, verb: str):
    world = site.world
    run = world.started()
    world.driven(run, RunState.ROLLED_BACK)
    form = {"step": "add-note", "text": "Because.", "reason": "Because.", "target": "shop-production", "note": "x"}
    answer = site.browser("operator").post(f"/runs/{run.id}/{verb}", data=form)
    assert answer.status_code in {409, 422}, answer.status_code
    assert "rolled back" in answer.text or answer.status_code == 422
    api = site.browser("operator").post(f"/api/v1/runs/{run.id}/{verb}", json=form)
    assert api.status_code == 409, api.text
    assert "rolled back" in api.json()["error"]["message"]
    assert api.json()["error"]["hint"]
    assert world.run(run).state is RunState.ROLLED_BACK


def test_a_form_that_is_sent_twice_does_it_once(site: Site):
    world = site.world
    run = world.started()
    world.driven(run, RunState.RUNNING, step="add-note", steps={"add-note": "running"})
    browser = site.browser("operator")
    first, second = (browser.post(f"/api/v1/runs/{run.id}/pause") for _ in range(2))
    assert (first.status_code, second.status_code) == (200, 200)
    assert first.json()["state"] == second.json()["state"] == "pausing"
    with world.sessions() as session:
        assert session.scalar(text("SELECT count(*) FROM run_events WHERE type = 'stop_asked'")) == 1
        assert session.scalar(text("SELECT count(*) FROM audit_log WHERE act = 'pause_run'")) == 1


def test_a_role_in_the_request_is_not_believed(site: Site):
    world = site.world
    run = world.started()
    world.driven(run, RunState.RUNNING)
    browser = site.browser("viewer")
    browser.cookies.set("role", "admin")
    forged = {"x-role": "admin", "x-forwarded-user": "admin@shop.test", "x-remote-user": "admin"}
    for path in (f"/runs/{run.id}/cancel", f"/api/v1/runs/{run.id}/cancel"):
        sent = {"json": {"text": "x", "role": "admin"}} if "api" in path else {"data": {"text": "x", "role": "admin"}}
        answer = browser.post(path, headers=forged, **sent)
        assert answer.status_code == 403
        assert "operator" in answer.text or "role" in answer.text
    assert world.run(run).state is RunState.RUNNING


@pytest.mark.parametrize("token", ["", "forged", "hg_" + "A" * 43, "Bearer", "é".encode("latin1").decode("latin1"), "x" * 5000])
def test_a_forged_token_is_nobody_even_beside_a_right_cookie(site: Site, token: str):
    run = site.world.started()
    browser = site.browser("operator")
    header = {"authorization": f"Bearer {token}".encode("latin1")}
    answer = browser.post(f"/api/v1/runs/{run.id}/cancel", headers=header, json={})
    if token:
        assert answer.status_code == 401, answer.text
        assert site.world.run(run).state is RunState.SCHEDULED
    else:
        assert answer.status_code in {200, 401}
    forged = site.stranger()
    forged.cookies.set("headgate", token.encode("ascii", "ignore").decode() or "x")
    assert forged.get("/api/v1/me").status_code == 401


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": f"{ORIGIN}.evil.example"},
        {"origin": ORIGIN, "sec-fetch-site": "cross-site"},
        {"origin": ORIGIN, "sec-fetch-site": "same-site"},
        {"origin": "", "referer": ORIGIN},
    ],
)
def test_a_request_that_another_sites_page_sent_changes_nothing(site: Site, headers: dict[str, str]):
    run = site.world.started()
    browser = site.browser("operator")
    for path in (f"/runs/{run.id}/cancel", f"/api/v1/runs/{run.id}/cancel"):
        answer = browser.post(path, headers=headers, **({"json": {}} if "api" in path else {"data": {}}))
        assert answer.status_code == 403
        assert "another site" in answer.text
    assert site.world.run(run).state is RunState.SCHEDULED


@pytest.mark.parametrize(("sizes", "status", "limit"), [([50 * MIB + 1], 422, "10 MiB"), ([9 * MIB] * 6, 413, "50 MB")])
def test_an_upload_that_is_too_large_is_refused_and_nothing_is_kept(site: Site, sizes: list[int], status: int, limit: str):
    files = [("files", (f"00{number}_a.up.sql", b"-- " + b"x" * (size - 3))) for number, size in enumerate(sizes)]
    browser = site.browser("author")
    answer = browser.post("/plans/import", data={"project_id": str(site.world.project.id)}, files=files)
    assert answer.status_code == status
    assert limit in answer.text
    assert plans_of(site) == 0


def test_an_approval_sent_twice_counts_once(site: Site):
    world = site.world
    plan = world.imported()
    world.looked_at()
    world.analysed(plan)
    world.approved(plan)
    browser = site.browser("approver")
    body = {"digest": world.digest(plan), "note": "Fine."}
    first, second = (browser.post(f"/api/v1/plans/{plan.id}/approve", json=body) for _ in range(2))
    assert first.status_code == 200
    assert second.status_code in {200, 409}
    standing = site.browser("operator").get(f"/api/v1/plans/{plan.id}").json()
    assert "1 of 1" in json.dumps(standing) or "approvals" not in {gap["gate"] for gap in standing["missing"]}


def test_two_people_who_press_start_get_one_run_and_the_second_is_told_who_was_faster(site: Site):
    world = site.world
    plan = world.ready()
    body = {"digest": world.digest(plan)}
    first = site.browser("operator").post(f"/api/v1/plans/{plan.id}/run", json={**body, "request_token": "a"})
    second = site.browser("admin").post(f"/api/v1/plans/{plan.id}/run", json={**body, "request_token": "b"})
    assert (first.status_code, second.status_code) == (201, 409)
    assert "Operator started run" in second.json()["error"]["message"]
    with world.sessions() as session:
        assert session.query(Run).count() == 1
