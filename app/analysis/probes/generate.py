"""A statement in its place -> the questions that its outcome depends on."""

from collections.abc import Callable, Iterator
from dataclasses import replace

from app.analysis.context import Context
from app.analysis.probes import bounds, checks, columns, keys, values
from app.analysis.probes.probe import Probe

_GENERATORS: tuple[Callable[[Context], Iterator[Probe]], ...] = (
    columns.not_null,
    columns.without_value,
    keys.unique,
    keys.orphans,
    keys.exclusion,
    checks.check,
    checks.validate,
    checks.domain,
    values.values,
    bounds.attach,
)


def probes_of(context: Context, *, statement: int, step: str | None, changed_by: str) -> tuple[Probe, ...]:
    """The questions of one statement; none where no schema is known, since what may be asked about is not known either.

    ``changed_by``: what changes the rows of the statement's table earlier in the plan.
    """
    if context.state.schema is None or context.kind not in {"AlterTableStmt", "IndexStmt", "AlterDomainStmt"}:
        return ()
    found = (probe for generate in _GENERATORS for probe in generate(context))
    return tuple(replace(probe, statement=statement, step=step, changed_by=changed_by) for probe in found)
