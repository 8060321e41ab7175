"""What waits for the one who looks: runs that stopped, plans to decide on, plans to mend, plans to start."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, case, exists, or_, select, true

from app.actions.permissions import Permission
from app.actions.work import Actor, Work
from app.run.states import RunState
from app.store.tables import Decision, Person, Plan, Run, Target
from app.store.words import PlanState, Verdict
from app.web.views.run_lines import RunLine, run_lines
from app.web.views.visible import in_sight

#: more than anybody works through from a list
MOST = 50
_STUCK = (RunState.WAITING_GATE, RunState.FAILED, RunState.PAUSED)
#: a run in one of these does not stand in the way of starting the plan again
_UNDONE = (RunState.CANCELLED, RunState.ROLLED_BACK)


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


@dataclass(frozen=True, slots=True)
class _Text:
    """What a need of a plan says."""

    tone: str
    icon: str
    title: str
    sentence: str
    action: str
    path: str


_REVIEW = _Text("is-warn", "eye", "A plan waits for your review", "Written by {author}.", "Review it", "/review")
_AGAIN = _Text(
    "is-warn",
    "history",
    "A plan waits for your review again",
    "The schema of {target} changed since it was approved.",
    "Look again",
    "/review",
)
_REJECTED = _Text(
    "is-bad", "message-square-warning", "Changes were asked for", "The reason stands on the review.", "See the reason", "/review"
)
_APPROVED = _Text(
    "is-warn", "list-checks", "Approved, not started", "The checklist says what is missing.", "Go to the checklist", "/checklist"
)
_TEXTS = {"review": _REVIEW, "again": _AGAIN, "rejected": _REJECTED, "approved": _APPROVED}


def needs_of(work: Work) -> tuple[Need, ...]:
    """Everything that waits for the actor, what waits longest first."""
    stuck = run_lines(work.session, in_sight(work.actor, Plan.project_id), Run.state.in_(_STUCK))
    needs = [_of_run(run) for run in stuck if work.actor.may(run.project_id, Permission.CONTROL_RUN)]
    return tuple(sorted([*needs, *(_of_plan(row) for row in _waiting_plans(work))], key=lambda need: need.since))


def _of_run(run: RunLine) -> Need:
    title, action, tone, icon = {
        RunState.WAITING_GATE: ("A gate waits for you", "Go to the gate", "is-warn", "hand"),
        RunState.FAILED: ("A run failed", "See why", "is-bad", "x"),
    }.get(run.state, ("A run is paused", "Go to the run", "is-warn", "pause"))
    return Need(
        tone=tone,
        icon=icon,
        title=f"{title}: {run.plan}",
        sentence=f"Run {run.id} on {run.target}. {run.reason or ''}".strip(),
        action=action,
        href=f"/runs/{run.id}",
        since=run.state_since,
    )


def _waiting_plans(work: Work) -> list[tuple[Any, ...]]:
    """Plans with the word of what they wait for: the database picks, so that no list is too long for it."""
    actor = work.actor
    is_mine = Plan.author_id == actor.person_id
    about = and_(Decision.revision_id == Plan.current_revision_id, Decision.dismissed_at.is_(None))
    is_of_now = Decision.evidence["catalog_fingerprint"].astext.is_not_distinct_from(Target.schema_fingerprint)
    has_decided = exists().where(about, Decision.person_id == actor.person_id, is_of_now)
    is_stale = exists().where(about, Decision.verdict == Verdict.APPROVE, ~is_of_now)
    has_run = exists().where(Run.revision_id == Plan.current_revision_id, Run.state.not_in(_UNDONE))
    may_decide = and_(_where(actor, Permission.DECIDE), ~is_mine, ~has_decided)
    is_approved = and_(Plan.state == PlanState.APPROVED, ~has_run)
    word = case(
        (and_(Plan.state == PlanState.IN_REVIEW, may_decide), "review"),
        (and_(Plan.state == PlanState.REJECTED, is_mine), "rejected"),
        (and_(is_approved, is_stale, may_decide), "again"),
        (and_(is_approved, ~is_stale, _where(actor, Permission.START_RUN)), "approved"),
    )
    rows = work.session.execute(
        select(Plan, Person.name, Target.name, word)
        .join(Person, Person.id == Plan.author_id)
        .outerjoin(Target, Target.id == Plan.target_id)
        .where(
            in_sight(actor, Plan.project_id),
            or_(Plan.state.in_((PlanState.IN_REVIEW, PlanState.REJECTED)), is_approved),
            word.is_not(None),
        )
        .order_by(Plan.updated_at.desc())
        .limit(MOST)
    )
    return [tuple(row) for row in rows]


def _where(actor: Actor, permission: Permission) -> ColumnElement[bool]:
    """True for plans of projects in which the actor holds a right."""
    return true() if actor.is_admin else Plan.project_id.in_([number for number in actor.roles if actor.may(number, permission)])


def _of_plan(row: tuple[Any, ...]) -> Need:
    plan, author, target, word = row
    text = _TEXTS[word]
    return Need(
        tone=text.tone,
        icon=text.icon,
        title=f"{text.title}: {plan.name}",
        sentence=text.sentence.format(author=author, target=target),
        action=text.action,
        href=f"/plans/{plan.id}{text.path}",
        since=plan.updated_at,
    )
