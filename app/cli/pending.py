"""What a folder or a plan file asks for, compared with what the target has: a plan of its own for each migration."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import NAMESPACE_URL, UUID, uuid5

from app.backfill.applied import Applied
from app.catalog.records import Schema
from app.cli.reading import PLAN_SUFFIXES, plan_of
from app.importing.draft import draft
from app.importing.pieces import Piece, cut, statements_of
from app.importing.read import read_folder
from app.importing.source import ImportedMigration
from app.plan.model import Phase, Plan, Rollback, Step
from app.sql.inverse import Deriver


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """One migration of the folder, or a whole plan file."""

    name: str
    tool: str
    #: SHA-256 (hex) of what it says: comments and blanks between statements don't count
    digest: str
    source: ImportedMigration | Plan

    def key(self, generation: int) -> UUID:
        """The run's key: the same command finds it again after a crash; applying again after a rollback is another run."""
        return uuid5(NAMESPACE_URL, f"headgate apply {self.name} {self.digest} {generation}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """The folder beside the target."""

    applied: tuple[Applied, ...]
    pending: tuple[Wanted, ...]
    #: names that say something else now than when they were applied
    changed: tuple[str, ...]
    #: names that the target has and the folder has not
    unknown: tuple[str, ...]


def wanted_of(path: str, tool: str | None) -> tuple[Wanted, ...]:
    """Everything that the path asks for, in order; Raises PlanError, ImportRefusedError, SqlSyntaxError."""
    where = Path(path)
    if where.suffix in PLAN_SUFFIXES:
        plan = plan_of(path)
        return (Wanted(name=plan.name, tool="plan", digest=plan.digest(), source=plan),)
    imported = read_folder(where, tool)
    return tuple(Wanted(name=item.name, tool=imported.tool, digest=_digest(item), source=item) for item in imported.migrations)


def compare(wanted: Sequence[Wanted], applied: Iterable[Applied]) -> Comparison:
    """What is there, what is missing, what differs."""
    there = {item.name: item for item in applied}
    names = {item.name for item in wanted}
    return Comparison(
        applied=tuple(there.values()),
        pending=tuple(item for item in wanted if item.name not in there),
        changed=tuple(item.name for item in wanted if item.name in there and there[item.name].digest != item.digest),
        unknown=tuple(name for name in there if name not in names),
    )


def plan_for(wanted: Wanted, schema: Schema | None, *, in_steps: bool) -> Plan:
    """The plan that brings it about.

    A migration runs as its tool would run it: one transaction, with what refuses one beside it. ``in_steps`` makes the steps
    that the dashboard would make of it: phases, and backfills in place of large updates.
    """
    if isinstance(wanted.source, Plan):
        return wanted.source
    if in_steps:
        return draft([wanted.source], name=wanted.name, tool=wanted.tool, schema=schema, backfills=True, accept_irreversible=True)
    return _as_written(wanted, wanted.source, schema)


def _as_written(wanted: Wanted, migration: ImportedMigration, schema: Schema | None) -> Plan:
    pieces = cut(migration.up, is_backfill=lambda _: False)
    steps = [_step(migration, number, piece) for number, piece in enumerate(pieces, start=1)]
    for (number, step), rollback in zip(enumerate(steps), _ways_back(migration, pieces, schema), strict=True):
        steps[number] = Step(
            id=step.id, kind="sql", title=step.title, spec=step.spec, rollback=rollback, source_file=migration.file
        )
    return Plan(name=wanted.name, tool=wanted.tool, phases=(Phase(name="expand", steps=tuple(steps)),))


def _step(migration: ImportedMigration, number: int, piece: Piece) -> Step:
    spec: dict[str, object] = {"sql": "\n" * (piece.line - 1) + piece.text}
    if migration.transactional is False:
        spec["transaction"] = False
    return Step(id=f"{number}", kind="sql", title=migration.name, spec=spec)


def _ways_back(migration: ImportedMigration, pieces: Sequence[Piece], schema: Schema | None) -> list[Rollback]:
    """The way back of each piece: its down file undoes all of it in one go, with the piece that is undone first."""
    if migration.down is None:
        deriver = Deriver(schema)
        return [deriver.rollback([statement for statement, _ in piece.statements]) for piece in pieces]
    down = ";\n".join(statement.text for statement in statements_of(migration.down))
    nothing = Rollback(grade="lossless", reason="The down file undoes it with the last step.")
    return [*(nothing for _ in pieces[:-1]), Rollback(grade="loses-new-writes", sql=down)][: len(pieces)]


def _digest(migration: ImportedMigration) -> str:
    texts = [statement.text for statement in statements_of(migration.up)]
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()
