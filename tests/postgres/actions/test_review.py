"""The review: decisions bound to what was known, dismissed by edits, stale when anything moves, never the author alone."""

from dataclasses import replace

import pytest

from app.actions.accept_finding import accept_finding
from app.actions.approve_plan import approve_plan
from app.actions.change_role import change_role
from app.actions.choose_target import choose_target
from app.actions.deactivate_person import deactivate_person
from app.actions.edit_plan import edit_plan
from app.actions.edit_target import edit_target
from app.actions.request_changes import request_changes
from app.actions.request_review import request_review
from app.actions.tick_item import tick_item
from app.errors import InvalidInputError, MovedMeanwhileError, NotAllowedError
from app.plan.model import Brief
from app.store import plans
from app.store.tables import Decision, Plan, PlanRevision, Tick
from app.store.words import PlanState
from tests.doubles.world import World, a_plan
from tests.postgres.actions.reviewing import approve, missing


def test_as_many_people_as_the_policy_asks_for_approve_a_plan(world: World, plan: Plan):
    approve(world, plan, "approver")
    assert world.plan(plan).state is PlanState.IN_REVIEW
    assert missing(world, plan)["approvals"] == "1 of 2 approvals at high risk."
    approve(world, plan, "second_approver")
    assert world.plan(plan).state is PlanState.APPROVED
    assert "approvals" not in missing(world, plan)


def test_one_person_counts_once_however_often_they_approve(world: World, plan: Plan):
    first = approve(world, plan, "approver")
    assert approve(world, plan, "approver").id == first.id
    approve(world, plan, "approver", note="Looked again")
    with world.sessions() as session:
        assert session.query(Decision).filter(Decision.dismissed_at.is_(None)).count() == 1
    assert missing(world, plan)["approvals"].startswith("1 of 2")


@pytest.mark.parametrize("who", ["author", "admin"])
def test_nobody_approves_what_they_wrote(world: World, who: str):
    own = world.imported(who=who)
    with world.work(who) as work:
        request_review(work, plan_id=own.id)
    with pytest.raises(NotAllowedError):
        approve(world, own, who)


def test_whoever_made_the_last_revision_is_an_author_too(world: World, plan: Plan):
    with world.work("approver") as work:
        edit_plan(work, plan_id=plan.id, content=a_plan("Better"), based_on=world.digest(plan))
    with world.work("author") as work:
        request_review(work, plan_id=plan.id)
    with pytest.raises(NotAllowedError, match="You wrote this revision"):
        approve(world, plan, "approver")


def test_a_draft_is_not_decided_on(world: World):
    with pytest.raises(MovedMeanwhileError, match="draft"):
        approve(world, world.imported(), "approver")


def test_a_decision_is_about_what_the_page_showed(world: World, plan: Plan):
    with pytest.raises(MovedMeanwhileError, match="edited"), world.work("approver") as work:
        approve_plan(work, plan_id=plan.id, digest="0" * 64)


def test_asking_for_changes_needs_a_reason_and_stops_the_plan(world: World, plan: Plan):
    approve(world, plan, "approver")
    with pytest.raises(InvalidInputError) as refused, world.work("second_approver") as work:
        request_changes(work, plan_id=plan.id, digest=world.digest(plan), reason="  ")
    assert set(refused.value.fields) == {"reason"}
    with world.work("second_approver") as work:
        request_changes(work, plan_id=plan.id, digest=world.digest(plan), reason="The index is missing")
    assert world.plan(plan).state is PlanState.REJECTED
    assert missing(world, plan)["approvals"] == "Second Approver asks for changes: The index is missing"


def test_whoever_asked_for_changes_may_be_convinced(world: World, plan: Plan):
    with world.work("approver") as work:
        request_changes(work, plan_id=plan.id, digest=world.digest(plan), reason="Why?")
    approve(world, plan, "approver")
    approve(world, plan, "second_approver")
    assert world.plan(plan).state is PlanState.APPROVED


def test_an_edit_dismisses_the_decisions_on_the_old_revision_and_says_why(world: World, plan: Plan):
    approve(world, plan, "approver")
    with world.work("author") as work:
        edit_plan(
            work, plan_id=plan.id, content=a_plan(sql="ALTER TABLE users ADD COLUMN remark text"), based_on=world.digest(plan)
        )
    with world.sessions() as session:
        decision = session.query(Decision).one()
    assert decision.dismissed_reason == "Revision 2 took its place."
    assert world.plan(plan).state is PlanState.DRAFT
    assert missing(world, plan)["approvals"].startswith("0 of 2")


def test_an_edit_of_steps_withdraws_ticks_that_depend_on_them_and_leaves_the_others(world: World, plan: Plan):
    for item in ("code-deployed", "error-tracking"):
        with world.work("operator") as work:
            tick_item(work, plan_id=plan.id, item_id=item, note="done")
    with world.work("author") as work:
        edit_plan(
            work, plan_id=plan.id, content=a_plan(sql="ALTER TABLE users ADD COLUMN remark text"), based_on=world.digest(plan)
        )
    with world.sessions() as session:
        withdrawn = {tick.item_id: tick.withdrawn_reason for tick in session.query(Tick)}
    assert withdrawn == {"code-deployed": "Revision 2 changed the steps.", "error-tracking": None}


def test_an_edit_of_words_alone_leaves_every_tick(world: World, plan: Plan):
    with world.work("operator") as work:
        tick_item(work, plan_id=plan.id, item_id="code-deployed")
    with world.work("author") as work:
        edit_plan(work, plan_id=plan.id, content=replace(a_plan(), brief=Brief(summary="Notes")), based_on=world.digest(plan))
    with world.sessions() as session:
        assert session.query(Tick).one().withdrawn_at is None


def test_two_authors_who_edit_at_once_do_not_overwrite_each_other(world: World, plan: Plan):
    seen = world.digest(plan)
    with world.work("author") as work:
        edit_plan(work, plan_id=plan.id, content=a_plan("Mine"), based_on=seen)
    with pytest.raises(MovedMeanwhileError, match="Revision 2 was made meanwhile"), world.work("approver") as work:
        edit_plan(work, plan_id=plan.id, content=a_plan("Theirs"), based_on=seen)


def test_an_edit_that_is_sent_twice_makes_one_revision(world: World, plan: Plan):
    seen = world.digest(plan)
    for _ in range(2):
        with world.work("author") as work:
            edit_plan(work, plan_id=plan.id, content=a_plan("Mine"), based_on=seen)
    with world.sessions() as session:
        assert session.query(PlanRevision).filter_by(plan_id=plan.id).count() == 2


def test_accepting_a_finding_is_part_of_the_plan_that_is_approved(world: World, plan: Plan):
    approve(world, plan, "approver")
    with world.work("author") as work:
        accept_finding(
            work, plan_id=plan.id, based_on=world.digest(plan), rule="index-blocks-writes", step="index-note", reason="Ten rows"
        )
    with world.sessions() as session:
        content = plans.content(plans.current(session, plans.get(session, plan.id)))
    assert [(risk.rule, risk.step, risk.reason) for risk in content.accepted] == [
        ("index-blocks-writes", "index-note", "Ten rows")
    ]
    assert missing(world, plan)["approvals"].startswith("0 of 2")


@pytest.mark.parametrize(
    ("what", "sentence"),
    [
        ("schema", "The target's schema changed since."),
        (
            "connection",
            "The target's connection changed since, from db.internal:5432/shopp as app to db.internal:5433/shop as app.",
        ),
        ("rehearsal", "A newer rehearsal had another result."),
        ("rules", "The rules that judge the risk changed since."),
    ],
)
def test_an_approval_is_stale_when_something_moved_and_the_page_says_what(world: World, plan: Plan, what: str, sentence: str):
    approve(world, plan, "approver")
    approve(world, plan, "second_approver")
    assert "approvals" not in missing(world, plan)
    if what == "schema":
        world.looked_at(fingerprint="e" * 64)
    elif what == "connection":
        with world.work("project_admin") as work:
            edit_target(work, target_id=world.production.id, dsn="postgresql://app:swordfish@db.internal:5433/shop")
    elif what == "rehearsal":
        world.rehearsed(plan, after="y")
    else:
        world.analysed(plan, "high", rules="2")
    why = missing(world, plan)["approvals"]
    assert why.startswith("0 of 2 approvals")
    assert f"Approver's approval is stale: {sentence}" in why
    approve(world, plan, "approver")
    assert missing(world, plan)["approvals"].startswith("1 of 2"), "approving again binds to what is known now"


def test_a_rehearsal_with_the_same_result_takes_nothing_away(world: World, plan: Plan):
    approve(world, plan, "approver")
    world.rehearsed(plan)
    assert missing(world, plan)["approvals"] == "1 of 2 approvals at high risk."


def test_a_higher_risk_asks_for_more_approvals_than_were_given(world: World, plan: Plan):
    world.analysed(plan, "low")
    approve(world, plan, "approver")
    assert "approvals" not in missing(world, plan)
    world.analysed(plan, "high")
    assert missing(world, plan)["approvals"] == "1 of 2 approvals at high risk."


def test_an_approver_who_lost_the_role_or_the_account_no_longer_counts(world: World, plan: Plan):
    approve(world, plan, "approver")
    approve(world, plan, "second_approver")
    with world.work("project_admin") as work:
        change_role(work, project_id=world.project.id, person_id=world.people["approver"].id, role="viewer")
    assert "Approver no longer holds the role approver." in missing(world, plan)["approvals"]
    with world.work("admin") as work:
        deactivate_person(work, person_id=world.people["second_approver"].id)
    assert missing(world, plan)["approvals"].startswith("0 of 2")


def test_what_is_not_analysed_for_a_target_is_not_approved_for_it(world: World, plan: Plan):
    with pytest.raises(MovedMeanwhileError, match="not analysed"):
        approve(world, plan, "approver", target_id=world.staging.id)


def test_an_approval_for_staging_is_none_for_production(world: World, plan: Plan):
    world.analysed(plan, target=world.staging)
    approve(world, plan, "approver", target_id=world.staging.id)
    assert missing(world, plan)["approvals"].startswith("0 of 2")
    assert world.plan(plan).state is PlanState.IN_REVIEW


def test_another_target_starts_the_review_again(world: World, plan: Plan):
    with world.work("author") as work:
        choose_target(work, plan_id=plan.id, target_id=world.staging.id)
    assert (world.plan(plan).state, world.plan(plan).target_id) == (PlanState.DRAFT, world.staging.id)


def test_a_policy_without_approvals_approves_at_once(world: World):
    world.policy(world.production, approvals={"low": 0, "medium": 0, "high": 0})
    plan = world.imported()
    world.approved(plan)
    assert world.plan(plan).state is PlanState.APPROVED
