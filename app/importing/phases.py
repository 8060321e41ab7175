"""Which phase a statement belongs to: additive first, then data, then what the old application would notice."""

from collections.abc import Mapping
from typing import Any

from app.plan.model import PHASES, PhaseName
from app.sql.classify import Effect
from app.sql.split import Statement
from app.sql.tree import commands

#: ALTER TABLE commands that older code of the application can trip over
_CONTRACTING = frozenset(
    {
        "AT_AddIdentity",
        "AT_AlterColumnType",
        "AT_DetachPartition",
        "AT_DropColumn",
        "AT_DropConstraint",
        "AT_DropExpression",
        "AT_DropIdentity",
        "AT_SetNotNull",
        "AT_SetUnLogged",
    }
)
#: commands that belong wherever they are written
_NEUTRAL_ALTERATIONS = frozenset(
    {"AT_ValidateConstraint", "AT_SetStatistics", "AT_SetStorage", "AT_SetRelOptions", "AT_ResetRelOptions", "AT_ClusterOn"}
)
_CONTRACTING_STATEMENTS = frozenset({"DropStmt", "TruncateStmt", "AlterObjectSchemaStmt", "DropOwnedStmt"})
_NEUTRAL_STATEMENTS = frozenset(
    {
        "CommentStmt",
        "DoStmt",
        "ExplainStmt",
        "GrantStmt",
        "LockStmt",
        "ReindexStmt",
        "SelectStmt",
        "VacuumStmt",
        "VariableSetStmt",
        "VariableShowStmt",
    }
)


def guess_phase(statement: Statement, effect: Effect, created: frozenset[str]) -> PhaseName | None:  # noqa: PLR0911 - one return for each form of the statement
    """The phase by the statement's tree; None where it belongs to whatever stands before it.

    ``created`` are relations that the same plan has made: what happens to them disturbs nobody yet.
    """
    if effect.relations and effect.relations[0] in created:
        return None
    if effect.is_dml:
        return "migrate"
    kind, body = statement.kind, statement.body
    if kind in _NEUTRAL_STATEMENTS:
        return None
    if kind in _CONTRACTING_STATEMENTS:
        return "contract"
    if kind == "RenameStmt":
        return None if body.get("renameType") in {"OBJECT_INDEX", "OBJECT_TABCONSTRAINT"} else "contract"
    if kind == "AlterTableStmt":
        return _phase_of_alterations({str(command.get("subtype")) for command in commands(body)})
    return "expand"


def _phase_of_alterations(subtypes: set[str]) -> PhaseName | None:
    if subtypes & _CONTRACTING:
        return "contract"
    return None if subtypes <= _NEUTRAL_ALTERATIONS else "expand"


def later(current: PhaseName, guessed: PhaseName | None) -> PhaseName:
    """The phase of the next statement: never before the one it stands behind, since the written order is kept."""
    return current if guessed is None else PHASES[max(PHASES.index(current), PHASES.index(guessed))]


def relations_made(statement: Statement, effect: Effect) -> frozenset[str]:
    """The tables that a statement creates, as written."""
    body: Mapping[str, Any] = statement.body
    if statement.kind in {"CreateStmt", "CreateTableAsStmt"} and effect.relations:
        return frozenset() if body.get("if_not_exists") else frozenset(effect.relations[:1])
    return frozenset()
