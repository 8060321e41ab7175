"""A worker's analysis of a real target: the report, what was found beside it, and the levels of the environment's policy."""

import pytest

from app.actions.analyse_plan import analyse_plan
from app.actions.worker.analyse import analyse
from app.actions.worker.desk import Desk
from app.analysis.registry import RULES_VERSION
from app.store import targets
from app.store.tables import Analysis, Target
from app.store.words import JobState
from app.target.secrets import load_keys
from tests.doubles.databases import Database
from tests.doubles.world import World, a_plan, a_step


@pytest.fixture
def shop(world: World, database: Database) -> World:
    database.execute("CREATE TABLE users (id bigint PRIMARY KEY, nick text); INSERT INTO users VALUES (1, NULL), (2, 'b')")
    with world.sessions.begin() as session:
        row = session.get_one(Target, world.production.id)
        row.sealed_dsn = targets.seal_dsn(load_keys(world.settings), row.id, database.dsn)
    return world


def analysed(world: World) -> Analysis:
    plan = world.imported(a_plan(steps=(a_step("fill", sql="ALTER TABLE users ALTER COLUMN nick SET NOT NULL"),)))
    with world.work("author") as work:
        number = analyse_plan(work, plan_id=plan.id).id
    desk = Desk(engine=world.engine, sessions=world.sessions, settings=world.settings, clock=world.clock, owner="test:1")
    analyse(desk, number, lambda _: None)
    with world.sessions() as session:
        row = session.get_one(Analysis, number)
        assert (row.state, row.details is not None) == (JobState.DONE, True)
        return row


def test_the_rows_the_sessions_and_the_users_are_kept_beside_the_report(shop: World):
    row = analysed(shop)
    assert row.report["risk"] == "high"
    assert row.report["estimates"]["sentence"].startswith("Nothing has run on this server yet")
    (answer,) = row.details["preflight"]
    assert (answer["count"], answer["sample"]) == (1, [["1", None]])
    assert [use["relation"] for use in row.details["uses"]] == ["public.users"]
    assert row.details["running_now"]["at"]
    assert row.rules_version == RULES_VERSION


def test_the_policy_hides_rows_and_gives_rules_their_levels(shop: World):
    shop.policy(shop.production, shows_rows=False, severities={"data-does-not-fit": "medium"})
    row = analysed(shop)
    assert row.details["preflight"][0]["sample"] == []
    assert row.report["risk"] == "medium"
    assert row.rules_version.startswith(f"{RULES_VERSION}-")
