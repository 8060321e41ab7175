"""The end of a backfill: a look for rows that still match, sweeps until there are none, and the proof."""

from dataclasses import dataclass
from typing import Any

import psycopg

from app.backfill.certificate import Remains, certificate, count_remains, fits_one_snapshot
from app.backfill.definition import Action
from app.backfill.faults import NotConvergentError
from app.backfill.order import BackfillOrder
from app.backfill.parts import Parts
from app.backfill.shards import Checkpoints
from app.run.journal import LeaseLostError
from app.target.session import Target

#: Sweeps before we say that the application keeps writing rows that match.
MOST_ROUNDS = 12
#: Sweeps that change nothing although rows match, before we say that something keeps them.
_CALM_ROUNDS = 2
#: Looks at the whole table that were cancelled before sweeps alone have to prove the end.
_MOST_CANCELLATIONS = 2
_LET_IT_END: dict[Action, str] = {
    "update": "Let the application, or a trigger, fill the column in new and changed rows first; then retry the step.",
    "delete": "Let the application stop writing such rows first, or name a fixed bound in the condition; then retry the step.",
    "copy": "Let a trigger copy new rows first; then retry the step.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """What a look for rows that are left came to."""

    remains: Remains | None = None
    is_proven: bool = False
    was_cancelled: bool = False


class Ending:
    """Looks and sweeps of one attempt."""

    def __init__(self, order: BackfillOrder, target: Target, points: Checkpoints) -> None:
        self._order, self._target, self._points = order, target, points
        self._cancellations = 0
        self._calm_rounds = 0

    def look(self, parts: Parts) -> Looked:
        """What is left, and whether that ends the backfill.

        Raises NotConvergentError where sweeps do not bring it to an end.
        """
        if not parts.is_convergent:
            return Looked(is_proven=True)
        shards = parts.present(self._points.shards())
        rounds = max((shard.round for shard in shards), default=0)
        is_calm = (rounds > 0 or not shards) and sum(shard.round_rows for shard in shards) == 0
        remains, is_proven = None, is_calm
        if self._cancellations <= _MOST_CANCELLATIONS and fits_one_snapshot(self._target.connection, parts.prepared.leaves):
            remains = self._remains(parts)
            if remains is None:
                return Looked(was_cancelled=True)
            is_proven = remains.matching == 0 or (is_calm and remains.matching <= len(self._points.quarantined()))
        if not is_proven:
            self._refuse_endless(rounds, remains, is_calm=is_calm)
        return Looked(remains=remains, is_proven=is_proven)

    def _refuse_endless(self, rounds: int, remains: Remains | None, *, is_calm: bool) -> None:
        left = f"{remains.matching} rows" if remains else "rows"
        self._calm_rounds = self._calm_rounds + 1 if is_calm else 0
        if self._calm_rounds >= _CALM_ROUNDS:
            raise NotConvergentError(
                f"{left[0].upper()}{left[1:]} still match although whole sweeps changed none: something keeps them as they are.",
                hint="A BEFORE trigger that returns NULL does that. Mend it, then retry the step.",
            )
        if rounds >= MOST_ROUNDS:
            raise NotConvergentError(
                f"After {rounds} sweeps {left} still match: the application keeps writing them.",
                hint=_LET_IT_END[self._order.definition.action],
            )

    def _remains(self, parts: Parts) -> Remains | None:
        """What one look finds; None where somebody cancelled it, which a person may do who wants to stop."""
        self._order.watch(self._target.pid, "SELECT count(*) ... (the last look)")
        try:
            return count_remains(self._target.connection, parts.prepared.changes(self._order.definition))
        except psycopg.errors.QueryCanceled:
            self._cancellations += 1
            return None
        finally:
            self._order.watch(None, None)

    def begin_round(self, parts: Parts) -> None:
        """Walk everything again, for rows that others moved or wrote behind our back.

        Raises LeaseLostError.
        """
        shards = parts.present(self._points.shards())
        every = zip(parts.prepared.strategies, parts.prepared.leaves, strict=True)
        known = {strategy.relation: (strategy, leaf) for strategy, leaf in every}
        last = {shard.relation: shard.no for shard in shards}
        for shard in shards:
            strategy, leaf = known[shard.relation]
            hi = shard.hi
            if shard.no == last[shard.relation]:
                hi = leaf.pages if strategy.kind == "windows" else None
            if not self._points.begin_round(shard, number=shard.round + 1, hi=hi):
                raise LeaseLostError("Another worker walks this backfill now; this one changed nothing more.")

    def proof(self, parts: Parts, looked: Looked) -> dict[str, Any]:
        """The certificate as JSON values."""
        shards = self._points.shards()
        found = certificate(
            shards=parts.present(shards),
            strategies=parts.prepared.strategies,
            remains=looked.remains,
            quarantined=len(self._points.quarantined()),
        )
        seen = looked.remains.seen if looked.remains else sum(shard.rows_seen for shard in shards)
        not_walked = [leaf.qualified for leaf in parts.new]
        return {**found, "gone": list(parts.gone), "not_walked": not_walked, "rows_seen": seen}
