"""What the command line has applied to a target, kept on the target itself, and whether a dashboard looks after it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from psycopg import sql

from app.target.session import Target

_APPLIED = """
    SELECT name, digest, tool, run, plan, applied_at FROM {schema}.applied WHERE rolled_back_at IS NULL ORDER BY id
"""
_GENERATION = "SELECT count(*) AS n FROM {schema}.applied WHERE name = %(name)s AND rolled_back_at IS NOT NULL"
_RECORD = """
    INSERT INTO {schema}.applied (name, digest, tool, run, plan)
    VALUES (%(name)s, %(digest)s, %(tool)s, %(run)s, %(plan)s::jsonb)
        ON CONFLICT (name) WHERE rolled_back_at IS NULL DO NOTHING
"""
_ROLLED_BACK = """
    UPDATE {schema}.applied SET rolled_back_at = clock_timestamp() WHERE name = %(name)s AND rolled_back_at IS NULL
"""
_TOKEN = "SELECT coalesce(max(token), 0) AS token FROM {schema}.fence WHERE run = %(run)s"  # noqa: S105  # a fence, no password
_ERROR = """
    SELECT step, error FROM {schema}.unit
     WHERE run = %(run)s AND unit = 0 AND state <> 'done' AND error IS NOT NULL
     ORDER BY finished_at DESC LIMIT 1
"""
_MANAGED = "SELECT by, wants_approval FROM {schema}.managed ORDER BY wants_approval DESC, by LIMIT 1"
_MARK = """
    INSERT INTO {schema}.managed (by, wants_approval) VALUES (%(by)s, %(wants_approval)s)
        ON CONFLICT (by) DO UPDATE SET wants_approval = excluded.wants_approval, at = clock_timestamp()
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """One migration, or one plan, that took effect."""

    name: str
    #: SHA-256 (hex) of what ran
    digest: str
    tool: str
    run: UUID
    #: Plan.as_json() of what ran, with its way back
    plan: Mapping[str, Any]
    applied_at: datetime | None = None


def read_applied(target: Target, schema: str) -> list[Applied]:
    """Everything that is applied and not rolled back, in the order in which it was."""
    return [Applied(**row) for row in target.all(_in(schema, _APPLIED))]


def record_applied(target: Target, schema: str, applied: Applied) -> None:
    """Write that it took effect; does nothing where that is written already."""
    values = {"name": applied.name, "digest": applied.digest, "tool": applied.tool, "run": applied.run}
    target.execute(_in(schema, _RECORD), {**values, "plan": json.dumps(applied.plan)})


def record_rolled_back(target: Target, schema: str, name: str) -> None:
    """Write that it was undone; it is pending from here on."""
    target.execute(_in(schema, _ROLLED_BACK), {"name": name})


def generation(target: Target, schema: str, name: str) -> int:
    """How often it was applied and undone: what makes the next run of the same text a new one."""
    row = target.one(_in(schema, _GENERATION), {"name": name})
    return int(row["n"]) if row else 0


def next_fence(target: Target, schema: str, run: UUID) -> int:
    """A fence above everyone who held the run before."""
    row = target.one(_in(schema, _TOKEN), {"run": run})
    return int(row["token"]) + 1 if row else 1


def last_error(target: Target, schema: str, run: UUID) -> tuple[str, str] | None:
    """The step that the run failed in, and why; None where it did not fail."""
    row = target.one(_in(schema, _ERROR), {"run": run})
    return (row["step"], row["error"]) if row else None


def mark_managed(target: Target, schema: str, *, by: str, wants_approval: bool) -> None:
    """Write that a dashboard looks after the target; where it wants approvals, the command line keeps its hands off.

    ``by`` names the dashboard, its address for example. The ledger's tables have to be there.
    """
    target.execute(_in(schema, _MARK), {"by": by, "wants_approval": wants_approval})


def approval_wanted_by(target: Target, schema: str) -> str | None:
    """The dashboard that wants approvals for this target, or None."""
    row = target.one(_in(schema, _MANAGED))
    return str(row["by"]) if row and row["wants_approval"] else None


def _in(schema: str, text: LiteralString) -> sql.Composed:
    return sql.SQL(text).format(schema=sql.Identifier(schema))
