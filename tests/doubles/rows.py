"""Rows of Headgate's own database that tests begin with: a person, a project with a target, a plan, a run."""

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy.orm import Session

from app.plan.model import Phase, Plan, Rollback, Step
from app.run.states import RunState
from app.store.runs import NewRun, add
from app.store.tables.people import Person
from app.store.tables.plans import Plan as PlanRow
from app.store.tables.plans import PlanRevision
from app.store.tables.runs import Run
from app.store.tables.targets import Environment, Project, Target

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def a_step(
    name: str = "add-role", sql: str = "ALTER TABLE users ADD role text", back: str = "ALTER TABLE users DROP role"
) -> Step:
    return Step(id=name, kind="sql", title=name, spec={"sql": sql}, rollback=Rollback(grade="lossless", sql=back))


def a_plan(*steps: Step, name: str = "Add roles") -> Plan:
    return Plan(name=name, phases=(Phase(name="expand", steps=steps or (a_step(),)),))


@dataclass(frozen=True, kw_only=True)
class Made:
    person: int
    project: int
    environment: int
    target: int
    plan: int
    revision: int


def make_rows(session: Session, plan: Plan | None = None, *, sealed_dsn: str = "sealed", policy: dict | None = None) -> Made:
    plan = plan or a_plan()
    person = Person(email="ada@example.org", name="Ada", password_hash="x", is_admin=True)
    project = Project(name="Shop", slug="shop")
    session.add_all([person, project])
    session.flush()
    environment = Environment(project_id=project.id, name="production", position=1, color="red", policy=policy or {})
    session.add(environment)
    session.flush()
    target = Target(
        project_id=project.id,
        environment_id=environment.id,
        name="shop",
        sealed_dsn=sealed_dsn,
        dsn_summary="localhost/shop as app",
    )
    session.add(target)
    session.flush()
    row = PlanRow(project_id=project.id, name=plan.name, author_id=person.id, target_id=target.id)
    session.add(row)
    session.flush()
    revision = PlanRevision(plan_id=row.id, number=1, digest=plan.digest(), document=plan.as_json(), created_by=person.id)
    session.add(revision)
    session.flush()
    return Made(
        person=person.id,
        project=project.id,
        environment=environment.id,
        target=target.id,
        plan=row.id,
        revision=revision.id,
    )


def make_run(session: Session, made: Made, plan: Plan | None = None, *, state: RunState = RunState.RUNNING) -> Run:
    new = NewRun(plan_id=made.plan, revision_id=made.revision, target_id=made.target, created_by=made.person, now=NOW, options={})
    run = add(session, new, plan or a_plan())
    run.state = state
    session.flush()
    return run
