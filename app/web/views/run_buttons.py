"""What a person may do with a run now, by the table of moves and the person's rights, each with its consequence."""

from dataclasses import dataclass
from typing import Literal

from app.actions.permissions import MINIMUM_ROLE, Permission
from app.actions.work import Actor
from app.review.policy import PROFILES
from app.review.roles import Role
from app.run.states import ACTIVE, Move, RunState, StepState, moves_from
from app.web.views.runs import RunPage

Asks = Literal["", "reason", "note", "target"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Button:
    """One form of the action bar."""

    #: the last part of the address that it is sent to
    verb: str
    label: str
    icon: str
    css: str
    consequence: str
    #: what the form asks for: nothing, a reason, an optional note, or the target's name typed
    asks: Asks = ""
    field_label: str = ""
    #: the form is folded away behind its label
    is_folded: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Speed:
    """A speed that a backfill can be given while it runs."""

    profile: str
    label: str
    icon: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """The whole action bar for one person at one moment."""

    buttons: tuple[Button, ...]
    #: the gate's own form stands beside what it asks
    gate: Button | None
    #: the other speeds, the slowest first; empty where there is nothing to speed up, or not for this person
    speeds: tuple[Speed, ...]
    #: the speed that counts now
    speed: str
    #: True while the run is watched: its checklist and its end are on a page of their own
    is_watched: bool
    #: what this person may not do here, and who may; "" where nothing is withheld
    withheld: str


@dataclass(frozen=True, slots=True)
class _Face:
    verb: str
    label: str
    icon: str
    permission: Permission
    css: str = ""
    asks: Asks = ""
    field_label: str = ""


_CONTROL = Permission.CONTROL_RUN
_FACES: dict[Move, _Face] = {
    Move.OPEN_GATE: _Face("open-gate", "Confirm and go on", "check", Permission.OPEN_GATE, "btn-primary", "note", "Note"),
    Move.RESUME: _Face("resume", "Resume", "play", _CONTROL, "btn-primary"),
    Move.RETRY: _Face("retry", "Retry the step", "rotate-ccw", _CONTROL, "btn-primary"),
    Move.SKIP_STEP: _Face("skip", "Skip the step…", "skip-forward", _CONTROL, "", "reason", "Why it may be skipped"),
    Move.ASK_PAUSE: _Face("pause", "Pause", "pause", _CONTROL),
    Move.ROLL_BACK: _Face("roll-back", "Roll back…", "undo-2", Permission.ROLL_BACK, "btn-danger", "target", "Type the name"),
    Move.ASK_CANCEL: _Face("cancel", "Cancel the run…", "square", _CONTROL, "btn-danger", "reason", "Why"),
}


#: Where stopping and undoing are one decision: elsewhere the run stands still, and rolling back is a button of its own.
_ABORTABLE = frozenset(
    {RunState.RUNNING, RunState.PAUSING, RunState.CANCELLING, RunState.WAITING_TARGET, RunState.WAITING_GATE, RunState.VERIFYING}
)
_ABORT = Button(
    verb="abort",
    label="Abort and roll back…",
    icon="undo-2",
    css="btn-danger",
    consequence="Stops at the next safe point; then a run of its own undoes what was done.",
    asks="target",
    field_label="Type the name",
    is_folded=True,
)


def drives(actor: Actor, page: RunPage) -> bool:
    """True for the one who drives the run; one that has ended is driven by nobody."""
    return page.run.state not in ACTIVE or page.run.driver_id == actor.person_id


def bar_of(actor: Actor, page: RunPage) -> Bar:
    """What this person may do with the run now."""
    state = page.run.state
    found = {button.verb: button for button in buttons(state, actor, page.project_id, is_rollback=page.is_rollback)}
    gate = found.pop("open-gate", None)
    if state in _ABORTABLE and not page.is_rollback and actor.may(page.project_id, Permission.ROLL_BACK):
        found["abort"] = _ABORT
    if not page.back and not page.is_rollback:
        found.pop("roll-back", None)
    if not drives(actor, page):
        found.clear()
    asked = gate_role(page)
    if asked is not None and not (actor.role_in(page.project_id) or Role.VIEWER).includes(asked):
        gate = None
    # a run that failed before a step was tried, or in its verification, has no step to skip
    if page.now is None or page.now.row.state is not StepState.FAILED:
        found.pop("skip", None)
    if page.now is not None and page.now.row.kind == "backup" and page.now.row.state is StepState.RUNNING:
        # the page says why: half of a dump is worth nothing
        found.pop("pause", None)
    is_backfill = page.now is not None and page.now.row.kind == "backfill"
    return Bar(
        buttons=tuple(found.values()),
        gate=gate,
        speeds=speeds(page.speed) if is_backfill and state is RunState.RUNNING and _may_control(actor, page) else (),
        speed=page.speed,
        is_watched=state is RunState.MONITORING,
        withheld=_withheld(actor, page),
    )


def _may_control(actor: Actor, page: RunPage) -> bool:
    return actor.may(page.project_id, _CONTROL) and drives(actor, page)


def buttons(state: RunState, actor: Actor, project_id: int, *, is_rollback: bool) -> tuple[Button, ...]:
    """The buttons of a run in a state, in the order in which they are shown; a rollback run is not rolled back itself."""
    found = []
    for move, face in _FACES.items():
        row = next((row for row in moves_from(state) if row.move is move), None)
        if row is None or not actor.may(project_id, face.permission) or (is_rollback and move is Move.ROLL_BACK):
            continue
        found.append(
            Button(
                verb=face.verb,
                label=face.label,
                icon=face.icon,
                css=face.css,
                consequence=row.reason,
                asks=face.asks,
                field_label=face.field_label,
                is_folded=face.asks in {"reason", "target"},
            )
        )
    return tuple(found)


def speeds(present: str) -> tuple[Speed, ...]:
    """The speeds that are not the present one, the slowest first, each named by what it is against the present one."""
    at = PROFILES.index(present) if present in PROFILES else 1
    return tuple(
        Speed(
            profile=profile,
            label=f"{'Slower' if number < at else 'Faster'}: {profile}",
            icon="chevrons-down" if number < at else "chevrons-up",
        )
        for number, profile in enumerate(PROFILES)
        if number != at
    )


def gate_role(page: RunPage) -> Role | None:
    """The least role that the gate where the run stands asks for; None where it asks for nobody in particular."""
    who = page.now.step.spec.get("who") if page.now and page.now.row.kind == "gate" else None
    return Role(who) if who in set(Role) else None


def _withheld(actor: Actor, page: RunPage) -> str:
    """Said once for the whole bar: the moves that are open now and that this person lacks the right for."""
    asked = gate_role(page)
    if page.run.state is RunState.WAITING_GATE and actor.may(page.project_id, Permission.OPEN_GATE) and asked is not None:
        mine = actor.role_in(page.project_id) or Role.VIEWER
        return "" if mine.includes(asked) else f"This gate is opened by people with the role {asked.value} in {page.project}."
    open_moves = {row.move for row in moves_from(page.run.state)}
    lacking = [
        face
        for move, face in _FACES.items()
        if move in open_moves
        and not actor.may(page.project_id, face.permission)
        and not (page.is_rollback and move is Move.ROLL_BACK)
    ]
    if not lacking:
        return ""
    names = [face.label.replace("…", "").lower() for face in lacking]
    listed = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
    role = MINIMUM_ROLE[lacking[0].permission].value
    return f"You can watch. {listed.capitalize()}: that needs the role {role} in {page.project}."
