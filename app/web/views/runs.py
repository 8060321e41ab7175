"""One run as its page shows it: header, timeline, the current step, signals; what may be done with it is in run_buttons."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.actions.permissions import Permission
from app.actions.work import Work
from app.errors import NotFoundError
from app.plan.model import Plan as Content
from app.run.states import DRIVEN, FINISHED, RunState, StepState
from app.store.tables import Environment, Person, Plan, PlanRevision, Project, Run, RunStep, Target
from app.store.words import Direction
from app.web.formats import milliseconds
from app.web.views.run_certificates import Certificate, certificates_of
from app.web.views.run_now import Now, now_of
from app.web.views.run_outcome import Outcome, outcome_of
from app.web.views.run_timeline import Near, TimelineRow, near, timeline_of
from app.web.views.signals import Signal, application_signal
from app.web.views.way_back import Choice, choices

_DONE = (StepState.SUCCEEDED, StepState.SKIPPED, StepState.ROLLED_BACK)
#: a page without JavaScript asks again so often while a worker drives the run, and while it waits for people
_REFRESH_MOVING, _REFRESH_WAITING = 3, 20


@dataclass(frozen=True, slots=True, kw_only=True)
class RunPage:
    """Everything about one run that is the same for everybody who looks."""

    run: Run
    plan_id: int
    plan: str
    revision: int
    digest: str
    project: str
    project_id: int
    target: str
    target_id: int
    server_version: str | None
    environment: str
    #: a word of actions.wording.COLORS
    environment_color: str
    is_production: bool
    by: str
    is_rollback: bool
    #: of a forward run that is being undone or was: the newest run that undoes it
    rollback_run_id: int | None
    timeline: tuple[TimelineRow, ...]
    steps_done: int
    now: Now | None
    #: what the application on the target feels, where one says so
    application: Signal | None
    #: how it went; None while there is something left to do
    outcome: Outcome | None
    #: what proves the end of its backfills
    certificates: tuple[Certificate, ...]
    #: the number of the newest line
    number: int
    #: what may be rolled back of it; empty for a rollback, and where nothing is there to undo
    back: tuple[Choice, ...] = ()

    @property
    def is_live(self) -> bool:
        """True where something may still move: by a worker or by a person."""
        return self.run.state not in FINISHED

    @property
    def refresh_seconds(self) -> int | None:
        """How often a page without JavaScript asks again; a form that is being filled in must have time."""
        if not self.is_live or self.run.state is RunState.MONITORING:
            return None
        return _REFRESH_MOVING if self.run.state in DRIVEN else _REFRESH_WAITING

    @property
    def near(self) -> Near:
        """The timeline in three parts: what is shown, and what is folded away around it."""
        return near(self.timeline)

    @property
    def speed(self) -> str:
        """How fast its backfills go: gentle, balanced, fast."""
        return str(self.run.options.get("profile", "balanced"))

    @property
    def limits(self) -> tuple[tuple[str, str], ...]:
        """What this run keeps to from its start to its end."""
        locks = self.run.options.get("locks") or {}
        found = [("Backfills", self.speed)]
        if locks:
            timeout = locks.get("statement_timeout_ms")
            found = [
                ("A lock wait ends after", f"{milliseconds(locks.get('lock_timeout_ms'))}, {locks.get('attempts')} tries"),
                ("Waits for old transactions", f"up to {milliseconds(locks.get('patience_ms'))}"),
                ("A statement ends after", milliseconds(timeout) if timeout else "no limit"),
                *found,
            ]
        rate = self.run.options.get("max_rate")
        return (*found, ("Rows a second", f"at most {rate:,}")) if rate else tuple(found)

    @property
    def has_watch(self) -> bool:
        """True where there are figures of before and after to look at."""
        return not self.is_rollback and self.run.finished_at is not None


def load_run(session: Session, run_id: int, *, folder: Path | None = None) -> RunPage:
    """The run's page; ``folder`` is where an application may report what it feels. Raises NotFoundError."""
    row = session.execute(
        select(Run, Plan, PlanRevision, Target, Environment, Project.name, Person.name)
        .join(Plan, Plan.id == Run.plan_id)
        .join(PlanRevision, PlanRevision.id == Run.revision_id)
        .join(Target, Target.id == Run.target_id)
        .join(Environment, Environment.id == Target.environment_id)
        .join(Project, Project.id == Target.project_id)
        .join(Person, Person.id == Run.created_by)
        .where(Run.id == run_id)
    ).one_or_none()
    if row is None:
        raise NotFoundError("There is no such run, or it belongs to a project you are not a member of.")
    run, plan, revision, target, environment, project, person = row
    content = Content.from_json(revision.document)
    steps = list(session.scalars(select(RunStep).where(RunStep.run_id == run_id).order_by(RunStep.position)))
    timeline = timeline_of(session, run, content, steps)
    return RunPage(
        run=run,
        plan_id=plan.id,
        plan=plan.name,
        revision=revision.number,
        digest=revision.digest,
        project=project,
        project_id=target.project_id,
        target=target.name,
        target_id=target.id,
        server_version=target.server_version,
        environment=environment.name,
        environment_color=environment.color,
        is_production=environment.is_production,
        by=person,
        is_rollback=run.direction is Direction.ROLLBACK,
        rollback_run_id=_rollback_of(session, run),
        timeline=timeline,
        steps_done=sum(row.state in _DONE for row in timeline),
        now=now_of(session, run, content, timeline, steps),
        application=application_signal(folder, target) if run.state not in FINISHED else None,
        outcome=outcome_of(session, run) if run.finished_at or run.state in FINISHED else None,
        certificates=certificates_of(steps),
        number=run.event_number,
        back=choices(content, _not_undone(session, run, steps)) if run.direction is Direction.FORWARD else (),
    )


def run_page(work: Work, run_id: int) -> RunPage:
    """The run's page for somebody who may see it; Raises NotFoundError."""
    page = load_run(work.session, run_id, folder=work.settings.data_dir)
    work.actor.require(page.project_id, Permission.VIEW)
    return page


def _not_undone(session: Session, run: Run, steps: Sequence[RunStep]) -> list[RunStep]:
    """Steps but those that a rollback to its end looked at already: it undid them, or found nothing to undo."""
    if run.state is not RunState.ROLLED_BACK:
        return list(steps)
    undoing = select(Run.id).where(Run.forward_run_id == run.id, Run.state == RunState.COMPLETED)
    seen = set(session.scalars(select(RunStep.step_id).where(RunStep.run_id.in_(undoing))))
    return [step for step in steps if step.step_id not in seen]


def _rollback_of(session: Session, run: Run) -> int | None:
    if run.state not in (RunState.ROLLING_BACK, RunState.ROLLED_BACK, RunState.FAILED):
        return None
    return session.scalar(select(Run.id).where(Run.forward_run_id == run.id).order_by(Run.id.desc()).limit(1))
