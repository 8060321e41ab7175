"""What starting, retrying and rolling back have in common: their refusals, and the limits that a run keeps."""

from typing import Any

from app.errors import HeadgateError, MovedMeanwhileError
from app.review.policy import EnvironmentPolicy
from app.review.readiness import Missing
from app.store.tables.runs import Run


class NotReadyError(HeadgateError):
    """Something is still missing before this plan may run."""

    status = 409
    exit_code = 1

    def __init__(self, missing: tuple[Missing, ...]) -> None:
        """``missing`` is what the page lists."""
        self.missing = missing
        first = " ".join(f"{item.what}: {item.why}" for item in missing[:3])
        more = f" And {len(missing) - 3} more." if len(missing) > 3 else ""  # noqa: PLR2004  as many as a sentence holds
        super().__init__(f"The plan is not ready to run. {first}{more}", hint="Each item says who or what clears it.")

    def as_json(self) -> dict[str, Any]:
        """The error object with the whole list of what is missing."""
        listed = [
            {"gate": item.gate, "what": item.what, "why": item.why, "clears": item.clears, "can_override": item.can_override}
            for item in self.missing
        ]
        return {**super().as_json(), "missing": listed}


class TargetTakenError(MovedMeanwhileError):
    """Another run holds this target."""

    def __init__(self, run: Run, target: str, starter: str) -> None:
        """``starter`` is the name of the person who started that run."""
        self.run_id = run.id
        super().__init__(
            f"{target} is taken: {starter} started run {run.id}, which is {run.state.words}.",
            hint="One run at a time works on a target. Watch that one, or start again when it has ended.",
        )


class DoneAlreadyError(MovedMeanwhileError):
    """This very revision ran on this target, and what it did stands."""


#: limits of the policy that a run keeps from its start to its end: the fields of app.steps.protocol.LockPolicy
_FROZEN = (
    "lock_timeout_ms",
    "statement_timeout_ms",
    "transaction_timeout_ms",
    "attempts",
    "patience_ms",
    "queue_tolerance_ms",
    "queue_sessions",
)


def frozen_limits(policy: EnvironmentPolicy) -> dict[str, int]:
    """The limits that a run which is started now keeps to its end, by the names of LockPolicy's fields."""
    return {name: getattr(policy, name) for name in _FROZEN}
