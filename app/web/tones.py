"""Which tone and which icon a stored word is shown with: colour is never the only sign."""

from typing import Any, NamedTuple


class Tone(NamedTuple):
    """A class of the stylesheet, an icon, and the word for people."""

    css: str
    icon: str
    word: str


_OK, _MOVING, _WARN, _BAD, _IDLE = "is-ok", "is-moving", "is-warn", "is-bad", "is-idle"
#: (group, stored word) -> tone
TONES: dict[tuple[str, str], Tone] = {
    ("risk", "high"): Tone(_BAD, "octagon-alert", "high risk"),
    ("risk", "medium"): Tone(_WARN, "triangle-alert", "medium risk"),
    ("risk", "low"): Tone(_OK, "circle-check", "low risk"),
    ("risk", "unknown"): Tone(_IDLE, "circle-question-mark", "risk unknown"),
    ("grade", "lossless"): Tone(_OK, "undo-2", "lossless"),
    ("grade", "loses-new-writes"): Tone(_WARN, "triangle-alert", "loses writes made since"),
    ("grade", "irreversible"): Tone(_BAD, "ban", "irreversible"),
    ("plan", "draft"): Tone(_IDLE, "pencil", "draft"),
    ("plan", "in_review"): Tone(_WARN, "eye", "in review"),
    ("plan", "approved"): Tone(_OK, "check", "approved"),
    ("plan", "rejected"): Tone(_BAD, "message-square-warning", "changes requested"),
    ("plan", "not_approved_any_more"): Tone(_WARN, "history", "approval no longer counts"),
    ("plan", "not_approved_here"): Tone(_IDLE, "circle-dashed", "not approved for this target"),
    ("plan", "archived"): Tone(_IDLE, "archive", "archived"),
    ("job", "queued"): Tone(_MOVING, "clock", "queued"),
    ("job", "running"): Tone(_MOVING, "loader", "running"),
    ("job", "done"): Tone(_OK, "check", "done"),
    ("job", "failed"): Tone(_BAD, "x", "failed"),
    ("job", "cancelling"): Tone(_MOVING, "square", "cancelling"),
    ("job", "cancelled"): Tone(_IDLE, "ban", "cancelled"),
    ("job", "deleting"): Tone(_MOVING, "trash-2", "being deleted"),
    ("job", "deleted"): Tone(_IDLE, "trash-2", "deleted"),
    ("restore", "queued"): Tone(_MOVING, "clock", "queued"),
    ("restore", "running"): Tone(_MOVING, "loader", "running"),
    ("restore", "cancelling"): Tone(_MOVING, "square", "cancelling"),
    ("restore", "done"): Tone(_OK, "check", "beside the old one"),
    ("restore", "failed"): Tone(_BAD, "x", "failed"),
    ("restore", "cancelled"): Tone(_IDLE, "ban", "cancelled"),
    ("restore", "swapping"): Tone(_MOVING, "rotate-ccw", "being swapped in"),
    ("restore", "swapped"): Tone(_WARN, "rotate-ccw", "in place of the old one"),
    ("restore", "swapping_back"): Tone(_MOVING, "rotate-ccw", "being swapped back"),
    ("rows", "passed"): Tone(_OK, "check", "same"),
    ("rows", "failed"): Tone(_BAD, "x", "different"),
    ("rows", "unknown"): Tone(_WARN, "circle-question-mark", "not counted"),
    ("run", "scheduled"): Tone(_IDLE, "calendar-clock", "scheduled"),
    ("run", "waiting_window"): Tone(_IDLE, "calendar-clock", "waiting for its window"),
    ("run", "running"): Tone(_MOVING, "play", "running"),
    ("run", "waiting_gate"): Tone(_WARN, "hand", "waiting at a gate"),
    ("run", "waiting_target"): Tone(_WARN, "unplug", "waiting for the target"),
    ("run", "pausing"): Tone(_WARN, "pause", "pausing"),
    ("run", "paused"): Tone(_WARN, "pause", "paused"),
    ("run", "failed"): Tone(_BAD, "x", "failed"),
    ("run", "cancelling"): Tone(_WARN, "square", "cancelling"),
    ("run", "cancelled"): Tone(_IDLE, "ban", "cancelled"),
    ("run", "verifying"): Tone(_MOVING, "scan-search", "verifying"),
    ("run", "monitoring"): Tone(_OK, "eye", "done, being watched"),
    ("run", "completed"): Tone(_OK, "check", "completed"),
    ("run", "rolling_back"): Tone(_WARN, "undo-2", "rolling back"),
    ("run", "rolled_back"): Tone(_IDLE, "undo-2", "rolled back"),
    ("step", "pending"): Tone("is-todo", "circle", "to do"),
    ("step", "running"): Tone(_MOVING, "play", "running"),
    ("step", "waiting"): Tone(_WARN, "hand", "waiting"),
    ("step", "succeeded"): Tone(_OK, "check", "done"),
    ("step", "failed"): Tone(_BAD, "x", "failed"),
    ("step", "skipped"): Tone(_WARN, "skip-forward", "skipped"),
    ("step", "rolled_back"): Tone(_IDLE, "undo-2", "rolled back"),
    ("verdict", "approve"): Tone(_OK, "check", "approved"),
    ("verdict", "request_changes"): Tone(_BAD, "message-square-warning", "asked for changes"),
    ("verification", "passed"): Tone(_OK, "check", "passed"),
    ("verification", "failed"): Tone(_BAD, "x", "failed"),
    ("verification", "unknown"): Tone(_WARN, "circle-question-mark", "could not tell"),
    ("item", "pending"): Tone(_IDLE, "clock", "not due yet"),
    ("item", "passed"): Tone(_OK, "check", "fine"),
    ("item", "failed"): Tone(_BAD, "trending-down", "worse"),
    ("item", "unknown"): Tone(_WARN, "circle-question-mark", "could not tell"),
    ("item", "overridden"): Tone(_WARN, "user-check", "overridden"),
}


def tone(group: str, word: Any) -> Tone:
    """The tone of a stored word; a word that is new here is shown as it is, without colour."""
    name = str(getattr(word, "value", word))
    return TONES.get((group, name)) or Tone(_IDLE, "circle", name.replace("_", " ").replace("-", " "))
