"""The work that a statement does on the rows of tables, by class: what its duration is estimated from."""

from collections.abc import Iterable, Sequence
from typing import cast

from app.analysis.context import Context
from app.analysis.duration import CATALOG_MS, Duration, Rates, WorkClass, estimate, total
from app.analysis.predicates import is_always_true
from app.analysis.report import WorkDone
from app.analysis.tables import Table
from app.sql.tree import commands

_CATALOG = Duration(low_ms=CATALOG_MS[0], expected_ms=CATALOG_MS[1], high_ms=CATALOG_MS[2])
_NONE = Duration(low_ms=0.0, expected_ms=0.0, high_ms=0.0)


def works_of(context: Context) -> tuple[WorkDone, ...]:
    """What the statement rewrites, builds, reads from end to end, or changes in bulk; what the input made costs nothing."""
    footprint = context.footprint
    if context.kind == "TruncateStmt":
        return ()
    if context.kind in {"UpdateStmt", "DeleteStmt"}:
        target = context.state.table_of(context.body["relation"])
        return tuple(_works(context, "bulk", [target.name])) if is_always_true(context.body.get("whereClause")) else ()
    plain = [name for name in footprint.scans if name not in {*footprint.rewrites, *footprint.builds}]
    builds = [name for name in footprint.builds if name not in footprint.rewrites]
    beside = not any(lock.blocks for lock in footprint.locks)
    return (
        *_works(context, "rewrite", footprint.rewrites),
        *_works(context, "build beside" if beside else "build", builds),
        *_works(context, "validate" if _is_about_foreign_keys(context) else "scan", plain),
    )


def duration_of(works: Sequence[WorkDone], rates: Rates, *, changes_catalog: bool) -> Duration | None:
    """How long all of it takes; None where the size of a table is not known."""
    own = [
        estimate(cast("WorkClass", work.kind), work.table_bytes, rates=rates) for work in works if work.table_bytes is not None
    ]
    if len(own) < len(works):
        return None
    return total([*own, _CATALOG if changes_catalog else _NONE])


def together(works: Iterable[WorkDone]) -> tuple[WorkClass | None, int]:
    """The class that all the work belongs to (None where there are several), and the bytes it goes over."""
    known = list(works)
    kinds = {cast("WorkClass", work.kind) for work in known}
    return (kinds.pop() if len(kinds) == 1 else None), sum(work.table_bytes or 0 for work in known)


def _works(context: Context, kind: WorkClass, names: Iterable[str]) -> Iterable[WorkDone]:
    for name in names:
        table: Table = context.state.table(name)
        if not table.is_new and not table.is_empty:
            yield WorkDone(kind=kind, relation=name, table_bytes=table.statistics.table_bytes if table.statistics else None)


def _is_about_foreign_keys(context: Context) -> bool:
    """True where what is read is compared with another table."""
    if context.kind != "AlterTableStmt":
        return False
    table = context.state.table_of(context.body["relation"])
    for command in commands(context.body):
        added = command.get("def", {}).get("Constraint", {})
        known = table.constraints.get(str(command.get("name")))
        if added.get("contype") == "CONSTR_FOREIGN" or (known is not None and known.references is not None):
            return True
    return False
