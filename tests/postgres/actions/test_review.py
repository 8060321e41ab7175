"""The review: decisions bound to what was known, dismissed by edits, stale when anything moves, never the author alone."""

from dataclasses import replace

import pytest

from app.actions.accept_finding import accept_finding
from app.actions.approve_plan import approve_plan
from app.actions.archive_plan import archive_plan
from app.actions.change_role import change_role
from app.actions.choose_target import choose_target
from app.actions.comment import comment
from app.actions.deactivate_person import deactivate_person
from app.actions.edit_plan import edit_plan
from app.actions.edit_target import edit_target
from app.actions.load_readiness import load_facts, load_readiness
from app.actions.override_gate import override_gate
from app.actions.request_changes import request_changes
from app.actions.request_review import request_review
from app.actions.resolve_comment import resolve_comment
from app.actions.start_run import NotReadyError, start_run
from app.actions.tick_item import tick_item
from app.actions.untick_item import untick_item
from app.errors import InvalidInputError, MovedMeanwhileError, NotAllowedError
from app.plan.model import Brief
from app.review.readiness import NotReady, Ready
from app.store import plans, reviews
from app.store.tables import AuditLine, Comment, Decision, Override, Plan, PlanRevision, Tick
from app.store.words import PlanState
from tests.doubles.world import World, a_plan, age


def judged(world: World, plan: Plan, target=None) -> Ready | NotReady:
    with world.sessions() as session:
        found = plans.current(session, plans.get(session, plan.id))
        return load_readiness(session, revision_id=found.id, target_id=(target or world.production).id, now=world.clock.now())


def missing(world: World, plan: Plan, target=None) -> dict[str, str]:
    answer = judged(world, plan, target)
    return {found.gate: found.why for found in answer.missing} if isinstance(answer, NotReady) else {}


def approve(world: World, plan: Plan, who: str, **also) -> Decision:
    with world.work(who) as work:
        return approve_plan(work, plan_id=plan.id, digest=world.digest(plan), **also)


@pytest.fixture
def plan(world: World) -> Plan:
    """In review, analysed as high: two approvals are needed."""
    made = world.imported()
    world.looked_at()
    world.analysed(made, "high")
    world.rehearsed(made)
    world.approved(made)
    return made


def test_as_many_people_as_the_policy_asks_for_approve_a_plan(world: World, plan: Plan):
    approve(world, plan, "approver")
    assert world.plan(plan).state is PlanState.IN_REVIEW
    assert missing(world, plan)["approvals"] == "1 of 2 approvals for risk high."
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
    assert missing(world, plan)["approvals"] == "1 of 2 approvals for risk high."


def test_a_higher_risk_asks_for_more_approvals_than_were_given(world: World, plan: Plan):
    world.analysed(plan, "low")
    approve(world, plan, "approver")
    assert "approvals" not in missing(world, plan)
    world.analysed(plan, "high")
    assert missing(world, plan)["approvals"] == "1 of 2 approvals for risk high."


def test_an_approver_who_lost_the_role_or_the_account_no_longer_counts(world: World, plan: Plan):
    approve(world, plan, "approver")
    approve(world, plan, "second_approver")
    with world.work("project_admin") as work:
        change_role(work, project_id=world.project.id, person_id=world.people["approver"].id, role="viewer")
    assert "Approver no longer holds the role approver." in missing(world, plan)["approvals"]
    with world.work("admin") as work:
        deactivate_person(work, person_id=world.people["second_approver"].id)
    assert missing(world, plan)["approvals"].startswith("0 of 2")


def test_an_approval_for_staging_is_none_for_production(world: World, plan: Plan):
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
