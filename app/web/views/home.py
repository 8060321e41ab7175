"""The home page: what needs the one who looks, what runs, what is scheduled, what is watched, what was."""

from dataclasses import dataclass

from sqlalchemy import select

from app.actions.work import Work
from app.run.states import RunState
from app.store.tables import MonitoringItem, Plan, Project, Run, Target
from app.store.words import ItemState
from app.web.views.needs import Need, needs_of
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
_OVER = (RunState.COMPLETED, RunState.CANCELLED, RunState.ROLLED_BACK)


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
    plans, targets, projects = (
        session.scalar(select(select(column).where(in_sight(actor, project_id)).exists()))
        for column, project_id in ((Plan.id, Plan.project_id), (Target.id, Target.project_id), (Project.id, Project.id))
    )
    return HomePage(
        needs=needs_of(work),
        running=tuple(run_lines(session, seen, Run.state.in_(_RUNNING))),
        scheduled=tuple(run_lines(session, seen, Run.state.in_(_SCHEDULED))),
        watched=_watched(work, run_lines(session, seen, Run.state == RunState.MONITORING)),
        recent=tuple(run_lines(session, seen, Run.state.in_(_OVER), limit=RECENT)),
        has_plans=bool(plans),
        has_targets=bool(targets),
        has_projects=bool(projects),
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
