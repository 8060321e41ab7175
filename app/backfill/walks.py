"""The two walks as objects that know where they stand: page windows and keys."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, LiteralString, cast

from psycopg import sql

from app.backfill import keyset, windows
from app.backfill.change import Change
from app.backfill.definition import BackfillDefinition
from app.backfill.keys import Key
from app.backfill.pace import BatchSize
from app.backfill.shards import Shard
from app.backfill.statements import relation_sql
from app.backfill.strategy import Strategy
from app.backfill.table import Table
from app.backfill.walker import LEDGER_FENCE, Committed
from app.backfill.windows import SLOTS, WindowPlace
from app.target.session import Target

FIRST_ROWS = 1000
MOST_ROWS = 100_000
LEAST_ROWS = 50
_DEFAULT_ROWS_PER_PAGE = 60
#: a window may hold so many times the rows that fit the target time, in case rows become dense suddenly
_ROOM = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What both walks stand on."""

    target: Target
    schema: str
    definition: BackfillDefinition
    strategy: Strategy
    table: Table
    #: the last part of the name that the definition's texts call the table
    alias: str
    windows_per_group: int = 1
    #: the part of the table's rows that one shard holds
    share: float = 1.0

    @property
    def relation(self) -> tuple[str, str]:
        """Schema and name of the table with storage."""
        return self.table.schema, self.table.name

    @property
    def change(self) -> Change:
        """What is done to the rows of this table."""
        return Change.of(self.definition, self.table, self.alias, self.strategy.copy)

    def fence(self) -> sql.Composed:
        """The ledger's fence for a batch."""
        return sql.SQL(LEDGER_FENCE).format(schema=sql.Identifier(self.schema))

    def text(self, statement: sql.Composed) -> LiteralString:
        """A statement as text, so that the driver parses it once."""
        return statement.as_string(self.target.connection)

    def rows_per_page(self) -> float:
        """Live tuples on a page, at least one."""
        if self.table.reltuples > 0 and self.table.pages > 0:
            return max(1.0, self.table.reltuples / self.table.pages)
        return _DEFAULT_ROWS_PER_PAGE


class WindowWalk:
    """Page windows in interleaved passes; a sweep is the same with one pass."""

    def __init__(self, ground: Ground, shard: Shard) -> None:
        self._ground = ground
        self._passes = 1 if shard.round else ground.strategy.passes
        self._statements: dict[tuple[int, bool], LiteralString] = {}
        # a sweep has nobody behind it who would catch what it leaves out
        self._may_skip = shard.round == 0
        self.skip_locked = False
        self._row_rate: float | None = None
        self.adopt(shard)
        self.most_rows: int | None = None
        first = int(FIRST_ROWS * self._passes / ground.rows_per_page()) or 1
        self.size = BatchSize(first=first * SLOTS, least=SLOTS, most=self._most(MOST_ROWS))

    def adopt(self, shard: Shard) -> None:
        """Stand where the checkpoint stands."""
        self._lo, self._hi, self._filenode = int(shard.lo), int(shard.hi), shard.filenode
        self._place = WindowPlace.from_json(shard.cur)

    def is_at_end(self) -> bool:
        """True where no page is left."""
        return self._next(SLOTS, None) is None

    def send(self, words: dict[str, Any], *, passes: int | None) -> Committed | None:
        """Send the next window."""
        units = self.size.units if self.most_rows is None else min(self.size.units, self._most(self.most_rows))
        window = self._next(units, passes)
        if window is None:
            return None
        parameters = {**words, **windows.batch_words(window, oid=self._ground.table.oid)}
        parameters["after"] = json.dumps(window.after.as_json())
        row = self._ground.target.connection.execute(
            self._statement(window.passes, skip_locked=self.skip_locked and self._may_skip), parameters
        ).fetchone()
        if row is None:
            return None
        changed, stuck, filenode = row
        self._place = window.after
        if self._filenode and filenode != self._filenode:
            # rewritten under us (VACUUM FULL, CLUSTER): pages mean something else now, and going over them again is safe
            self._place, self._filenode = None, filenode
        return Committed(rows=changed, seen=0, stuck=stuck, units=window.units)

    def learn(self, rows: int, seconds: float, target_seconds: float) -> None:
        """Bound the next windows by the rows they may hold."""
        if rows >= LEAST_ROWS:
            rate = rows / max(seconds, 1e-6)
            self._row_rate = rate if self._row_rate is None else 0.8 * self._row_rate + 0.2 * rate
        if self._row_rate is not None:
            self.size.most = self._most(self._row_rate * target_seconds * _ROOM)

    def _most(self, rows: float) -> int:
        pages = int(min(rows, MOST_ROWS) * self._passes / self._ground.rows_per_page())
        return max(1, pages) * SLOTS

    def _next(self, units: int, passes: int | None) -> windows.Window | None:
        return windows.next_window(
            self._place,
            units=units,
            lo=self._lo,
            hi=self._hi,
            passes=min(self._passes, passes or self._passes),
            windows_per_group=self._ground.windows_per_group,
        )

    def _statement(self, passes: int, *, skip_locked: bool) -> LiteralString:
        variant = (passes, skip_locked)
        if variant not in self._statements:
            ground = self._ground
            self._statements[variant] = ground.text(
                windows.batch_statement(
                    schema=ground.schema,
                    change=ground.change,
                    passes=passes,
                    check=ground.change.action == "update" and not ground.definition.expressions.where_reads_other_rows,
                    fence=ground.fence(),
                    skip_locked=skip_locked,
                )
            )
        return self._statements[variant]

    def next_row(self) -> tuple[Mapping[str, Any] | None, Any]:
        """The row at the next tuple slot."""
        window = self._next(1, None)
        if window is None:
            return None, None
        names = self._ground.strategy.key.names if self._ground.strategy.key else ()
        parts: list[sql.Composable] = [sql.SQL("{}, {}::text").format(sql.Literal(name), sql.Identifier(name)) for name in names]
        parts = parts or [sql.SQL("'ctid', ctid::text")]
        query = sql.SQL("SELECT jsonb_build_object({}) FROM ONLY {} WHERE ctid >= %(from)s::tid AND ctid < %(to)s::tid").format(
            sql.SQL(", ").join(parts), relation_sql(*self._ground.relation)
        )
        row = self._ground.target.connection.execute(query, windows.batch_words(window, oid=0)).fetchone()
        return (row[0] if row else None), window.after.as_json()

    def fraction(self) -> float | None:
        """Pages that are behind us."""
        return windows.fraction(self._place, lo=self._lo, hi=self._hi)


class KeyWalk:
    """Along a unique key."""

    def __init__(self, ground: Ground, shard: Shard) -> None:
        self._ground = ground
        self._key = cast("Key", ground.strategy.key)
        self._statements: dict[tuple[bool, bool], LiteralString] = {}
        self._ended = False
        self._is_sweep = shard.round > 0
        # a row that is left out here would never be visited again
        self.skip_locked = False
        self.adopt(shard)
        self.most_rows: int | None = None
        self.size = BatchSize(first=FIRST_ROWS, least=LEAST_ROWS, most=MOST_ROWS)
        for name, value in keyset.PLANNER_SETTINGS.items():
            ground.target.connection.execute("SELECT set_config(%s, %s, false)", (name, value))

    def adopt(self, shard: Shard) -> None:
        """Stand where the checkpoint stands."""
        self._cursor: list[str] | None = shard.cur or shard.lo
        self._end: list[str] | None = shard.hi
        self._seen = shard.rows_seen
        self._ended = False

    def is_at_end(self) -> bool:
        """True where the last batch found no further row."""
        return self._ended

    def send(self, words: dict[str, Any], *, passes: int | None) -> Committed | None:  # noqa: ARG002 (keys have no passes)
        """Send the next stretch of keys."""
        units = min(self.size.units, self.most_rows or self.size.units)
        parameters = {**words, "units": units}
        parameters |= keyset.key_words("c", self._cursor) | keyset.key_words("h", self._end)
        row = self._ground.target.connection.execute(self._statement(), parameters).fetchone()
        if row is None:
            return None
        changed, seen, place = row
        self._cursor = place or self._cursor
        self._seen += seen
        self._ended = seen < units
        return Committed(rows=changed, seen=seen, stuck=0, units=max(seen, 1))

    def learn(self, rows: int, seconds: float, target_seconds: float) -> None:
        """Nothing: its size counts rows already."""

    def _statement(self) -> LiteralString:
        variant = (self._cursor is not None, self._end is not None)
        if variant not in self._statements:
            ground = self._ground
            self._statements[variant] = ground.text(
                keyset.batch_statement(
                    schema=ground.schema,
                    change=ground.change,
                    key=self._key,
                    has_cursor=variant[0],
                    has_end=variant[1],
                    is_sweep=self._is_sweep,
                    fence=ground.fence(),
                )
            )
        return self._statements[variant]

    def next_row(self) -> tuple[Mapping[str, Any] | None, Any]:
        """The first row behind the cursor."""
        query = keyset.next_key_statement(self._ground.relation, self._key, has_cursor=self._cursor is not None)
        row = self._ground.target.connection.execute(query, keyset.key_words("c", self._cursor)).fetchone()
        if row is None:
            return None, None
        return dict(zip(self._key.names, row, strict=True)), list(row)

    def fraction(self) -> float | None:
        """Rows that are behind us, of those the catalog counts."""
        rows = self._ground.table.reltuples * self._ground.share
        return min(1.0, self._seen / rows) if rows > 0 else None
