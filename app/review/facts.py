"""Everything that readiness is judged by, gathered from rows by actions/load_readiness.py: the judging itself is pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from app.plan.checklist import ChecklistItem
from app.review import links
from app.review.approvals import Decided
from app.review.evidence import Evidence
from app.review.policy import EnvironmentPolicy, Risk
from app.run.states import RunState


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupTaken:
    """The newest finished backup of the whole target."""

    id: int
    finished_at: datetime
    #: when pg_restore read its table of contents; None where it was never verified
    verified_at: datetime | None
    #: when a test restore had the rows of the dump; None where none was done
    proven_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlierRun:
    """A completed forward run of the same content in an earlier environment."""

    id: int
    environment: str
    finished_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenRun:
    """A run that holds the target now."""

    id: int
    plan: str
    started_by: str
    state: RunState


@dataclass(frozen=True, slots=True, kw_only=True)
class TickedByHand:
    """A person's tick that nobody withdrew."""

    item_id: str
    person: str
    note: str
    at: datetime
    #: None where it does not age
    lapses_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Overridden:
    """A gate that a person opened by name."""

    gate: str
    person: str
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known about one revision that is to run on one target, at one moment."""

    now: datetime
    plan_id: int
    revision_id: int
    revision_number: int
    is_current: bool
    is_archived: bool = False
    target_id: int
    target: str
    environment: str
    #: False where the plan is meant for another target, and only looked at for this one
    is_own_target: bool = True
    policy: EnvironmentPolicy
    checklist: tuple[ChecklistItem, ...]
    #: who wrote the plan or this revision
    authors: frozenset[int]
    risk: Risk = "unknown"
    #: the analysis that the risk is from; None where there is none for this revision and target
    analysis_id: int | None = None
    #: the error of the newest analysis or rehearsal where it failed
    analysis_error: str | None = None
    #: the target's schema changed since it was analysed, since it was rehearsed
    analysis_is_old: bool = False
    rehearsal_is_old: bool = False
    rehearsal_error: str | None = None
    evidence: Evidence
    decisions: tuple[Decided, ...] = ()
    backup: BackupTaken | None = None
    #: the step that takes a backup before the first change, where the plan has one
    backup_step: str | None = None
    earlier_environments: tuple[str, ...] = ()
    #: a target of the environment just before this one
    earlier_target_id: int | None = None
    earlier_run: EarlierRun | None = None
    #: when the target's sizes and traffic were last read
    figures_at: datetime | None = None
    #: whether the newest rehearsal's rollback restored the schema; None where none ran
    rehearsal_restored: bool | None = None
    #: whether pg_stat_statements can be read; None where the connection was not tested
    has_statements: bool | None = None
    target_error: str | None = None
    target_retired: bool = False
    #: titles of steps that change the target and have no rollback
    without_rollback: tuple[str, ...] = ()
    #: titles of steps whose rollback is graded irreversible
    irreversible: tuple[str, ...] = ()
    ticks: tuple[TickedByHand, ...] = ()
    overrides: Mapping[str, Overridden] = field(default_factory=dict)
    #: the run that holds the target, other than the one that is asked for
    open_run: OpenRun | None = None

    def link(self, part: str = "") -> str:
        """The address of a part of the plan's pages, as it stands for this target."""
        return links.plan(self.plan_id, part, target_id=None if self.is_own_target else self.target_id)
