"""What a person may do with a run now, by the table of moves and the person's rights, each with its consequence."""

from dataclasses import dataclass
from typing import Literal

from app.actions.permissions import Permission
from app.actions.work import Actor
from app.run.states import Move, RunState, moves_from


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
    asks: Literal["", "reason", "note", "target"] = ""
    field_label: str = ""
    #: the form is folded away behind its label
    is_folded: bool = False


@dataclass(frozen=True, slots=True)
class _Face:
    verb: str
    label: str
    icon: str
    permission: Permission
    css: str = ""
    asks: Literal["", "reason", "note", "target"] = ""
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
    Move.CLOSE: _Face("close", "End the watch", "check", Permission.MONITOR, "", "note", "What was seen"),
}


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
