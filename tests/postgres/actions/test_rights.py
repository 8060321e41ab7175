"""Who may do what: every verb against every role, and nobody reaches what belongs to another project."""

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import pytest

import app.actions
from app.actions import (
    abort_run,
    accept_finding,
    analyse_plan,
    apply_recipe,
    approve_plan,
    archive_plan,
    ask_control,
    cancel_run,
    change_role,
    change_speed,
    choose_target,
    close_monitoring,
    comment,
    create_environment,
    create_project,
    deactivate_person,
    edit_environment,
    edit_plan,
    edit_target,
    end_session,
    hand_over_control,
    import_plan,
    invite_person,
    open_gate,
    override_gate,
    pause_run,
    read_schema,
    rehearse_plan,
    request_changes,
    request_review,
    resolve_comment,
    resume_run,
    retire_target,
    retry_step,
    review_control,
    roll_back_run,
    set_monitoring_item,
    skip_step,
    start_run,
    take_control,
    tick_item,
    untick_item,
)
from app.actions import test_target as testing
from app.actions.drafting import Draft
from app.actions.work import Work
from app.embedded.postgres import EmbeddedPostgres
from app.errors import HeadgateError, NotAllowedError, NotFoundError
from app.run.states import RunState
from tests.doubles.clock import FixedClock
from tests.doubles.databases import fresh_database
from tests.doubles.world import World, a_plan, a_world
from tests.postgres.actions.backup_verbs import BACKUP_VERBS

ROLES = ["viewer", "author", "approver", "operator", "project_admin"]
RANK = {"viewer": 0, "author": 1, "approver": 2, "operator": 3, "project_admin": 4, "admin": 5}


@dataclass(frozen=True, kw_only=True)
class Ids:
    """Rows of the project that somebody tries to reach."""

    project: int
    environment: int
    target: int
    plan: int
    digest: str
    run: int
    backup: int
    restore: int
    comment: int
    person: int


def _draft() -> Draft:
    return Draft(plan=a_plan("Another"), imported=None, source_text=None)


def _add_target(work: Work, ids: Ids) -> Any:
    from app.actions.add_target import add_target

    return add_target(work, environment_id=ids.environment, name="replica", dsn="postgresql://db/shop")


#: module -> (the least who may, how it is called); a call may fail for another reason than rights
VERBS: dict[str, tuple[str, Callable[[Work, Ids], Any]]] = {
    "create_project": ("admin", lambda w, i: create_project.create_project(w, name="New")),
    "create_environment": (
        "project_admin",
        lambda w, i: create_environment.create_environment(w, project_id=i.project, name="qa"),
    ),
    "edit_environment": (
        "project_admin",
        lambda w, i: edit_environment.edit_environment(w, environment_id=i.environment, name="prod"),
    ),
    "edit_target": ("project_admin", lambda w, i: edit_target.edit_target(w, target_id=i.target, name="renamed")),
    "retire_target": ("project_admin", lambda w, i: retire_target.retire_target(w, target_id=i.target)),
    "test_target": ("author", lambda w, i: testing.test_target(w, target_id=i.target)),
    "read_schema": ("author", lambda w, i: read_schema.read_schema(w, target_id=i.target)),
    "import_plan": ("author", lambda w, i: import_plan.import_plan(w, project_id=i.project, target_id=i.target, draft=_draft())),
    "edit_plan": ("author", lambda w, i: edit_plan.edit_plan(w, plan_id=i.plan, content=a_plan("Renamed"), based_on=i.digest)),
    "apply_recipe": (
        "author",
        lambda w, i: apply_recipe.apply_recipe(
            w, plan_id=i.plan, based_on=i.digest, step="add-note", statement=1, recipe="add-index"
        ),
    ),
    "accept_finding": (
        "author",
        lambda w, i: accept_finding.accept_finding(w, plan_id=i.plan, based_on=i.digest, rule="r", reason="small"),
    ),
    "choose_target": ("author", lambda w, i: choose_target.choose_target(w, plan_id=i.plan, target_id=i.target)),
    "archive_plan": ("author", lambda w, i: archive_plan.archive_plan(w, plan_id=i.plan)),
    "analyse_plan": ("author", lambda w, i: analyse_plan.analyse_plan(w, plan_id=i.plan)),
    "rehearse_plan": ("author", lambda w, i: rehearse_plan.rehearse_plan(w, plan_id=i.plan)),
    "comment": ("author", lambda w, i: comment.comment(w, plan_id=i.plan, body="Why?")),
    "resolve_comment": ("author", lambda w, i: resolve_comment.resolve_comment(w, comment_id=i.comment)),
    "request_review": ("author", lambda w, i: request_review.request_review(w, plan_id=i.plan)),
    "approve_plan": ("approver", lambda w, i: approve_plan.approve_plan(w, plan_id=i.plan, digest=i.digest)),
    "request_changes": (
        "approver",
        lambda w, i: request_changes.request_changes(w, plan_id=i.plan, digest=i.digest, reason="no"),
    ),
    "tick_item": ("author", lambda w, i: tick_item.tick_item(w, plan_id=i.plan, item_id="error-tracking")),
    "untick_item": ("author", lambda w, i: untick_item.untick_item(w, plan_id=i.plan, item_id="error-tracking")),
    "override_gate": (
        "project_admin",
        lambda w, i: override_gate.override_gate(w, plan_id=i.plan, gate="backup", reason="fire", digest=i.digest),
    ),
    **BACKUP_VERBS,
    "start_run": ("operator", lambda w, i: start_run.start_run(w, plan_id=i.plan, digest=i.digest, request_token="t")),
    "pause_run": ("operator", lambda w, i: pause_run.pause_run(w, run_id=i.run)),
    "resume_run": ("operator", lambda w, i: resume_run.resume_run(w, run_id=i.run)),
    "cancel_run": ("operator", lambda w, i: cancel_run.cancel_run(w, run_id=i.run)),
    "retry_step": ("operator", lambda w, i: retry_step.retry_step(w, run_id=i.run)),
    "skip_step": ("operator", lambda w, i: skip_step.skip_step(w, run_id=i.run, step_id="add-note", reason="no")),
    "open_gate": ("operator", lambda w, i: open_gate.open_gate(w, run_id=i.run, step_id="ask")),
    "roll_back_run": ("operator", lambda w, i: roll_back_run.roll_back_run(w, run_id=i.run, target_name="shop-production")),
    "abort_run": ("operator", lambda w, i: abort_run.abort_run(w, run_id=i.run, target_name="shop-production")),
    "ask_control": ("operator", lambda w, i: ask_control.ask_control(w, run_id=i.run)),
    "hand_over_control": ("operator", lambda w, i: hand_over_control.hand_over_control(w, run_id=i.run, to=i.person)),
    "take_control": ("operator", lambda w, i: take_control.take_control(w, run_id=i.run, reason="fire")),
    "review_control": ("operator", lambda w, i: review_control.review_control(w, run_id=i.run, handover_id=1, note="seen")),
    "end_session": (
        "operator",
        lambda w, i: end_session.end_session(w, run_id=i.run, pid=7, backend_start="2026-03-02T09:00:00Z", reason="old"),
    ),
    "change_speed": ("operator", lambda w, i: change_speed.change_speed(w, run_id=i.run, profile="gentle")),
    "set_monitoring_item": (
        "operator",
        lambda w, i: set_monitoring_item.set_monitoring_item(w, run_id=i.run, item_id="error-rates", window="1h", state="passed"),
    ),
    "close_monitoring": ("operator", lambda w, i: close_monitoring.close_monitoring(w, run_id=i.run)),
    "invite_person": (
        "project_admin",
        lambda w, i: invite_person.invite_person(w, project_id=i.project, email="outsider@shop.test", role="viewer"),
    ),
    "change_role": (
        "project_admin",
        lambda w, i: change_role.change_role(w, project_id=i.project, person_id=i.person, role="author"),
    ),
    "deactivate_person": ("admin", lambda w, i: deactivate_person.deactivate_person(w, person_id=i.person)),
    "add_target": ("project_admin", _add_target),
}
#: verbs about oneself or about nobody's project, each tested in its own module; and modules that are no verbs
ELSEWHERE = {"sign_in", "sign_out", "end_sign_ins", "create_first_admin", "set_password", "issue_token"}
NO_VERBS = {
    "deciding",
    "drafting",
    "driving",
    "load_readiness",
    "load_retention",
    "moving",
    "permissions",
    "queueing",
    "reach",
    "revising",
    "starting",
    "undoing",
    "wording",
    "work",
}


@pytest.fixture(scope="module")
def world(postgres_server: EmbeddedPostgres, metadata_template: str) -> Iterator[World]:
    """One world for the whole module: every attempt is rolled back."""
    with fresh_database(postgres_server, template=metadata_template, prefix="m") as made, a_world(made, FixedClock()) as shared:
        yield shared


@pytest.fixture(scope="module")
def ids(world: World) -> Ids:
    plan = world.ready()
    run = world.started(plan)
    world.driven(run, RunState.PAUSED, step="add-note", steps={"add-note": "succeeded"})
    with world.work("author") as work:
        remark = comment.comment(work, plan_id=plan.id, body="Look here")
    backup = world.backed_up()
    return Ids(
        project=world.project.id,
        environment=world.production.environment_id,
        target=world.production.id,
        plan=plan.id,
        digest=world.digest(plan),
        run=run.id,
        backup=backup,
        restore=world.restored(backup),
        comment=remark.id,
        person=world.people["viewer"].id,
    )


def attempt(world: World, who: str, call: Callable[[Work, Ids], Any], ids: Ids) -> HeadgateError | None:
    """The refusal, if there was one; nothing of it is kept."""
    with world.sessions() as session:
        work = Work(session=session, actor=world.actor(who, session), clock=world.clock, settings=world.settings)
        try:
            call(work, ids)
        except HeadgateError as error:
            return error
        finally:
            session.rollback()
    return None


def test_every_module_of_the_folder_is_a_tested_verb_or_known_to_be_none():
    modules = {path.stem for path in Path(inspect.getfile(app.actions)).parent.glob("*.py")} - {"__init__"}
    assert modules == set(VERBS) | ELSEWHERE | NO_VERBS


@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_is_open_to_its_least_role_and_above_and_to_nobody_below(world: World, ids: Ids, verb: str):
    least, call = VERBS[verb]
    for who in [*ROLES, "admin"]:
        error = attempt(world, who, call, ids)
        is_refused = isinstance(error, NotAllowedError) and "wrote this revision" not in error.message
        assert is_refused == (RANK[who] < RANK[least]), f"{who}: {error}"
        if is_refused:
            assert error.status == 403
            assert error.hint, "it says who can give the right"


@pytest.mark.parametrize("verb", [verb for verb, (least, _) in VERBS.items() if least != "admin"])
def test_for_an_operator_of_another_project_nothing_of_this_one_is_there(world: World, ids: Ids, verb: str):
    error = attempt(world, "outsider", VERBS[verb][1], ids)
    assert isinstance(error, NotFoundError), verb
    assert error.message == NotFoundError().message, "a foreign id and a missing one read the same"


MISSING = Ids(**{field.name: "0" * 64 if field.name == "digest" else 9999 for field in fields(Ids)})


@pytest.mark.parametrize("verb", [verb for verb, (least, _) in VERBS.items() if least != "admin"])
def test_an_id_that_does_not_exist_reads_like_one_of_another_project(world: World, verb: str):
    error = attempt(world, "outsider", VERBS[verb][1], MISSING)
    assert isinstance(error, NotFoundError)
    assert error.message == NotFoundError().message


def test_a_target_of_another_project_can_not_be_smuggled_into_a_plan(world: World):
    from app.actions.add_target import add_target

    with world.work("headgate") as work:
        stage = create_environment.create_environment(work, project_id=world.other_project.id, name="theirs")
        theirs = add_target(work, environment_id=stage.id, name="theirs", dsn="postgresql://db/theirs")
    plan = world.imported()
    ways = (
        lambda w: choose_target.choose_target(w, plan_id=plan.id, target_id=theirs.id),
        lambda w: rehearse_plan.rehearse_plan(w, plan_id=plan.id, target_id=theirs.id),
        lambda w: tick_item.tick_item(w, plan_id=plan.id, item_id="error-tracking", target_id=theirs.id),
        lambda w: start_run.start_run(w, plan_id=plan.id, digest=world.digest(plan), request_token="", target_id=theirs.id),
        lambda w: import_plan.import_plan(w, project_id=world.project.id, target_id=theirs.id, draft=_draft()),
    )
    for way in ways:
        error = attempt(world, "operator", lambda work, _, way=way: way(work), None)
        assert isinstance(error, NotFoundError), error
