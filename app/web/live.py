"""The hub: one listening connection a web process, however many people watch; what changed is rendered once for all of them.

Lines of the log are sent once each, with their number as the event's id; every other part of the page replaces itself whole, so
that a frame may be sent twice or left out without harm. A watcher that comes back says the last number it saw and gets the rest
out of the database. Measured: a subscription a watcher costs 1,000 connections at 1,000 watchers, one hub none.
"""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import psycopg

logger = logging.getLogger("headgate.live")

#: a run is rendered at most so often: people read two changes a second, machines pay for each
COALESCE_SECONDS = 0.3
#: a watched run is looked at so often even where nobody rang: a lost notice, or figures that no event tells of
LOOK_SECONDS = 5.0
PING_SECONDS = 15.0
RETRY_SECONDS = 1.0
_RING = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Frames:
    """What a run's page shows now, rendered."""

    #: of the newest line
    number: int
    #: lines after the number that was asked for, oldest first: (number, HTML)
    lines: Sequence[tuple[int, str]]
    #: region -> its whole HTML
    parts: Mapping[str, str]
    #: True where nothing will move any more
    is_over: bool = False


#: (run id, lines after this number) -> frames; called in a thread, with a session of its own
Render = Callable[[int, int], Frames]


def encode(event: str, data: str, number: int | None = None) -> bytes:
    """One frame of a server-sent event stream."""
    lines = [] if number is None else [f"id: {number}"]
    lines.append(f"event: {event}")
    lines += [f"data: {line}" for line in data.splitlines() or [""]]
    return ("\n".join(lines) + "\n\n").encode()


@dataclass(slots=True)
class _Frame:
    sequence: int
    #: of a log line; None for a part
    number: int | None
    content: bytes


@dataclass(slots=True)
class _Topic:
    """One run that somebody watches."""

    number: int = 0
    #: the number from which the ring begins
    first: int = 0
    sequence: int = 0
    ring: deque[_Frame] = field(default_factory=lambda: deque(maxlen=_RING))
    parts: dict[str, str] = field(default_factory=dict)
    watchers: int = 0
    is_over: bool = False
    moved: asyncio.Event = field(default_factory=asyncio.Event)
    wanted: asyncio.Event = field(default_factory=asyncio.Event)
    pump: asyncio.Task[None] | None = None

    def publish(self, frames: Frames) -> None:
        """Queue what is new in these frames and wake the watchers."""
        for number, html in frames.lines:
            if number > self.number:
                self._add(number, encode("log", html, number))
        self.number = max(self.number, frames.number)
        for name, html in frames.parts.items():
            if self.parts.get(name) != html:
                self.parts[name] = html
                self._add(None, encode(name, html))
        self.is_over = frames.is_over
        self.moved.set()
        self.moved = asyncio.Event()

    def _add(self, number: int | None, content: bytes) -> None:
        self.sequence += 1
        self.ring.append(_Frame(self.sequence, number, content))


class Hub:
    """Who watches what in this process."""

    def __init__(self, dsn: str, render: Render) -> None:
        """``dsn`` is Headgate's own database, reached directly: LISTEN does not pass a transaction pooler."""
        self._dsn = dsn
        self._render = render
        self._topics: dict[int, _Topic] = {}
        self._listener: asyncio.Task[None] | None = None
        self._closing = asyncio.Event()

    @property
    def watchers(self) -> int:
        """How many streams are open."""
        return sum(topic.watchers for topic in self._topics.values())

    def start(self) -> None:
        """Begin to listen; called inside the event loop."""
        self._listener = asyncio.create_task(self._listen(), name="headgate live listener")

    async def stop(self) -> None:
        """End every stream and stop listening, before the server waits for open responses."""
        self._closing.set()
        tasks = [topic.pump for topic in self._topics.values() if topic.pump] + ([self._listener] if self._listener else [])
        for topic in self._topics.values():
            topic.moved.set()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def watch(self, run_id: int, after: int) -> AsyncIterator[bytes]:
        """The stream of one watcher: what it missed after a number, the page's parts, then everything that comes."""
        topic = self._topics.setdefault(run_id, _Topic())
        topic.watchers += 1
        try:
            cursor, seen = await self._catch_up(run_id, topic, after)
            yield f"retry: {int(RETRY_SECONDS * 1000)}\n\n".encode()
            yield b"".join(encode("log", html, number) for number, html in seen.lines)
            yield b"".join(encode(name, html) for name, html in seen.parts.items())
            last = max(after, seen.number)
            while not self._closing.is_set():
                moved = topic.moved
                frames = [frame for frame in topic.ring if frame.sequence > cursor]
                cursor = topic.sequence
                fresh = [frame for frame in frames if frame.number is None or frame.number > last]
                last = max([last, *(frame.number for frame in fresh if frame.number is not None)])
                if fresh:
                    yield b"".join(frame.content for frame in fresh)
                if seen.is_over or topic.is_over:
                    yield encode("over", "")
                    return
                try:
                    await asyncio.wait_for(moved.wait(), PING_SECONDS)
                except TimeoutError:
                    # an event, not a comment: the page says since when it has heard nothing
                    yield encode("ping", "")
        finally:
            self._leave(run_id, topic)

    async def _catch_up(self, run_id: int, topic: _Topic, after: int) -> tuple[int, Frames]:
        """What a watcher missed, and the place in the ring from which it follows; no line falls between the two."""
        cursor = topic.sequence
        seen = await asyncio.to_thread(self._render, run_id, after)
        if topic.pump is None:
            topic.number = topic.first = seen.number
            topic.pump = asyncio.create_task(self._pump(run_id, topic), name=f"headgate live run {run_id}")
        elif seen.number < topic.first:
            # two came at once, and the other one's reading, from which the ring begins, was newer than ours
            seen = await asyncio.to_thread(self._render, run_id, after)
        return cursor, seen

    def _leave(self, run_id: int, topic: _Topic) -> None:
        topic.watchers -= 1
        if topic.watchers == 0:
            if topic.pump is not None:
                topic.pump.cancel()
            self._topics.pop(run_id, None)

    async def _pump(self, run_id: int, topic: _Topic) -> None:
        """Render a run whenever it moved, with a rest in between, so that a burst costs one rendering."""
        topic.wanted.set()
        while not self._closing.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(topic.wanted.wait(), LOOK_SECONDS)
            topic.wanted.clear()
            try:
                topic.publish(await asyncio.to_thread(self._render, run_id, topic.number))
            except Exception:  # the stream's edge: one failed rendering must not end the page for everybody
                logger.exception("Run %s could not be rendered for its watchers", run_id)
            await asyncio.sleep(COALESCE_SECONDS)

    async def _listen(self) -> None:
        """Hear of every run that moved; after a lost connection, look at every watched run once."""
        while not self._closing.is_set():
            try:
                async with await psycopg.AsyncConnection.connect(
                    self._dsn, autocommit=True, application_name="headgate live"
                ) as connection:
                    await connection.execute("LISTEN run_events")
                    self._look_at_all()
                    async for notice in connection.notifies():
                        self._hear(notice.payload)
            except psycopg.Error as error:
                logger.warning("The live pages lost their database (%s); they look again in a second.", type(error).__name__)
                await asyncio.sleep(RETRY_SECONDS)

    def _hear(self, payload: str) -> None:
        topic = self._topics.get(int(payload)) if payload.isdigit() else None
        if topic is not None:
            topic.wanted.set()

    def _look_at_all(self) -> None:
        for topic in self._topics.values():
            topic.wanted.set()
