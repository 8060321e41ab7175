"""A step's SQL -> units of work in the order written: runs of transactional statements, and single statements outside one."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from app.sql.classify import Effect, classify, detaches_concurrently
from app.sql.split import Statement, split
from app.sql.tree import commands, option
from app.steps.errors import StepRefusedError

#: How a unit is run: one transaction; a statement that builds or drops an index beside the traffic; any other single statement.
Way = Literal["transaction", "index", "detach", "repeat"]

_REFUSED = {
    "CreatedbStmt": "It makes a database: no ledger could tell whether it took effect.",
    "DropdbStmt": "It drops a database, and with it every word about what took effect.",
    "AlterDatabaseStmt": "It changes the database as a whole, outside of what a plan can undo.",
    "AlterDatabaseSetStmt": "It changes the database as a whole, outside of what a plan can undo.",
    "AlterDatabaseRefreshCollStmt": "It changes the database as a whole, outside of what a plan can undo.",
    "AlterSystemStmt": "It changes the server's configuration for everybody, outside of what a plan can undo.",
    "CreateTableSpaceStmt": "It changes the server's disk layout, outside of what a plan can undo.",
    "DropTableSpaceStmt": "It changes the server's disk layout, outside of what a plan can undo.",
    "CreateSubscriptionStmt": "It acts on another server too: the catalog can't tell whether it took effect there.",
    "DropSubscriptionStmt": "It acts on another server too: the catalog can't tell whether it took effect there.",
}
_REPEATABLE = frozenset({"VacuumStmt", "ClusterStmt", "ReindexStmt"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One statement of a unit with what it does."""

    statement: Statement
    effect: Effect

    @property
    def text(self) -> str:
        """As written."""
        return self.statement.text

    @property
    def sets_session(self) -> bool:
        """True for SET that lasts beyond its transaction: it is said again when a later unit runs in a new session."""
        node = self.statement.node.get("VariableSetStmt")
        return node is not None and not node.get("is_local")


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """What commits together on the target."""

    #: from 1
    number: int
    way: Way
    parts: tuple[Part, ...]

    @property
    def digest(self) -> str:
        """SHA-256 of its statements: the ledger's row must tell of the same."""
        return hashlib.sha256("\0".join(part.text for part in self.parts).encode()).hexdigest()


def units_of(script: str, *, share: bool = True, file: str | None = None) -> tuple[Unit, ...]:
    """The units of a script; ``share`` False gives each statement a transaction of its own.

    Raises StepRefusedError with line, reason and way out; SqlSyntaxError and its like from splitting.
    """
    parts = [Part(statement=statement, effect=classify(statement)) for statement in split(script, file=file)]
    units: list[Unit] = []
    group: list[Part] = []

    def close(way: Way, members: Sequence[Part]) -> None:
        if members:
            units.append(Unit(number=len(units) + 1, way=way, parts=tuple(members)))

    for part in parts:
        way = way_of(part)
        if way == "transaction" and share and not _stands_alone(part):
            group.append(part)
            continue
        close("transaction", group)
        group = []
        close(way, [part])
    close("transaction", group)
    return tuple(units)


def settings_before(units: Iterable[Unit], number: int) -> list[str]:
    """The SET statements of earlier units, which a new session has to hear again."""
    return [part.text for unit in units if unit.number < number for part in unit.parts if part.sets_session]


def way_of(part: Part) -> Way:
    """How the statement is run.

    Raises StepRefusedError where it can't be run exactly once.
    """
    kind, body = part.statement.kind, part.statement.body
    if kind in _REFUSED or part.effect.command == "ALTER DATABASE":
        # ALTER DATABASE ... RENAME and OWNER have trees of their own
        reason = _REFUSED.get(kind, _REFUSED["AlterDatabaseStmt"])
        raise _refused(part, reason, "Run it by hand, outside of the plan.")
    if part.effect.is_transaction_control:
        raise _refused(
            part,
            "Headgate begins and commits the transactions itself, together with the ledger's row.",
            "Leave it out; statements that must not share a transaction go into steps of their own, or set `transaction: false`.",
        )
    if part.effect.is_transactional:
        return "transaction"
    if kind == "IndexStmt" and not body.get("idxname"):
        raise _refused(part, "Without a name nobody can tell later whether it was built.", "Give the index a name.")
    if kind in {"IndexStmt", "DropStmt"} or (kind == "ReindexStmt" and option(body.get("params"), "concurrently")):
        return "index"
    if any(detaches_concurrently(command) for command in commands(body)):
        return "detach"
    if kind in _REPEATABLE:
        return "repeat"
    raise _refused(
        part,
        "It can't run in a transaction, and the catalog can't tell whether it took effect.",
        "Run it by hand, outside of the plan.",
    )


def _stands_alone(part: Part) -> bool:
    # a new enum value can't be used in the transaction that added it
    body = part.statement.node.get("AlterEnumStmt")
    return body is not None and "oldVal" not in body


def _refused(part: Part, why: str, hint: str) -> StepRefusedError:
    statement = part.statement
    return StepRefusedError(
        f"{part.effect.command} can't be part of a step. {why}",
        hint=hint,
        file=statement.file,
        line=statement.line,
        column=statement.column,
    )
