"""The checklists as data: what must be true before a deploy (F15), what to look at after it (F24), what proves each item."""

from dataclasses import dataclass
from typing import Literal

#: what Headgate can see for itself; an item with a proof ticks and unticks on its own
Proof = Literal[
    "sql_reviewed",
    "rollback_prepared",
    "backup_taken",
    "tested_on_staging",
    "metrics_collected",
    "statements_enabled",
    "no_migration_errors",
    "application_responding",
    "error_rates_steady",
    "queries_steady",
    "no_slow_queries",
    "data_verified",
    "indexes_used",
    "sizes_reasonable",
    "no_orphans",
]
#: monitoring windows, by the names that app.monitoring uses
Window = Literal["1h", "24h", "1w"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChecklistItem:
    """One line of a checklist."""

    #: stable: ticks are stored by it
    id: str
    group: str
    text: str
    #: None where only a person can tell
    proof: Proof | None = None
    #: what the proof looks at, in a sentence; "" where there is none
    evidence: str = ""
    #: for monitoring items
    window: Window | None = None


_DATABASE, _APPLICATION, _MONITORING = "Database", "Application", "Monitoring"

#: before a deploy; a target's environment may have a template of its own, this is the one it starts with
DEFAULT_CHECKLIST: tuple[ChecklistItem, ...] = (
    ChecklistItem(
        id="sql-reviewed",
        group=_DATABASE,
        text="Migration SQL reviewed",
        proof="sql_reviewed",
        evidence="The approvals that policy asks for, given to this revision.",
    ),
    ChecklistItem(
        id="rollback-prepared",
        group=_DATABASE,
        text="Rollback SQL prepared",
        proof="rollback_prepared",
        evidence="Every step that changes something says how it is undone, and the rehearsal has undone it.",
    ),
    ChecklistItem(
        id="backup-taken",
        group=_DATABASE,
        text="Backup taken",
        proof="backup_taken",
        evidence="A verified backup of the target that is not older than its environment allows.",
    ),
    ChecklistItem(
        id="tested-on-staging",
        group=_DATABASE,
        text="Tested on staging",
        proof="tested_on_staging",
        evidence="This revision has run and was verified in the environment before this one.",
    ),
    ChecklistItem(id="code-deployed", group=_APPLICATION, text="Code changes deployed"),
    ChecklistItem(id="environment-updated", group=_APPLICATION, text="Environment variables updated"),
    ChecklistItem(id="cache-cleared", group=_APPLICATION, text="Cache cleared (if needed)"),
    ChecklistItem(
        id="metrics-ready",
        group=_MONITORING,
        text="Database metrics dashboard ready",
        proof="metrics_collected",
        evidence="Headgate read the target's figures within the last day; a run takes its baseline before the first change.",
    ),
    ChecklistItem(
        id="query-performance",
        group=_MONITORING,
        text="Query performance monitoring enabled",
        proof="statements_enabled",
        evidence="pg_stat_statements is installed on the target and readable.",
    ),
    ChecklistItem(id="error-tracking", group=_MONITORING, text="Error tracking configured"),
)

_FIRST_HOUR, _FIRST_DAY, _FIRST_WEEK = "Immediate (0-1 hour)", "Short-term (1-24 hours)", "Long-term (1 week)"

#: after a run, in three windows
MONITORING_CHECKLIST: tuple[ChecklistItem, ...] = (
    ChecklistItem(
        id="no-migration-errors",
        group=_FIRST_HOUR,
        window="1h",
        text="No migration errors",
        proof="no_migration_errors",
        evidence="The run is complete, its checks passed, no index is invalid and no constraint is left unvalidated by it.",
    ),
    ChecklistItem(
        id="application-responding",
        group=_FIRST_HOUR,
        window="1h",
        text="Application responding normally",
        proof="application_responding",
        evidence="Calls and mean time of the statements on the changed tables, against the baseline.",
    ),
    ChecklistItem(
        id="error-rates",
        group=_FIRST_HOUR,
        window="1h",
        text="No increased error rates",
        proof="error_rates_steady",
        evidence="Rollbacks and deadlocks of the database per commit, against the baseline.",
    ),
    ChecklistItem(
        id="query-performance-stable",
        group=_FIRST_DAY,
        window="24h",
        text="Query performance stable",
        proof="queries_steady",
        evidence="Each known statement against its own past and against statements that the migration did not touch.",
    ),
    ChecklistItem(
        id="no-slow-queries",
        group=_FIRST_DAY,
        window="24h",
        text="No slow queries introduced",
        proof="no_slow_queries",
        evidence="Statements that are new since the run, by their mean time.",
    ),
    ChecklistItem(
        id="data-integrity",
        group=_FIRST_DAY,
        window="24h",
        text="Data integrity verified",
        proof="data_verified",
        evidence="The checks of the plan, asked again.",
    ),
    ChecklistItem(
        id="index-usage",
        group=_FIRST_WEEK,
        window="1w",
        text="Index usage as expected",
        proof="indexes_used",
        evidence="Scans of the indexes that the plan made, and of those on the changed tables.",
    ),
    ChecklistItem(
        id="table-size",
        group=_FIRST_WEEK,
        window="1w",
        text="Table size reasonable",
        proof="sizes_reasonable",
        evidence="Size and dead rows of the changed tables, against the baseline.",
    ),
    ChecklistItem(
        id="no-orphans",
        group=_FIRST_WEEK,
        window="1w",
        text="No orphaned data",
        proof="no_orphans",
        evidence="Foreign keys that are not validated, and what expand and contract left behind.",
    ),
)


def groups(items: tuple[ChecklistItem, ...]) -> dict[str, tuple[ChecklistItem, ...]]:
    """The items by group, both in the order of the list."""
    names = dict.fromkeys(item.group for item in items)
    return {name: tuple(item for item in items if item.group == name) for name in names}
