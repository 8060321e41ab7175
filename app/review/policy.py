"""What an environment asks for before a plan may run there, and how a run behaves there: data, edited on its page."""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal

from app.errors import InvalidInputError
from app.review.roles import Role
from app.review.windows import Window, parse_window

Risk = Literal["low", "medium", "high", "unknown"]
RISKS: tuple[Risk, ...] = ("low", "medium", "high")
Profile = Literal["gentle", "balanced", "fast"]
PROFILES: tuple[Profile, ...] = ("gentle", "balanced", "fast")
_MOST_APPROVALS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Approvals:
    """How many people must approve, by the risk of the plan; an unknown risk counts as high."""

    low: int = 1
    medium: int = 1
    high: int = 2

    def needed(self, risk: Risk) -> int:
        """How many for a plan of that risk."""
        return {"low": self.low, "medium": self.medium, "high": self.high, "unknown": self.high}[risk]


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvironmentPolicy:
    """The rules of one environment."""

    approvals: Approvals = Approvals()
    #: the least role of those who count as approvers
    approver_role: Role = Role.APPROVER
    #: ids of items of plan.checklist, or texts of items of one's own; None means the default list
    checklist: tuple[str, ...] | None = None
    backup_required: bool = True
    #: a backup older than this no longer counts
    backup_max_age_minutes: int = 240
    #: so many good backups of a target stay whatever their age
    backups_kept_newest: int = 3
    #: older ones are deleted; 0 keeps all for ever: nothing is deleted until a team says so. The newest good one, and what a run
    #: rests on, stays in any case
    backups_kept_days: int = 0
    rehearsal_required: bool = True
    #: the same revision has to have run in an earlier environment
    staging_first: bool = True
    #: when runs may make changes, in UTC; empty means always
    windows: tuple[Window, ...] = ()
    #: the limits of app.steps.protocol.LockPolicy, whose words they are
    lock_timeout_ms: int = 2000
    #: 0 means none
    statement_timeout_ms: int = 0
    transaction_timeout_ms: int = 0
    #: how often a lock is tried
    attempts: int = 30
    #: how long a run waits outside the queue for an old transaction, or for a target that is away
    patience_ms: int = 600_000
    queue_tolerance_ms: int = 3000
    queue_sessions: int = 10
    profile: Profile = "balanced"
    #: how long one question to the rows may take before a run (preflight); 0 asks none
    preflight_timeout_ms: int = 5000
    #: False: no row, no value and no other session's statement is kept or shown, only counts
    shows_rows: bool = True
    #: rule id -> the level that its findings have here, whatever was judged
    severities: Mapping[str, Risk] = field(default_factory=dict)

    @property
    def severities_digest(self) -> str:
        """Names this set of levels, so that what was judged under another one is known to be old; empty where there is none."""
        if not self.severities:
            return ""
        text = "\n".join(f"{rule} {level}" for rule, level in sorted(self.severities.items()))
        return hashlib.sha256(text.encode()).hexdigest()[:8]

    def as_json(self) -> dict[str, Any]:
        """The policy as JSON values: what is stored."""
        content = asdict(self)
        content["approver_role"] = self.approver_role.value
        content["windows"] = [window.as_json() for window in self.windows]
        content["checklist"] = None if self.checklist is None else list(self.checklist)
        content["severities"] = dict(self.severities)
        return content

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "EnvironmentPolicy":
        """The policy that was stored, or that a form sent; what is left out has its default.

        Raises InvalidInputError that names every field that is wrong.
        """
        known = {each.name for each in fields(cls)}
        wrong = {name: "There is no such rule." for name in content if name not in known}
        values: dict[str, Any] = {}
        for name in known & content.keys():
            try:
                values[name] = _READERS.get(name, _whole_number)(content[name])
            except (ValueError, TypeError, KeyError) as error:
                wrong[name] = str(error)
        if wrong:
            raise InvalidInputError("The policy is not valid: " + "; ".join(f"{k}: {v}" for k, v in wrong.items()), fields=wrong)
        return cls(**values)


PRODUCTION = EnvironmentPolicy()
STAGING = EnvironmentPolicy(
    approvals=Approvals(low=0, medium=1, high=1), backup_required=False, rehearsal_required=False, staging_first=False
)
DEVELOPMENT = EnvironmentPolicy(
    approvals=Approvals(low=0, medium=0, high=0),
    checklist=(),
    backup_required=False,
    rehearsal_required=False,
    staging_first=False,
)


def default_policy(name: str, *, is_production: bool) -> EnvironmentPolicy:
    """What a new environment begins with, by its kind and, where it is not production, by its name."""
    if is_production:
        return PRODUCTION
    return DEVELOPMENT if name.lower() in {"development", "dev", "local", "test", "testing", "ci"} else STAGING


def _approvals(value: Any) -> Approvals:
    counts = {name: _whole_number(count) for name, count in dict(value).items()}
    if unknown := counts.keys() - {"low", "medium", "high"}:
        raise ValueError(f"There is no risk {', '.join(sorted(unknown))}.")
    if any(count > _MOST_APPROVALS for count in counts.values()):
        raise ValueError(f"More than {_MOST_APPROVALS} approvals can't be asked for.")
    return Approvals(**counts)


def _whole_number(value: Any) -> int:
    if isinstance(value, bool) or not str(value).isdigit():
        raise ValueError("It has to be a whole number from 0.")
    return int(value)


def _truth(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError("It has to be true or false.")
    return value


def _role(value: Any) -> Role:
    try:
        return Role(value)
    except ValueError:
        raise ValueError(f"The roles are {', '.join(Role)}.") from None


def _profile(value: Any) -> Profile:
    if value not in PROFILES:
        raise ValueError(f"The profiles are {', '.join(PROFILES)}.")
    return PROFILES[PROFILES.index(value)]


def _checklist(value: Any) -> tuple[str, ...] | None:
    if value is None:
        return None
    if isinstance(value, str) or not all(isinstance(item, str) and item.strip() for item in value):
        raise ValueError("It has to be a list of item ids and texts.")
    return tuple(dict.fromkeys(item.strip() for item in value))


def _severities(value: Any) -> dict[str, Risk]:
    """A mapping, or a list of pairs as a form sends it."""
    pairs = list(value.items()) if isinstance(value, Mapping) else list(value)
    levels: dict[str, Risk] = {}
    for pair in pairs:
        if isinstance(pair, str) or len(pair) != 2:  # noqa: PLR2004  # a pair
            raise ValueError(f"“{pair if isinstance(pair, str) else ' '.join(pair)}” is no rule with a level.")
        rule, level = str(pair[0]), str(pair[1])
        if level not in RISKS:
            raise ValueError(f"{rule} can't be {level}: the levels are {', '.join(RISKS)}.")
        levels[rule] = RISKS[RISKS.index(level)]
    return levels


_READERS: dict[str, Any] = {
    "approvals": _approvals,
    "approver_role": _role,
    "checklist": _checklist,
    "backup_required": _truth,
    "rehearsal_required": _truth,
    "staging_first": _truth,
    "windows": lambda value: tuple(parse_window(window) for window in value),
    "profile": _profile,
    "shows_rows": _truth,
    "severities": _severities,
}
