"""Another project's ids in every route: what belongs to others is not there, whatever a person is allowed at home."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import text
from starlette.testclient import TestClient

from app.actions.comment import comment
from app.actions.issue_token import issue_token
from app.review.roles import Role
from app.run.states import RunState
from app.store import people
from app.store.tables import Job, Rehearsal
from app.store.tables.backups import Restore
from app.store.tables.plans import Analysis
from tests.web.site import Site

#: what a route's path may name besides the ids of rows
WORDS = {"step_id": "add-note", "item_id": "migration-sql-reviewed", "item": "migration-errors", "name": "x"}


class Names(dict[str, Any]):
    """Ids by the name that a path gives them; words of any other name are made up, ids never."""

    def __missing__(self, name: str) -> str:
        assert not name.endswith("_id"), f"a route has a new kind of id: give the fixture a {name}"
        return "x"


PERSONAL = ("sign_ins", "audit_entries", "alembic_version", "api_tokens")


def routes(site: Site) -> Iterator[tuple[str, str]]:
    """Method and path of every route."""
    for router in site.app.routes:
        contexts = getattr(router, "effective_route_contexts", None)
        for found in contexts() if contexts else ():
            yield from ((method, found.path) for method in found.methods or ())


def minimal_body(site: Site, path: str) -> dict[str, Any]:
    """The smallest JSON that a route takes."""
    document = site.app.openapi()
    posted = document["paths"].get(path, {}).get("post", {}).get("requestBody")
    if posted is None:
        return {}
    body = posted["content"]["application/json"]["schema"]
    if "$ref" not in body:
        return {}  # a body that may be left out
    name = body["$ref"].rpartition("/")[2]
    schema = document["components"]["schemas"][name]
    samples = {"string": "x", "integer": 1, "boolean": True}
    return {field: samples[schema["properties"][field]["type"]] for field in schema.get("required", ())}


@pytest.fixture
def ids(site: Site) -> dict[str, Any]:
    """One row of everything in the project, and a neighbour who is admin of the other one."""
    world = site.world
    run = world.started()
    world.driven(run, RunState.FAILED, step="add-note", steps={"add-note": "failed"})
    backup = world.backed_up()
    with world.work("author") as work:
        said = comment(work, plan_id=run.plan_id, body="Why?")
        issue_token(work, person_id=world.people["author"].id, name="ci")
    with world.sessions.begin() as session:
        people.set_role(session, world.people["outsider"].id, world.other_project.id, Role.ADMIN)
        job = session.query(Job).first()
        restore = Restore(backup_id=backup, new_database="shop_again", requested_by=world.people["operator"].id)
        session.add(restore)
        session.flush()
        return Names(
            {
                "plan_id": run.plan_id,
                "run_id": run.id,
                "project_id": world.project.id,
                "environment_id": world.production.environment_id,
                "target_id": world.production.id,
                "backup_id": backup,
                "restore_id": restore.id,
                "job_id": job.id,
                "comment_id": said.id,
                "token_id": session.scalar(text("SELECT max(id) FROM api_tokens")),
                "person_id": world.people["viewer"].id,
                "analysis_id": session.query(Analysis).first().id,
                "rehearsal_id": session.query(Rehearsal).first().id,
                **WORDS,
            }
        )


def ask(site: Site, browser: TestClient, method: str, path: str, names: dict[str, Any]) -> int:
    """The status of the answer to a route with these names in its path."""
    address = path.format_map(names)
    if method == "GET":
        return browser.get(address).status_code
    if path.startswith("/api/"):
        return browser.post(address, json=minimal_body(site, path)).status_code
    return browser.post(address, data={"digest": "0" * 64, "reason": "x", "step": "add-note", "active": "no"}).status_code


def everything(site: Site) -> dict[str, Any]:
    """The content of every table that a person's own requests don't write."""
    with site.world.sessions() as session:
        names = session.scalars(
            text("SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace")
        )
        return {
            name: session.scalar(
                text(f"SELECT md5(string_agg(t::text, ',' ORDER BY t::text)) FROM {name} AS t")
            )  # our own tables
            for name in names
            if name not in PERSONAL
        }


def test_every_route_answers_a_person_of_another_project_as_if_nothing_was_there(site: Site, ids):
    browser = site.browser("outsider")
    before = everything(site)
    nothing = Names({name: 999_999 if name.endswith("_id") and name not in WORDS else word for name, word in ids.items()})
    seen = {
        f"{method} {path}": (ask(site, browser, method, path, ids), ask(site, browser, method, path, nothing))
        for method, path in routes(site)
        if "{" in path and method not in {"HEAD", "OPTIONS"}
    }
    assert len(seen) > 70
    # 403: only an administrator of everything asks that; 422: refused before anything was looked for
    assert {route: found for route, found in seen.items() if found[0] != found[1] or found[0] not in {404, 403, 422}} == {}
    assert sum(found[0] != 404 for found in seen.values()) <= 8
    assert everything(site) == before


def test_ids_of_another_project_inside_a_request_are_not_there_either(site: Site, ids):
    world, browser = site.world, site.browser("outsider")
    plan = {"name": "Sneaky", "sql": "SELECT 1", "down_sql": "SELECT 1"}
    before = everything(site)
    for path, body in (
        ("/api/v1/plans", {**plan, "project_id": ids["project_id"]}),
        ("/api/v1/plans", {**plan, "project_id": world.other_project.id, "target_id": ids["target_id"]}),
        ("/api/v1/environments", {"project_id": ids["project_id"], "name": "mine"}),
        ("/api/v1/targets", {"environment_id": ids["environment_id"], "name": "mine", "dsn": "postgresql://a@127.0.0.1/b"}),
        ("/api/v1/people", {"project_id": ids["project_id"], "email": "me@x.test", "role": "admin"}),
    ):
        assert browser.post(path, json=body).status_code == 404, path
    form = {"project_id": str(ids["project_id"]), "email": "outsider@shop.test", "role": "admin"}
    assert browser.post("/people/invite", data=form).status_code == 404
    changed = browser.post("/people/role", data={**form, "person_id": str(world.people["outsider"].id)})
    assert changed.status_code == 404
    assert everything(site) == before


def test_nobody_who_is_not_signed_in_gets_an_answer_about_anything(site: Site, ids):
    stranger = site.stranger()
    before = everything(site)
    seen = {}
    for method, path in routes(site):
        if "{" not in path or method in {"HEAD", "OPTIONS"}:
            continue
        address = path.format_map(ids)
        body = {"json": minimal_body(site, path)} if path.startswith("/api/") else {"data": {}}
        answer = stranger.get(address) if method == "GET" else stranger.post(address, **body)
        to_sign_in = answer.status_code == 303 and answer.headers["location"].startswith("/sign-in")
        if not to_sign_in and answer.status_code != 401:
            seen[f"{method} {path}"] = answer.status_code
    assert seen == {}
    assert everything(site) == before
