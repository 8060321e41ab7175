"""Rows with NULL in their only unique key: they have no place in its order, and are one batch with one checkpoint."""

import json
from collections.abc import Mapping
from typing import Any, LiteralString, cast

from psycopg import sql

from app.backfill.keys import Key
from app.backfill.keyset import without_order
from app.backfill.pace import BatchSize
from app.backfill.shards import Shard
from app.backfill.statements import relation_sql
from app.backfill.walker import Committed
from app.backfill.walks import Ground

BATCH = """
WITH headgate_fence AS MATERIALIZED (
    SELECT 1 FROM {schema}.shard
     WHERE job = %(job)s AND no = %(no)s AND epoch = %(epoch)s AND batches = %(batches)s AND state = 'running'{fence}
       FOR NO KEY UPDATE),
headgate_changed AS ({change}),
headgate_counted AS MATERIALIZED (
    SELECT (SELECT count(*) FROM headgate_changed) AS changed,
           (SELECT count(*) FROM ONLY {relation} AS {row} WHERE EXISTS (SELECT 1 FROM headgate_fence) AND {nulls}) AS seen)
UPDATE {schema}.shard
   SET cur = %(after)s::jsonb, rows_done = rows_done + c.changed, rows_seen = rows_seen + c.seen,
       round_rows = round_rows + c.changed, batches = batches + 1, updated_at = clock_timestamp()
  FROM headgate_counted c
 WHERE job = %(job)s AND no = %(no)s AND epoch = %(epoch)s AND batches = %(batches)s AND EXISTS (SELECT 1 FROM headgate_fence)
RETURNING c.changed, c.seen
"""
_DONE = {"done": True}


class NullWalk:
    """One batch, all or nothing: a row that fails can't be told from its like, and stops the step."""

    def __init__(self, ground: Ground, shard: Shard) -> None:
        self._ground = ground
        self._is_sweep = shard.round > 0
        self.skip_locked = False
        self.most_rows: int | None = None
        self.size = BatchSize(first=1, least=1, most=1)
        self.adopt(shard)

    def adopt(self, shard: Shard) -> None:
        """Stand where the checkpoint stands."""
        self._ended = shard.cur is not None

    def is_at_end(self) -> bool:
        """True where the batch is done."""
        return self._ended

    def send(self, words: dict[str, Any], *, passes: int | None) -> Committed | None:  # noqa: ARG002 (one batch has no passes)
        """Send the batch."""
        parameters = {**words, "after": json.dumps(_DONE)}
        row = self._ground.target.connection.execute(self._statement(), parameters).fetchone()
        if row is None:
            return None
        self._ended = True
        return Committed(rows=row[0], seen=row[1], stuck=0, units=1)

    def _statement(self) -> LiteralString:
        ground, change = self._ground, self._ground.change
        nulls = without_order(cast("Key", ground.strategy.key), change.row)
        rows = sql.SQL("EXISTS (SELECT 1 FROM headgate_fence) AND {}").format(nulls)
        return ground.text(
            sql.SQL(BATCH).format(
                schema=sql.Identifier(ground.schema),
                fence=ground.fence(),
                change=change.statement(rows, is_sweep=self._is_sweep),
                relation=relation_sql(*change.relation),
                row=change.row,
                nulls=nulls,
            )
        )

    def next_row(self) -> tuple[Mapping[str, Any] | None, Any]:
        """No row can be named."""
        return None, None

    def learn(self, rows: int, seconds: float, target_seconds: float) -> None:
        """Nothing: there is one batch."""

    def fraction(self) -> float | None:
        """All or nothing."""
        return 1.0 if self._ended else 0.0
