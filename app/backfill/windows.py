"""Walk P: page windows of the heap; an update visits each in interleaved passes that commit separately.

The second pass finds the first one's old row versions dead and puts its new ones into their place on the same page: less WAL,
hardly any growth. It needs a change that ends its own condition, since a window may be visited again.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from psycopg import sql

from app.backfill.change import Change
from app.backfill.statements import relation_sql

#: Line pointers that a page can hold at most; one page counts as so many units of size.
SLOTS = 2048

# The count that is passed on to the checkpoint comes from the change itself; no client stands between the two.
BATCH = """
WITH headgate_fence AS MATERIALIZED (
    SELECT 1 FROM {schema}.shard
     WHERE job = %(job)s AND no = %(no)s AND epoch = %(epoch)s AND batches = %(batches)s AND state = 'running'{fence}
       FOR NO KEY UPDATE),
headgate_changed AS ({change}),
headgate_counted AS MATERIALIZED (
    SELECT count(*) AS changed, count(*) FILTER (WHERE still) AS stuck FROM headgate_changed)
UPDATE {schema}.shard
   SET cur = %(after)s::jsonb, rows_done = rows_done + c.changed, round_rows = round_rows + c.changed, batches = batches + 1,
       updated_at = clock_timestamp()
  FROM headgate_counted c
 WHERE job = %(job)s AND no = %(no)s AND epoch = %(epoch)s AND batches = %(batches)s AND EXISTS (SELECT 1 FROM headgate_fence)
RETURNING c.changed, c.stuck, pg_relation_filenode(%(oid)s::oid)::bigint
"""
#: The tuples of a window, in one pass of several.
ALL_ROWS = "EXISTS (SELECT 1 FROM headgate_fence) AND {row}.ctid >= %(from)s::tid AND {row}.ctid < %(to)s::tid {passes}"
#: The same without rows that others hold: those are left to the sweep.
FREE_ROWS = """EXISTS (SELECT 1 FROM headgate_fence) AND {row}.ctid = ANY (ARRAY(
           SELECT {row}.ctid FROM ONLY {relation}{alias}
            WHERE EXISTS (SELECT 1 FROM headgate_fence) AND {row}.ctid >= %(from)s::tid AND {row}.ctid < %(to)s::tid {passes}
              AND (
{where}
) FOR NO KEY UPDATE SKIP LOCKED))"""
ONE_IN_MANY = "AND get_byte(tidsend({row}.ctid), 5) %% {passes} = %(pass)s"


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowPlace:
    """Where the walk stands: in which group of pages, in which pass over it, at which tuple."""

    #: first page of the group, and the page after its last
    start: int
    end: int
    passes: int
    number: int
    page: int
    slot: int = 0

    @property
    def is_group_done(self) -> bool:
        """True when every pass over the group is done."""
        return self.number >= self.passes

    def as_json(self) -> dict[str, int]:
        """JSON values for the checkpoint."""
        return {name: getattr(self, name) for name in ("start", "end", "passes", "number", "page", "slot")}

    @classmethod
    def from_json(cls, content: Mapping[str, int] | None) -> "WindowPlace | None":
        """The place that ``as_json`` wrote."""
        return None if content is None else cls(**content)


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The next batch: tuples from ``first`` up to, not including, ``last``, of one pass; ``after`` is the place behind it."""

    first: tuple[int, int]
    last: tuple[int, int]
    passes: int
    number: int
    after: WindowPlace

    @property
    def units(self) -> int:
        """Its size in tuple slots."""
        return (self.last[0] - self.first[0]) * SLOTS + self.last[1] - self.first[1]


def next_window(
    place: WindowPlace | None, *, units: int, lo: int, hi: int, passes: int, windows_per_group: int = 1
) -> Window | None:
    """The window after ``place``, about ``units`` slots large, within pages ``lo`` to ``hi``; None at the end.

    ``passes`` and ``windows_per_group`` count when a new group begins; a group that was begun keeps its own.
    """
    pages = max(1, units // SLOTS)
    if place is None or place.is_group_done:
        start = lo if place is None else place.end
        if start >= hi:
            return None
        end = min(hi, start + pages * windows_per_group)
        place = WindowPlace(start=start, end=end, passes=passes, number=0, page=start)
    first = (place.page, place.slot)
    last = (min(place.end, place.page + pages), 0) if units >= SLOTS else _within_page(first, units)
    return Window(first=first, last=last, passes=place.passes, number=place.number, after=_after(place, last))


def _within_page(first: tuple[int, int], units: int) -> tuple[int, int]:
    page, slot = first
    return (page, slot + units) if slot + units < SLOTS else (page + 1, 0)


def _after(place: WindowPlace, last: tuple[int, int]) -> WindowPlace:
    """The place behind a window; at the group's end the next pass begins at its start."""
    if last[0] < place.end:
        page, slot, number = *last, place.number
    else:
        page, slot, number = place.start, 0, place.number + 1
    return WindowPlace(start=place.start, end=place.end, passes=place.passes, number=number, page=page, slot=slot)


def fraction(place: WindowPlace | None, *, lo: int, hi: int) -> float:
    """How much of the pages is behind us, 0 to 1."""
    if hi <= lo:
        return 1.0
    if place is None:
        return 0.0
    size = max(place.end - place.start, 1)
    inside = (place.number + (place.page - place.start) / size) / place.passes
    return min(1.0, max(0.0, (place.start - lo + min(inside, 1.0) * size) / (hi - lo)))


def batch_statement(
    *, schema: str, change: Change, passes: int, check: bool, fence: sql.Composable, skip_locked: bool = False
) -> sql.Composed:
    """Statement P.

    ``check`` also counts rows that still match after an update, ``skip_locked`` leaves out rows that others hold.
    """
    rows = sql.SQL(FREE_ROWS if skip_locked else ALL_ROWS).format(
        row=change.row,
        relation=relation_sql(*change.relation),
        alias=change.named(),
        where=change.where(),
        passes=sql.SQL("") if passes == 1 else sql.SQL(ONE_IN_MANY).format(row=change.row, passes=sql.Literal(passes)),
    )
    done = change.statement(rows, returning=change.still()) if check else change.statement(rows)
    return sql.SQL(BATCH).format(schema=sql.Identifier(schema), change=done, fence=fence)


def batch_words(window: Window, *, oid: int) -> dict[str, Any]:
    """The parameters of statement P that depend on the window, without the checkpoint's."""
    words: dict[str, Any] = {"from": "({},{})".format(*window.first), "to": "({},{})".format(*window.last), "oid": oid}
    if window.passes > 1:
        words["pass"] = window.number
    return words
