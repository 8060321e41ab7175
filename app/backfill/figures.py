"""What is told of a backfill as a whole: the plan at its begin, the figures and the certificate at its end."""

from collections.abc import Mapping, Sequence
from typing import Any

from app.backfill.definition import BackfillDefinition
from app.backfill.prepare import Prepared
from app.backfill.shards import Job, Shard
from app.run.events import BackfillFinished, BackfillPlanned

#: rows that were set aside and are told one by one with the result; all of them are on the target
_MOST_ASIDE = 100
_FIGURES = ("rows_changed", "rows_scanned", "batches", "seconds", "resumed", "quarantined")


def planned(step: str, definition: BackfillDefinition, prepared: Prepared, shards: int) -> BackfillPlanned:
    """The event of a job that begins."""
    kinds = {strategy.kind for strategy in prepared.strategies}
    reasons = tuple(
        dict.fromkeys(reason for strategy in prepared.strategies for reason in (*strategy.reasons, *strategy.warnings))
    )
    return BackfillPlanned(
        step=step,
        table=prepared.root.qualified,
        action=definition.action,
        strategy=" and ".join(sorted(kinds)) or "nothing to walk",
        reasons=reasons,
        passes=max((strategy.passes for strategy in prepared.strategies), default=1),
        shards=shards,
        estimated_rows=prepared.matching,
    )


def result_of(job: Job, shards: Sequence[Shard], aside: Sequence[Mapping[str, Any]], *, resumed: bool) -> dict[str, Any]:
    """The figures of a finished job, with its certificate and the rows that were set aside."""
    proof = dict(job.certificate or {})
    ended = job.finished_at or job.began_at
    return {
        "rows_changed": sum(shard.rows_done for shard in shards),
        "rows_scanned": proof.pop("rows_seen", 0),
        "batches": sum(shard.batches for shard in shards),
        "seconds": round((ended - job.began_at).total_seconds(), 3),
        "resumed": resumed,
        "quarantined": len(aside),
        "set_aside": [dict(row) for row in aside[:_MOST_ASIDE]],
        "certificate": proof,
    }


def finished(step: str, result: Mapping[str, Any]) -> BackfillFinished:
    """The event of a job that ended."""
    return BackfillFinished(step=step, **{name: result[name] for name in _FIGURES})
