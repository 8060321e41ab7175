"""A small world in Headgate's own database: a project with staging and production, a person for each role, and units of work."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from pydantic import SecretStr
from sqlalchemy import Engine
from sqlalchemy.orm import Session, sessionmaker

from app.actions.add_target import add_target
from app.actions.approve_plan import approve_plan
from app.actions.create_environment import create_environment
from app.actions.create_project import create_project
from app.actions.drafting import Draft
from app.actions.import_plan import import_plan
from app.actions.request_review import request_review
from app.actions.start_run import start_run
from app.actions.tick_item import tick_item
from app.actions.work import Actor, Wake, Work, headgate
from app.plan.checklist import DEFAULT_CHECKLIST
from app.plan.model import Phase, Plan, Rollback, Step
from app.review.roles import Role
from app.review.ticks import PROVABLE
from app.run.states import RunState
from app.settings import Settings
from app.store import people, plans, runs
from app.store.sessions import make_engine, make_sessions
from app.store.tables import (
    Analysis,
    Backup,
    Environment,
    Person,
    PlanRevision,
    Project,
    Rehearsal,
    Restore,
    Run,
    RunStep,
    SchemaSnapshot,
    Target,
)
from app.store.tables import Plan as PlanRow
from app.store.targets import newest_snapshot
from app.store.words import BackupState, JobState, RestoreState
from tests.doubles.clock import FixedClock
from tests.doubles.databases import Database

KEY = "k1:" + "A" * 43 + "="
FINGERPRINT = "f" * 64
BY_HAND = tuple(item.id for item in DEFAULT_CHECKLIST if item.proof not in PROVABLE)


def a_plan(
    name: str = "Add a note", *, sql: str = "ALTER TABLE users ADD COLUMN note text", steps: tuple[Step, ...] = ()
) -> Plan:
    """A plan of two steps and a gate between them, or of the steps that are given."""
    given = steps or (
        a_step("add-note", sql=sql, undo="ALTER TABLE users DROP COLUMN note"),
        Step(id="ask", kind="gate", title="The release is live", spec={"ask": "The release is live"}),
        a_step("index-note", sql="CREATE INDEX notes ON users (note)", undo="DROP INDEX notes"),
    )
    return Plan(name=name, phases=(Phase(name="expand", steps=given),))


def a_step(step_id: str, *, sql: str = "SELECT 1", undo: str | None = "SELECT 2") -> Step:
    """A step of SQL with its rollback."""
    rollback = None if undo is None else Rollback(grade="lossless", sql=undo)
    return Step(id=step_id, kind="sql", title=step_id, spec={"sql": sql}, rollback=rollback)


@dataclass(kw_only=True)
class World:
    """Names of people: admin, the five roles, a second approver, and an outsider who is operator of another project."""

    sessions: sessionmaker[Session]
    engine: Engine
    settings: Settings
    clock: FixedClock
    people: dict[str, Person] = field(default_factory=dict)
    project: Project | None = None
    other_project: Project | None = None
    staging: Target | None = None
    production: Target | None = None
    wakes: list[Wake] = field(default_factory=list)

    def actor(self, who: str, session: Session, **also: Any) -> Actor:
        """The person with the rights of this moment."""
        if who == "headgate":
            return headgate()
        person = people.get(session, self.people[who].id)
        roles = people.roles_of(session, person.id)
        return Actor(person_id=person.id, name=person.name, is_admin=person.is_admin, roles=roles, address="127.0.0.1", **also)

    @contextmanager
    def work(self, who: str, **also: Any) -> Iterator[Work]:
        """A unit of work of a person, committed at its end."""
        with self.sessions() as session:
            work = Work(session=session, actor=self.actor(who, session, **also), clock=self.clock, settings=self.settings)
            yield work
            session.commit()
        self.wakes += work.wakes

    def imported(self, content: Plan | None = None, *, target: Target | None = None, who: str = "author") -> PlanRow:
        """A plan of the author for production, or for another target."""
        draft = Draft(plan=content or a_plan(), imported=None, source_text=None)
        with self.work(who) as work:
            return import_plan(work, project_id=self.project.id, target_id=(target or self.production).id, draft=draft)

    def revision(self, plan: PlanRow) -> PlanRevision:
        """The newest revision of a plan."""
        with self.sessions() as session:
            return plans.current(session, plans.get(session, plan.id))

    def digest(self, plan: PlanRow) -> str:
        """The digest of its newest revision."""
        return self.revision(plan).digest

    def plan(self, plan: PlanRow) -> PlanRow:
        """The plan as it is now."""
        with self.sessions() as session:
            return plans.get(session, plan.id)

    def run(self, run: Run) -> Run:
        """The run as it is now."""
        with self.sessions() as session:
            return runs.get(session, run.id)

    def analysed(self, plan: PlanRow, risk: str = "low", *, target: Target | None = None, rules: str = "1") -> None:
        """As if a worker had analysed the newest revision."""
        revision, meant = self.revision(plan), target or self.production
        with self.sessions.begin() as session:
            row = plans.queue_analysis(session, revision.id, meant.id, now=self.clock.now())
            row.state, row.report, row.rules_version = JobState.DONE, {"risk": risk}, rules
            row.finished_at = self.clock.now()
            seen = newest_snapshot(session, meant.id)
            row.snapshot_id = seen.id if seen else None

    def rehearsed(self, plan: PlanRow, *, ok: bool = True, target: Target | None = None, after: str = "x") -> None:
        """As if a worker had rehearsed the newest revision."""
        revision, meant = self.revision(plan), target or self.production
        with self.sessions.begin() as session:
            row = plans.queue_rehearsal(session, revision.id, meant.id, now=self.clock.now())
            row.state, row.ok, row.finished_at = JobState.DONE, ok, self.clock.now()
            seen = session.get_one(Target, meant.id).schema_fingerprint
            row.result = {"ok": ok, "schema": {"before": "w", "after": after}, "target_schema": seen}

    def looked_at(self, target: Target | None = None, *, fingerprint: str = FINGERPRINT) -> None:
        """As if a worker had just read the target's schema and figures."""
        with self.sessions.begin() as session:
            row = session.get_one(Target, (target or self.production).id)
            row.schema_fingerprint = fingerprint
            session.add(
                SchemaSnapshot(target_id=row.id, taken_at=self.clock.now(), fingerprint=fingerprint, content={}, statistics={})
            )

    def backed_up(self, target: Target | None = None, *, verified: bool = True) -> int:
        """As if a worker had just finished a backup."""
        now = self.clock.now()
        with self.sessions.begin() as session:
            row = Backup(target_id=(target or self.production).id, state=BackupState.DONE, created_at=now, finished_at=now)
            row.verified_at = now if verified else None
            session.add(row)
            session.flush()
            return row.id

    def restored(self, backup: int, *, state: RestoreState = RestoreState.DONE, new_database: str = "shop_again") -> int:
        """As if a worker had just restored a backup beside the old database."""
        with self.sessions.begin() as session:
            row = Restore(backup_id=backup, new_database=new_database, requested_by=self.people["operator"].id, state=state)
            session.add(row)
            session.flush()
            return row.id

    def approved(self, plan: PlanRow, *who: str, target: Target | None = None) -> None:
        """Ask for the review and let people approve."""
        with self.work("author") as work:
            request_review(work, plan_id=plan.id)
        for name in who:
            with self.work(name) as work:
                approve_plan(work, plan_id=plan.id, digest=self.digest(plan), target_id=target.id if target else None)

    def ready(self, content: Plan | None = None) -> PlanRow:
        """A plan for production for which nothing is missing."""
        plan = self.imported(content)
        self.looked_at()
        self.analysed(plan)
        self.rehearsed(plan)
        self.backed_up()
        self.policy(self.production, staging_first=False)
        self.approved(plan, "approver")
        for item in BY_HAND:
            with self.work("author") as work:
                tick_item(work, plan_id=plan.id, item_id=item)
        return plan

    def started(self, plan: PlanRow | None = None, *, token: str = "", who: str = "operator") -> Run:
        """A run of a plan that is ready."""
        plan = plan or self.ready()
        with self.work(who) as work:
            return start_run(work, plan_id=plan.id, digest=self.digest(plan), request_token=token)

    def driven(self, run: Run, state: RunState, *, step: str | None = None, steps: Mapping[str, str] | None = None) -> None:
        """As if a worker had brought the run into a state."""
        with self.sessions.begin() as session:
            row = session.get_one(Run, run.id)
            row.state, row.current_step, row.started_at = state, step, row.started_at or self.clock.now()
            for step_id, step_state in (steps or {}).items():
                session.get_one(RunStep, (run.id, step_id)).state = step_state

    def policy(self, target: Target, **rules: Any) -> None:
        """Change rules of the target's environment."""
        with self.sessions.begin() as session:
            row = session.get_one(Environment, target.environment_id)
            row.policy = {**row.policy, **rules}


@contextmanager
def a_world(metadata: Database, clock: FixedClock) -> Iterator[World]:
    """The world in a fresh database, gone with it."""
    engine = make_engine(metadata.dsn)
    settings = Settings(database_url=SecretStr(metadata.dsn), secret_keys=SecretStr(KEY), secret_key_file=None)
    world = World(sessions=make_sessions(engine), engine=engine, settings=settings, clock=clock)
    try:
        _fill(world)
        yield world
    finally:
        engine.dispose()


def _fill(world: World) -> None:
    with world.work("headgate") as work:
        world.project = create_project(work, name="Shop")
        world.other_project = create_project(work, name="Other")
        stages = [
            create_environment(work, project_id=world.project.id, name=name, is_production=name == "production")
            for name in ("staging", "production")
        ]
        dsn = "postgresql://app:swordfish@db.internal:5432/shop"
        world.staging, world.production = (
            add_target(work, environment_id=stage.id, name=f"shop-{stage.name}", dsn=dsn + stage.name[:1]) for stage in stages
        )
        for target in (world.staging, world.production):
            target.schema_fingerprint = FINGERPRINT
            target.last_checked_at = world.clock.now()
            target.capabilities = {"has_statements": True, "is_sufficient": True, "missing": []}
        for name in ("admin", *list(Role)[:-1], "second_approver", "outsider"):
            made = people.add(
                work.session,
                email=f"{name}@shop.test",
                name=name.replace("_", " ").title(),
                password_hash=None,
                is_admin=name == "admin",
            )
            world.people[str(name)] = made
        # the administrator of everything is called "admin"; the admin of this project only is "project_admin"
        world.people["project_admin"] = people.add(
            work.session, email="project_admin@shop.test", name="Project Admin", password_hash=None
        )
        for name in Role:
            who = "project_admin" if name is Role.ADMIN else str(name)
            people.set_role(work.session, world.people[who].id, world.project.id, name)
        people.set_role(work.session, world.people["second_approver"].id, world.project.id, Role.APPROVER)
        people.set_role(work.session, world.people["outsider"].id, world.other_project.id, Role.OPERATOR)


def age(world: World, **span: float) -> None:
    """Let time pass."""
    world.clock.advance(timedelta(**span).total_seconds())


__all__ = ["BY_HAND", "FINGERPRINT", "KEY", "Analysis", "Rehearsal", "World", "a_plan", "a_step", "a_world", "age"]
