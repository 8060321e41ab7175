"""Imported migrations -> a first plan: steps in the written order, phases, rollbacks, what refuses a transaction by itself."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from app.catalog.records import Schema
from app.importing.backfills import propose_backfill
from app.importing.phases import guess_phase, later, relations_made
from app.importing.pieces import Piece, cut, pieces_of
from app.importing.rollbacks import share_way_back
from app.importing.source import ImportedMigration
from app.plan.errors import PlanError
from app.plan.model import PHASES, Phase, PhaseName, Plan, Rollback, Step
from app.sql.inverse import Deriver
from app.sql.split import Statement

_NOT_IN_AN_ID = re.compile(r"[^a-z0-9]+")
_MAXIMUM_TITLE = 80


@dataclass(slots=True, kw_only=True)
class _Draft:
    """The steps so far: what the plan has created, which ids are taken, which phase it has reached."""

    schema: Schema | None
    backfills: bool
    accept_irreversible: bool
    deriver: Deriver
    created: frozenset[str] = frozenset()
    phase: PhaseName = "expand"
    ids: set[str] = field(default_factory=set)
    steps: list[tuple[PhaseName, Step]] = field(default_factory=list)


def draft(
    migrations: Sequence[ImportedMigration],
    *,
    name: str,
    tool: str = "",
    schema: Schema | None = None,
    backfills: bool = False,
    accept_irreversible: bool = False,
) -> Plan:
    """A plan that does what the migrations do, statement by statement in the written order.

    ``backfills`` turns UPDATEs that ``propose_backfill`` recognises into backfill steps. ``accept_irreversible`` states steps
    without a way back as irreversible instead of refusing them.
    Raises PlanError where a way back is missing, SqlSyntaxError and MetaCommandError where a file can't be read.
    """
    work = _Draft(schema=schema, backfills=backfills, accept_irreversible=accept_irreversible, deriver=Deriver(schema))
    for migration in migrations:
        _add(work, migration)
    if not work.steps:
        files = ", ".join(migration.file for migration in migrations) or "no files"
        raise PlanError(f"There is no statement in these migrations: {files}.", hint="Import files that hold SQL.")
    phases = tuple(
        Phase(name=phase, steps=steps)
        for phase in PHASES
        if (steps := tuple(step for step_phase, step in work.steps if step_phase == phase))
    )
    return Plan(name=name, tool=tool, phases=phases)


def _add(work: _Draft, migration: ImportedMigration) -> None:
    cuts = list(_phased(work, cut(migration.up, is_backfill=_backfill_test(work))))
    if not cuts:
        return
    derived = [_derive(work, piece) for _, piece in cuts]
    titles = [_title(migration, piece, len(cuts)) for _, piece in cuts]
    drafts = [
        _step(work, migration, piece, title, number if len(cuts) > 1 else None)
        for number, ((_, piece), title) in enumerate(zip(cuts, titles, strict=True), start=1)
    ]
    back = _ways_back(work, migration, [piece for _, piece in cuts], drafts, derived)
    for (phase, _), step, rollback in zip(cuts, drafts, back, strict=True):
        work.steps.append((phase, replace(step, rollback=rollback)))


def _backfill_test(work: _Draft) -> Any:
    return (lambda statement: propose_backfill(statement, work.schema) is not None) if work.backfills else (lambda _: False)


def _phased(work: _Draft, pieces: Sequence[Piece]) -> Iterator[tuple[PhaseName, Piece]]:
    """Each piece with its phase; a piece whose statements belong to two phases is cut between them."""
    for piece in pieces:
        phases = []
        for statement, effect in piece.statements:
            work.phase = later(work.phase, guess_phase(statement, effect, work.created))
            work.created |= relations_made(statement, effect)
            phases.append(work.phase)
        for phase in PHASES:
            if (part := pieces_of(piece, [index for index, own in enumerate(phases) if own == phase])) is not None:
                yield phase, part


def _derive(work: _Draft, piece: Piece) -> tuple[Rollback, str | None]:
    """The rollback that the syntax trees and the catalog give, and what is to be said where they give none."""
    rollback = work.deriver.rollback([statement for statement, _ in piece.statements])
    return rollback, None if rollback.sql is not None or rollback.grade != "irreversible" else rollback.reason


def _ways_back(
    work: _Draft,
    migration: ImportedMigration,
    pieces: Sequence[Piece],
    steps: Sequence[Step],
    derived: Sequence[tuple[Rollback, str | None]],
) -> list[Rollback]:
    if migration.down is not None:
        return share_way_back(migration.down, pieces, steps, [rollback for rollback, _ in derived])
    for piece, (_, problem) in zip(pieces, derived, strict=True):
        if problem is not None and not work.accept_irreversible:
            raise _missing(migration, _without_way_back(work, piece), problem)
    return [rollback for rollback, _ in derived]


def _without_way_back(work: _Draft, piece: Piece) -> Statement:
    """The statement that the piece has no way back for; the first one where it is about several together."""
    alone = ((statement, work.deriver.rollback([statement])) for statement, _ in piece.statements)
    return next(
        (statement for statement, back in alone if back.sql is None and back.grade == "irreversible"), piece.statements[0][0]
    )


def _missing(migration: ImportedMigration, statement: Statement, problem: str) -> PlanError:
    return PlanError(
        f"{migration.file} changes the database, has no way back, and none can be derived: {problem}",
        hint=f"Write the SQL that undoes it into {_down_file(migration)}, or state the step as irreversible with its reason.",
        file=migration.file,
        line=statement.line,
        column=statement.column,
        field="rollback",
    )


def _down_file(migration: ImportedMigration) -> str:
    if migration.file.endswith("/migration.sql"):
        return migration.file.removesuffix("migration.sql") + "down.sql"
    return re.sub(r"(\.up)?\.sql$", "", migration.file, flags=re.IGNORECASE) + ".down.sql"


def _step(work: _Draft, migration: ImportedMigration, piece: Piece, title: str, number: int | None) -> Step:
    stem = _NOT_IN_AN_ID.sub("-", migration.name.lower()).strip("-")[:80] or f"migration-{migration.position}"
    base = stem if number is None else f"{stem}-{number}"
    step_id, attempt = base, 1
    while step_id in work.ids:
        attempt += 1
        step_id = f"{base}-{attempt}"
    work.ids.add(step_id)
    statement, effect = piece.statements[0]
    spec = propose_backfill(statement, work.schema) if work.backfills and effect.is_dml and len(piece.statements) == 1 else None
    kind = "sql" if spec is None else "backfill"
    own_transactions = {} if migration.transactional is not False else {"transaction": False}
    return Step(
        id=step_id,
        kind=kind,
        title=title,
        spec=spec if spec is not None else {"sql": piece.text, **own_transactions},
        source_file=migration.file,
        source_line=piece.line,
    )


def _title(migration: ImportedMigration, piece: Piece, count: int) -> str:
    words = re.sub(r"^[0-9_.-]+|^[VvRr][0-9._]*__", "", migration.name).replace("_", " ").replace("-", " ").strip()
    title = words[:1].upper() + words[1:] if words else migration.name
    if count == 1 and title:
        return title[:_MAXIMUM_TITLE]
    _, effect = piece.statements[0]
    target = effect.relations[0] if effect.relations else effect.indexes[0] if effect.indexes else ""
    more = f" and {len(piece.statements) - 1} more" if len(piece.statements) > 1 else ""
    told = f"{effect.command} {target}".rstrip() + more
    # the command is what tells the steps of one migration apart: its name gives way
    room = _MAXIMUM_TITLE - len(told) - len(": ")
    return f"{title[:room].rstrip()}: {told}" if title and room > 0 else told[:_MAXIMUM_TITLE]
