"""What comes after a statement in the same input, gathered once for all its statements."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from app.analysis.context import OUTLOOK
from app.sql.split import Statement
from app.sql.tree import commands

_ENDS = frozenset({"TRANS_STMT_COMMIT", "TRANS_STMT_ROLLBACK", "TRANS_STMT_PREPARE"})
_UNDOES = frozenset({"TRANS_STMT_ROLLBACK", "TRANS_STMT_ROLLBACK_TO"})
_SETTLES = frozenset({"AT_ValidateConstraint", "AT_DropConstraint"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Ahead:
    """What follows one statement."""

    #: the next of them, up to OUTLOOK
    statements: Sequence[Statement] = ()
    #: constraints that one of them all validates or drops
    settled: frozenset[str] = frozenset()
    #: one of them all ends the transaction
    ends: bool = False
    #: one of them all is a ROLLBACK, of everything or to a savepoint
    undoes: bool = False


class Outlook:
    """Looks ahead in a script without going through it again for each statement."""

    def __init__(self, statements: Sequence[Statement]) -> None:
        """Note the last place of everything that is asked for."""
        self._statements = statements
        self._last_end = self._last_rollback = -1
        self._settled: dict[str, int] = {}
        for position, statement in enumerate(statements):
            if statement.kind == "TransactionStmt":
                kind = statement.body.get("kind")
                self._last_end = position if kind in _ENDS else self._last_end
                self._last_rollback = position if kind in _UNDOES else self._last_rollback
            elif statement.kind == "AlterTableStmt":
                for command in commands(statement.body):
                    if command.get("subtype") in _SETTLES:
                        self._settled[str(command.get("name"))] = position

    def after(self, position: int) -> Ahead:
        """What follows the statement at a position from 0."""
        statement = self._statements[position]
        settled = frozenset(name for name, last in self._settled.items() if last > position) if _adds(statement) else frozenset()
        return Ahead(
            statements=self._statements[position + 1 : position + 1 + OUTLOOK],
            settled=settled,
            ends=self._last_end > position,
            undoes=self._last_rollback > position,
        )


def settled_names(statements: Iterable[Statement]) -> frozenset[str]:
    """The constraints that any of these statements validates or drops."""
    return frozenset(
        str(command.get("name"))
        for statement in statements
        if statement.kind == "AlterTableStmt"
        for command in commands(statement.body)
        if command.get("subtype") in _SETTLES
    )


def _adds(statement: Statement) -> bool:
    return statement.kind == "AlterTableStmt" and any(
        command.get("subtype") == "AT_AddConstraint" for command in commands(statement.body)
    )
