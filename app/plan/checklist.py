"""What has to be true before a run and after it: the default lists, each item with the proof that ticks it where there is one."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ChecklistItem:
    """One item of a checklist."""

    #: stable: ticks and policies name it
    id: str
    #: the heading it stands under
    group: str
    text: str
    #: the name of what Headgate can find out by itself; None where a person has to say so
    proof: str | None = None


#: Before a run (F15); an environment's policy may name a part of it and add items of its own.
DEFAULT_CHECKLIST: tuple[ChecklistItem, ...] = (
    ChecklistItem(id="sql_reviewed", group="Database", text="Migration SQL reviewed", proof="sql_reviewed"),
    ChecklistItem(id="rollback_prepared", group="Database", text="Rollback SQL prepared", proof="rollback_prepared"),
    ChecklistItem(id="backup_taken", group="Database", text="Backup taken", proof="backup_taken"),
    ChecklistItem(id="tested_on_staging", group="Database", text="Tested on staging", proof="tested_on_staging"),
    ChecklistItem(id="code_deployed", group="Application", text="Code changes deployed"),
    ChecklistItem(id="variables_updated", group="Application", text="Environment variables updated"),
    ChecklistItem(id="cache_cleared", group="Application", text="Cache cleared"),
    ChecklistItem(id="dashboard_ready", group="Monitoring", text="Metrics dashboard ready"),
    ChecklistItem(
        id="statements_enabled", group="Monitoring", text="Query performance monitoring enabled", proof="statements_enabled"
    ),
    ChecklistItem(id="error_tracking", group="Monitoring", text="Error tracking configured"),
)

#: After a run (F24); the group is the window at whose end the item is judged.
MONITORING_CHECKLIST: tuple[ChecklistItem, ...] = (
    ChecklistItem(id="no_migration_errors", group="1h", text="No migration errors", proof="no_migration_errors"),
    ChecklistItem(id="application_responds", group="1h", text="Application responding normally", proof="application_responds"),
    ChecklistItem(id="no_more_errors", group="1h", text="No increased error rates", proof="no_more_errors"),
    ChecklistItem(id="queries_stable", group="24h", text="Query performance stable", proof="queries_stable"),
    ChecklistItem(id="no_slow_queries", group="24h", text="No slow queries introduced", proof="no_slow_queries"),
    ChecklistItem(id="data_verified", group="24h", text="Data integrity verified", proof="data_verified"),
    ChecklistItem(id="indexes_used", group="1w", text="Index usage as expected", proof="indexes_used"),
    ChecklistItem(id="size_reasonable", group="1w", text="Table size reasonable", proof="size_reasonable"),
    ChecklistItem(id="no_orphans", group="1w", text="No orphaned data", proof="no_orphans"),
)
