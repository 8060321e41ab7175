"""The checklist, overrides and comments: what a person ticks, what Headgate proves, what one named person may open."""

import pytest

from app.actions.archive_plan import archive_plan
from app.actions.comment import comment
from app.actions.edit_plan import edit_plan
from app.actions.load_readiness import load_facts
from app.actions.override_gate import override_gate
from app.actions.request_changes import request_changes
from app.actions.request_review import request_review
from app.actions.resolve_comment import resolve_comment
from app.actions.start_run import start_run
from app.actions.starting import NotReadyError
from app.actions.tick_item import tick_item
from app.actions.untick_item import untick_item
from app.errors import InvalidInputError, MovedMeanwhileError, NotAllowedError
from app.review.readiness import Ready
from app.store import reviews
from app.store.tables import AuditLine, Comment, Override, Plan
from app.store.words import PlanState
from tests.doubles.world import World, a_plan, age
from tests.postgres.actions.reviewing import judged, missing


def test_a_tick_of_a_person_counts_until_it_is_taken_back(world: World, plan: Plan):
    with world.work("operator") as work:
        tick = tick_item(work, plan_id=plan.id, item_id="cache-cleared", note="No cache here")
        assert tick_item(work, plan_id=plan.id, item_id="cache-cleared").id == tick.id
    status = next(status for status in judged(world, plan).checklist if status.item.id == "cache-cleared")
    assert (status.is_ticked, status.by, status.note) == (True, "Operator", "No cache here")
    with world.work("author") as work:
        assert untick_item(work, plan_id=plan.id, item_id="cache-cleared")
        assert not untick_item(work, plan_id=plan.id, item_id="cache-cleared")
    assert "checklist:cache-cleared" in missing(world, plan)


def test_nobody_ticks_by_hand_what_headgate_proves_itself(world: World, plan: Plan):
    with pytest.raises(MovedMeanwhileError, match="ticks itself"), world.work("admin") as work:
        tick_item(work, plan_id=plan.id, item_id="backup-taken")


def test_items_that_headgate_proves_tick_themselves_and_lapse(world: World, plan: Plan):
    def backup():
        return next(status for status in judged(world, plan).checklist if status.item.id == "backup-taken")

    assert (backup().is_ticked, backup().text) == (False, "There is no backup of shop-production yet.")
    number = world.backed_up()
    assert (backup().is_ticked, backup().by, backup().href) == (True, "headgate", f"/backups/{number}")
    age(world, minutes=239)
    assert backup().is_ticked
    age(world, minutes=1)
    assert (backup().is_ticked, backup().text) == (False, "The newest backup is 4 h old; here it may be 4 h old.")


def test_a_backup_that_was_never_verified_proves_nothing(world: World, plan: Plan):
    world.backed_up(verified=False)
    assert "was not verified" in missing(world, plan)["backup"]


def test_an_environment_may_have_items_of_its_own(world: World, plan: Plan):
    world.policy(world.production, checklist=["backup-taken", "The on-call engineer knows"])
    own = judged(world, plan).checklist[1].item
    assert own.text == "The on-call engineer knows"
    with world.work("operator") as work:
        tick_item(work, plan_id=plan.id, item_id=own.id)
    assert f"checklist:{own.id}" not in missing(world, plan)


def test_an_override_opens_one_gate_by_name_and_stays_visible(world: World):
    plan = world.ready()
    world.policy(world.production, staging_first=True)
    assert set(missing(world, plan)) == {"staging_first"}
    with world.work("project_admin") as work:
        override_gate(work, plan_id=plan.id, gate="staging_first", reason="Staging is down", digest=world.digest(plan))
    answer = judged(world, plan)
    assert isinstance(answer, Ready)
    assert [found.gate for found in answer.overridden] == ["staging_first"]
    item = next(status for status in answer.checklist if status.item.id == "tested-on-staging")
    assert (item.is_ticked, item.is_overridden, item.by, item.text) == (
        True,
        True,
        "Project Admin",
        "Overridden: Staging is down",
    )
    with world.work("operator") as work:
        start_run(work, plan_id=plan.id, digest=world.digest(plan), request_token="")
    with world.sessions() as session:
        line = session.query(AuditLine).filter_by(act="start_run").one()
    assert line.details["overridden"] == ["staging_first"]


def test_an_override_is_for_one_revision_alone(world: World):
    plan = world.ready()
    world.policy(world.production, staging_first=True)
    with world.work("project_admin") as work:
        override_gate(work, plan_id=plan.id, gate="staging_first", reason="Staging is down", digest=world.digest(plan))
    with world.work("author") as work:
        edit_plan(work, plan_id=plan.id, content=a_plan("Other"), based_on=world.digest(plan))
    assert "staging_first" in missing(world, plan)


def test_an_override_needs_a_reason_and_a_gate_that_is_shut(world: World):
    plan = world.ready()
    with pytest.raises(InvalidInputError), world.work("project_admin") as work:
        override_gate(work, plan_id=plan.id, gate="backup", reason="", digest=world.digest(plan))
    with world.work("project_admin") as work:
        assert override_gate(work, plan_id=plan.id, gate="backup", reason="fire", digest=world.digest(plan)) is None
    with world.sessions() as session:
        assert session.query(Override).count() == 0


def test_nobody_overrides_what_could_not_work_anyway(world: World):
    plan = world.ready()
    with world.sessions.begin() as session:
        session.merge(world.production).last_error = {"message": "password authentication failed"}
    with pytest.raises(InvalidInputError, match="can't be overridden"), world.work("admin") as work:
        override_gate(work, plan_id=plan.id, gate="target", reason="fire", digest=world.digest(plan))


def test_an_author_does_not_stand_in_for_the_approvals_of_their_own_plan(world: World):
    plan = world.imported(who="admin")
    with pytest.raises(NotAllowedError, match="stand in"), world.work("admin") as work:
        override_gate(work, plan_id=plan.id, gate="approvals", reason="fire", digest=world.digest(plan))


def test_a_target_whose_test_failed_is_in_the_way(world: World):
    plan = world.ready()
    with world.sessions.begin() as session:
        session.merge(world.production).last_error = {"message": "password authentication failed"}
    with pytest.raises(NotReadyError, match="password authentication failed"):
        world.started(plan)


def test_an_archived_plan_is_neither_reviewed_nor_run(world: World):
    plan = world.ready()
    with world.work("author") as work:
        archive_plan(work, plan_id=plan.id)
    with pytest.raises(MovedMeanwhileError), world.work("author") as work:
        request_review(work, plan_id=plan.id)
    assert set(missing(world, plan)) == {"archived"}
    with world.work("author") as work:
        archive_plan(work, plan_id=plan.id, away=False)
    assert world.plan(plan).state is PlanState.DRAFT


def test_a_plan_whose_run_is_under_way_is_not_put_away(world: World):
    plan = world.ready()
    world.started(plan)
    with pytest.raises(MovedMeanwhileError, match="under way"), world.work("author") as work:
        archive_plan(work, plan_id=plan.id)


def test_answers_stand_in_the_thread_of_the_first_comment(world: World, plan: Plan):
    with world.work("approver") as work:
        first = comment(work, plan_id=plan.id, body="Why here?", step_id="add-note", line=1)
    with world.work("author") as work:
        answer = comment(work, plan_id=plan.id, body="Because.", parent_id=first.id)
        deeper = comment(work, plan_id=plan.id, body="Really.", parent_id=answer.id)
    assert (deeper.parent_id, deeper.step_id, deeper.line) == (first.id, "add-note", 1)
    with world.work("author") as work:
        resolve_comment(work, comment_id=deeper.id)
        resolve_comment(work, comment_id=deeper.id)
    with world.sessions() as session:
        assert session.get_one(Comment, first.id).resolved_by == world.people["author"].id
        assert [body for (body,) in session.query(Comment.body).order_by(Comment.id)] == ["Why here?", "Because.", "Really."]
        assert [name for _, name in reviews.comments(session, plan.id)] == ["Approver", "Author", "Author"]


@pytest.mark.parametrize(("step_id", "body"), [("no-such-step", "Why?"), (None, " "), (None, "x" * 20_001), (None, "a\x00b")])
def test_a_comment_without_words_or_about_nothing_is_refused(world: World, plan: Plan, step_id: str | None, body: str):
    with pytest.raises(InvalidInputError), world.work("author") as work:
        comment(work, plan_id=plan.id, body=body, step_id=step_id)


def test_the_facts_name_everybody_who_wrote_it(world: World, plan: Plan):
    with world.work("operator") as work:
        edit_plan(work, plan_id=plan.id, content=a_plan("Better"), based_on=world.digest(plan))
    with world.sessions() as session:
        facts = load_facts(session, revision_id=world.revision(plan).id, target_id=world.production.id, now=world.clock.now())
    assert facts.authors == {world.people["author"].id, world.people["operator"].id}


def test_what_was_sent_back_is_not_asked_for_again_without_a_change(world: World, plan: Plan):
    with world.work("approver") as work:
        request_changes(work, plan_id=plan.id, digest=world.digest(plan), reason="Why?")
    with pytest.raises(MovedMeanwhileError, match="Approver asked for changes"), world.work("author") as work:
        request_review(work, plan_id=plan.id)
    with world.work("author") as work:
        edit_plan(work, plan_id=plan.id, content=a_plan("Better"), based_on=world.digest(plan))
    world.approved(plan)
    assert world.plan(plan).state is PlanState.IN_REVIEW


def test_a_comment_that_is_sent_twice_is_one_and_the_same_words_elsewhere_are_another(world: World, plan: Plan):
    def say(**also) -> int:
        with world.work("approver") as work:
            return comment(work, plan_id=plan.id, body="Why?", **also).id

    assert say() == say()
    assert say(step_id="add-note") != say()
    age(world, minutes=2)
    later = say()
    assert say() == later
    with world.sessions() as session:
        assert session.query(Comment).count() == 3
