"""Which lock each kind of statement takes on the relation it names: a table, each row with its PostgreSQL page.

Every row was measured on PostgreSQL 15, 17 and 18 (tests/postgres/analysis repeats the measurement for the newest).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from app.sql.tree import commands, find, option

Mode = Literal[
    "ACCESS SHARE",
    "ROW SHARE",
    "ROW EXCLUSIVE",
    "SHARE UPDATE EXCLUSIVE",
    "SHARE",
    "SHARE ROW EXCLUSIVE",
    "EXCLUSIVE",
    "ACCESS EXCLUSIVE",
]
#: from weakest to strongest
MODES: tuple[Mode, ...] = (
    "ACCESS SHARE",
    "ROW SHARE",
    "ROW EXCLUSIVE",
    "SHARE UPDATE EXCLUSIVE",
    "SHARE",
    "SHARE ROW EXCLUSIVE",
    "EXCLUSIVE",
    "ACCESS EXCLUSIVE",
)
_MANUAL = "https://www.postgresql.org/docs/18/"
#: as pg_locks spells them
_SPELLED: Mapping[str, Mode] = {mode.title().replace(" ", "") + "Lock": mode for mode in MODES}


@dataclass(frozen=True, slots=True, kw_only=True)
class LockLevel:
    """A row of the table: a kind of statement (or of ALTER TABLE's commands), the mode, and where PostgreSQL says so."""

    form: str
    mode: Mode
    page: str


def _row(form: str, mode: Mode, page: str) -> tuple[str, LockLevel]:
    return form, LockLevel(form=form, mode=mode, page=_MANUAL + page)


#: by the commands of ALTER TABLE; what is not listed takes ACCESS EXCLUSIVE, as the manual says
_ALTER_TABLE_MODES: tuple[tuple[str, Mode], ...] = (
    ("AT_SetStatistics", "SHARE UPDATE EXCLUSIVE"),
    ("AT_ClusterOn", "SHARE UPDATE EXCLUSIVE"),
    ("AT_DropCluster", "SHARE UPDATE EXCLUSIVE"),
    ("AT_SetOptions", "SHARE UPDATE EXCLUSIVE"),
    ("AT_ResetOptions", "SHARE UPDATE EXCLUSIVE"),
    ("AT_SetRelOptions", "SHARE UPDATE EXCLUSIVE"),
    ("AT_ResetRelOptions", "SHARE UPDATE EXCLUSIVE"),
    ("AT_ValidateConstraint", "SHARE UPDATE EXCLUSIVE"),
    ("AT_AttachPartition", "SHARE UPDATE EXCLUSIVE"),
    ("AT_DetachPartitionFinalize", "SHARE UPDATE EXCLUSIVE"),
    ("AT_EnableTrig", "SHARE ROW EXCLUSIVE"),
    ("AT_EnableTrigAll", "SHARE ROW EXCLUSIVE"),
    ("AT_EnableTrigUser", "SHARE ROW EXCLUSIVE"),
    ("AT_EnableAlwaysTrig", "SHARE ROW EXCLUSIVE"),
    ("AT_EnableReplicaTrig", "SHARE ROW EXCLUSIVE"),
    ("AT_DisableTrig", "SHARE ROW EXCLUSIVE"),
    ("AT_DisableTrigAll", "SHARE ROW EXCLUSIVE"),
    ("AT_DisableTrigUser", "SHARE ROW EXCLUSIVE"),
)
#: the storage parameters of tables whose change takes more than SHARE UPDATE EXCLUSIVE
_STRONG_OPTIONS = frozenset({"user_catalog_table"})
ALTER_TABLE: Mapping[str, LockLevel] = dict(_row(form, mode, "sql-altertable.html") for form, mode in _ALTER_TABLE_MODES)

#: by the root node of the statement
STATEMENTS: Mapping[str, LockLevel] = dict(
    (
        _row("IndexStmt", "SHARE", "sql-createindex.html#SQL-CREATEINDEX-CONCURRENTLY"),
        _row("CreateTrigStmt", "SHARE ROW EXCLUSIVE", "sql-createtrigger.html"),
        _row("CreatePolicyStmt", "ACCESS EXCLUSIVE", "sql-createpolicy.html"),
        _row("AlterPolicyStmt", "ACCESS EXCLUSIVE", "sql-alterpolicy.html"),
        _row("RuleStmt", "ACCESS EXCLUSIVE", "sql-createrule.html"),
        _row("RenameStmt", "ACCESS EXCLUSIVE", "sql-altertable.html"),
        _row("AlterObjectSchemaStmt", "ACCESS EXCLUSIVE", "sql-altertable.html"),
        _row("AlterOwnerStmt", "ACCESS EXCLUSIVE", "sql-altertable.html"),
        _row("AlterSeqStmt", "SHARE ROW EXCLUSIVE", "sql-altersequence.html"),
        _row("CreateStatsStmt", "SHARE UPDATE EXCLUSIVE", "sql-createstatistics.html"),
        _row("CommentStmt", "SHARE UPDATE EXCLUSIVE", "sql-comment.html"),
        _row("ClusterStmt", "ACCESS EXCLUSIVE", "sql-cluster.html"),
        _row("TruncateStmt", "ACCESS EXCLUSIVE", "sql-truncate.html"),
        _row("DropStmt", "ACCESS EXCLUSIVE", "sql-droptable.html"),
        _row("RefreshMatViewStmt", "ACCESS EXCLUSIVE", "sql-refreshmaterializedview.html"),
        _row("ReindexStmt", "SHARE", "sql-reindex.html"),
        _row("VacuumStmt", "SHARE UPDATE EXCLUSIVE", "sql-vacuum.html"),
        _row("InsertStmt", "ROW EXCLUSIVE", "sql-insert.html"),
        _row("UpdateStmt", "ROW EXCLUSIVE", "sql-update.html"),
        _row("DeleteStmt", "ROW EXCLUSIVE", "sql-delete.html"),
        _row("MergeStmt", "ROW EXCLUSIVE", "sql-merge.html"),
        _row("CopyStmt", "ROW EXCLUSIVE", "sql-copy.html"),
        _row("CreatePublicationStmt", "SHARE UPDATE EXCLUSIVE", "sql-createpublication.html"),
        _row("AlterPublicationStmt", "SHARE UPDATE EXCLUSIVE", "sql-alterpublication.html"),
        _row("GrantStmt", "ACCESS SHARE", "sql-grant.html"),
    )
)


#: What each mode conflicts with. Source: table "Conflicting Lock Modes" of PostgreSQL's manual, 13.3.
CONFLICTS: Mapping[Mode, frozenset[Mode]] = {
    "ACCESS SHARE": frozenset(MODES[7:]),
    "ROW SHARE": frozenset(MODES[6:]),
    "ROW EXCLUSIVE": frozenset(MODES[4:]),
    "SHARE UPDATE EXCLUSIVE": frozenset(MODES[3:]),
    "SHARE": frozenset({"ROW EXCLUSIVE", "SHARE UPDATE EXCLUSIVE", "SHARE ROW EXCLUSIVE", "EXCLUSIVE", "ACCESS EXCLUSIVE"}),
    "SHARE ROW EXCLUSIVE": frozenset(MODES[2:]),
    "EXCLUSIVE": frozenset(MODES[1:]),
    "ACCESS EXCLUSIVE": frozenset(MODES),
}


def conflicts_with(mode: str) -> frozenset[Mode]:
    """The modes that have to wait for each other with this one; none for a word that is no mode."""
    return next((others for known, others in CONFLICTS.items() if known == mode), frozenset())


def from_pg_locks(spelled: str) -> Mode | None:
    """``AccessExclusiveLock``, as pg_locks spells it, as a mode; None for what is no lock on a relation."""
    return _SPELLED.get(spelled)


def stronger(first: Mode, second: Mode) -> Mode:
    """The stronger of two modes."""
    return max(first, second, key=MODES.index)


def blocks(mode: Mode) -> tuple[str, ...]:
    """What the application can't do meanwhile: ``("reads", "writes")``, ``("writes",)`` or nothing."""
    if mode == "ACCESS EXCLUSIVE":
        return ("reads", "writes")
    return ("writes",) if MODES.index(mode) >= MODES.index("SHARE") else ()


def alter_table_command_mode(command: Mapping[str, Any]) -> Mode:
    """The mode that one command of ALTER TABLE takes on its table."""
    definition = command.get("def", {})
    subtype = str(command.get("subtype"))
    if subtype == "AT_AddConstraint" and definition.get("Constraint", {}).get("contype") == "CONSTR_FOREIGN":
        return "SHARE ROW EXCLUSIVE"
    if subtype == "AT_DetachPartition" and definition.get("PartitionCmd", {}).get("concurrent"):
        return "SHARE UPDATE EXCLUSIVE"
    if subtype in {"AT_SetRelOptions", "AT_ResetRelOptions"} and any(
        element.get("defname") in _STRONG_OPTIONS for element in find(definition, "DefElem")
    ):
        return "ACCESS EXCLUSIVE"
    level = ALTER_TABLE.get(subtype)
    return level.mode if level else "ACCESS EXCLUSIVE"


def statement_mode(kind: str, body: Mapping[str, Any]) -> Mode | None:
    """The mode a statement takes on the relation that it names first; None where it takes none there."""
    if kind == "AlterTableStmt":
        modes = [alter_table_command_mode(command) for command in commands(body)]
        return max(modes, key=MODES.index, default="ACCESS EXCLUSIVE")
    if kind == "LockStmt":
        return MODES[int(body.get("mode", 8)) - 1]
    if kind == "VacuumStmt" and option(body.get("options"), "full"):
        return "ACCESS EXCLUSIVE"
    if kind == "RefreshMatViewStmt" and body.get("concurrent"):
        return "EXCLUSIVE"
    if body.get("concurrent") or (kind == "ReindexStmt" and option(body.get("params"), "concurrently")):
        return "SHARE UPDATE EXCLUSIVE"
    level = STATEMENTS.get(kind)
    return level.mode if level else None
