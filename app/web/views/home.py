"""The home page: what needs the one who looks, what runs, what is scheduled, what is watched, what was."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import exists, select

from app.actions.permissions import Permission
from app.actions.work import Actor, Work
from app.run.states import RunState
from app.store.tables import Decision, MonitoringItem, Person, Plan, Project, Run, Target
from app.store.words import ItemState, PlanState
from app.web.views.run_lines import RunLine, run_lines
from app.web.views.visible import in_sight

RECENT = 8
_RUNNING = (
    RunState.RUNNING,
    RunState.WAITING_TARGET,
    RunState.PAUSING,
    RunState.CANCELLING,
    RunState.VERIFYING,
    RunState.ROLLING_BACK,
)
_SCHEDULED = (RunState.SCHEDULED, RunState.WAITING_WINDOW)
_STUCK = (RunState.WAITING_GATE, RunState.FAILED, RunState.PAUSED)
_OVER = (RunState.COMPLETED, RunState.CANCELLED, RunState.ROLLED_BACK)


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """One thing that waits for the one who looks."""

    tone: str
    icon: str
    title: str
    sentence: str
    action: str
    href: str
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """A finished run whose figures are watched, with the worst state of each window."""

    run: RunLine
    #: (window in words, class of the worst item)
    windows: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class HomePage:
    """Everything on the home page, in its order."""

    needs: tuple[Need, ...]
    running: tuple[RunLine, ...]
    scheduled: tuple[RunLine, ...]
    watched: tuple[Watched, ...]
    recent: tuple[RunLine, ...]
    has_plans: bool
    has_targets: bool
    has_projects: bool

    @property
    def is_empty(self) -> bool:
        """True where nothing was planned yet."""
        return not self.has_plans


def home_page(work: Work) -> HomePage:
    """What the actor sees first."""
    session, actor = work.session, work.actor
    seen = in_sight(actor, Plan.project_id)
    stuck = run_lines(session, seen, Run.state.in_(_STUCK))
    plans, targets, projects = (
        session.scalar(select(select(column).where(in_sight(actor, project_id)).exists()))
        for column, project_id in ((Plan.id, Plan.project_id), (Target.id, Target.project_id), (Project.id, Project.id))
    )
    return HomePage(
        needs=tuple(sorted([*_run_needs(actor, stuck), *_plan_needs(work)], key=lambda need: need.since)),
        running=tuple(run_lines(session, seen, Run.state.in_(_RUNNING))),
        scheduled=tuple(run_lines(session, seen, Run.state.in_(_SCHEDULED))),
        watched=_watched(work, run_lines(session, seen, Run.state == RunState.MONITORING)),
        recent=tuple(run_lines(session, seen, Run.state.in_(_OVER), limit=RECENT)),
        has_plans=bool(plans),
        has_targets=bool(targets),
        has_projects=bool(projects),
    )


def _run_needs(actor: Actor, stuck: list[RunLine]) -> list[Need]:
    needs = []
    for run in stuck:
        if not actor.may(run.project_id, Permission.CONTROL_RUN):
            continue
        title, action, tone, icon = {
            RunState.WAITING_GATE: ("A gate waits for you", "Go to the gate", "is-warn", "hand"),
            RunState.FAILED: ("A run failed", "See why", "is-bad", "x"),
        }.get(run.state, ("A run is paused", "Go to the run", "is-warn", "pause"))
        needs.append(
            Need(
                tone=tone,
                icon=icon,
                title=f"{title}: {run.plan}",
                sentence=f"Run {run.id} on {run.target}. {run.reason}",
                action=action,
                href=f"/runs/{run.id}",
                since=run.state_since,
            )
        )
    return needs


def _plan_needs(work: Work) -> list[Need]:
    decided = exists().where(
        Decision.revision_id == Plan.current_revision_id,
        Decision.person_id == work.actor.person_id,
        Decision.dismissed_at.is_(None),
    )
    rows = work.session.execute(
        select(Plan, Person.name, decided)
        .join(Person, Person.id == Plan.author_id)
        .where(
            in_sight(work.actor, Plan.project_id), Plan.state.in_((PlanState.IN_REVIEW, PlanState.REJECTED, PlanState.APPROVED))
        )
        .order_by(Plan.updated_at.desc())
        .limit(30)
    ).all()
    under_way = set(work.session.scalars(select(Run.plan_id).where(Run.plan_id.in_([plan.id for plan, _, _ in rows]))))
    needs = [_plan_need(work, plan, author, has_decided=done, has_run=plan.id in under_way) for plan, author, done in rows]
    return [need for need in needs if need is not None]


def _plan_need(work: Work, plan: Plan, author: str, *, has_decided: bool, has_run: bool) -> Need | None:
    actor = work.actor
    is_mine = plan.author_id == actor.person_id
    if plan.state == PlanState.IN_REVIEW and not is_mine and not has_decided and actor.may(plan.project_id, Permission.DECIDE):
        return _need(plan, _REVIEW, f"Written by {author}.")
    if plan.state == PlanState.REJECTED and is_mine:
        return _need(plan, _REJECTED)
    if plan.state == PlanState.APPROVED and not has_run and actor.may(plan.project_id, Permission.START_RUN):
        return _need(plan, _APPROVED)
    return None


@dataclass(frozen=True, slots=True)
class _Text:
    """What a need of a plan says."""

    tone: str
    icon: str
    title: str
    sentence: str
    action: str
    path: str


_REVIEW = _Text("is-warn", "eye", "A plan waits for your review", "", "Review it", "/review")
_REJECTED = _Text(
    "is-bad", "message-square-warning", "Changes were asked for", "The reason stands on the review.", "See the reason", "/review"
)
_APPROVED = _Text(
    "is-warn", "list-checks", "Approved, not started", "The checklist says what is missing.", "Go to the checklist", "/checklist"
)


def _need(plan: Plan, text: _Text, sentence: str = "") -> Need:
    return Need(
        tone=text.tone,
        icon=text.icon,
        title=f"{text.title}: {plan.name}",
        sentence=sentence or text.sentence,
        action=text.action,
        href=f"/plans/{plan.id}{text.path}",
        since=plan.updated_at,
    )


def _watched(work: Work, runs: list[RunLine]) -> tuple[Watched, ...]:
    rows = work.session.execute(
        select(MonitoringItem.run_id, MonitoringItem.window, MonitoringItem.state).where(
            MonitoringItem.run_id.in_([run.id for run in runs])
        )
    ).all()
    worst = [(ItemState.FAILED, "is-bad"), (ItemState.UNKNOWN, "is-warn"), (ItemState.PENDING, ""), (ItemState.PASSED, "is-ok")]
    done = []
    for run in runs:
        windows = []
        for window, words in (("1h", "1 hour"), ("24h", "24 hours"), ("1w", "1 week")):
            states = {state for number, at, state in rows if number == run.id and at == window}
            css = next((css for state, css in worst if state in states), "is-ok" if states else "")
            windows.append((words, css))
        done.append(Watched(run=run, windows=tuple(windows)))
    return tuple(done)
