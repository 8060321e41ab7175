"""The hub and the stream: nothing missed, nothing twice, a burst rendered once, and nobody's stream for strangers."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest

from app.run.events import StepFinished
from app.run.states import RunState
from app.store.events import append_event
from app.web import live
from app.web.live import Frames, Hub, encode
from app.web.routes.live import EventStream
from tests.doubles.world import World
from tests.web.site import Site

_NUMBER = re.compile(rb"id: (\d+)\nevent: log")


def write(world: World, run_id: int, count: int = 1) -> None:
    """Events as a worker appends them, each in a transaction of its own."""
    for number in range(count):
        with world.sessions.begin() as session:
            append_event(session, run_id, StepFinished(step=f"s{number}", duration_ms=1.0))


@dataclass
class Watcher:
    """Reads a stream to itself until it has seen what it waits for."""

    stream: AsyncIterator[bytes]
    numbers: list[int] = field(default_factory=list)
    text: bytes = b""

    async def until(self, done: Callable[["Watcher"], bool], seconds: float = 10.0) -> None:
        async with asyncio.timeout(seconds):
            while not done(self):
                chunk = await anext(self.stream)
                self.text += chunk
                self.numbers += [int(number) for number in _NUMBER.findall(chunk)]


def on_hub(site: Site, story: Callable[[Hub], object]) -> None:
    """Run a story with the application's own hub, really listening."""

    async def play() -> None:
        hub = site.app.state.hub
        hub.start()
        try:
            await story(hub)
        finally:
            await hub.stop()

    # in a thread of its own: a browser test before this one may have left a loop running in ours
    with ThreadPoolExecutor(1) as alone:
        alone.submit(asyncio.run, play()).result()


def test_an_event_reaches_a_watcher_with_its_number_and_the_parts_that_changed(site: Site):
    run = site.world.started()

    async def story(hub: Hub) -> None:
        watcher = Watcher(hub.watch(run.id, 0))
        await watcher.until(lambda seen: b"event: signals" in seen.text)
        first = len(watcher.numbers)
        await asyncio.to_thread(write, site.world, run.id)
        await watcher.until(lambda seen: len(seen.numbers) > first)
        assert watcher.numbers == list(range(1, first + 2))
        assert b"event: header" in watcher.text

    on_hub(site, story)


def test_a_watcher_that_comes_back_gets_what_it_missed_and_nothing_twice(site: Site):
    run = site.world.started()
    write(site.world, run.id, 5)

    async def story(hub: Hub) -> None:
        stream = hub.watch(run.id, 0)
        first = Watcher(stream)
        await first.until(lambda seen: len(seen.numbers) >= 5)
        last = max(first.numbers)
        await stream.aclose()
        await asyncio.to_thread(write, site.world, run.id, 7)
        again = Watcher(hub.watch(run.id, last))
        await asyncio.to_thread(write, site.world, run.id, 3)
        await again.until(lambda seen: bool(seen.numbers) and max(seen.numbers) >= last + 10)
        assert again.numbers == list(range(last + 1, last + 11))

    on_hub(site, story)


def test_two_who_come_at_once_while_events_arrive_see_every_one_of_them_once(site: Site):
    run = site.world.started()

    async def story(hub: Hub) -> None:
        watchers = [Watcher(hub.watch(run.id, 0)) for _ in range(2)]
        waiting = [asyncio.create_task(watcher.until(lambda seen: len(seen.numbers) >= 31)) for watcher in watchers]
        await asyncio.to_thread(write, site.world, run.id, 30)
        await asyncio.gather(*waiting)
        for watcher in watchers:
            assert watcher.numbers == list(range(1, len(watcher.numbers) + 1))

    on_hub(site, story)


def test_a_burst_is_rendered_a_few_times_not_once_an_event(site: Site):
    run = site.world.started()
    hub: Hub = site.app.state.hub
    rendered: list[int] = []
    render = hub._render

    def counting(run_id: int, after: int) -> Frames:
        rendered.append(after)
        return render(run_id, after)

    hub._render = counting

    async def story(hub: Hub) -> None:
        watcher = Watcher(hub.watch(run.id, 0))
        await watcher.until(lambda seen: bool(seen.numbers))
        await asyncio.to_thread(write, site.world, run.id, 60)
        await watcher.until(lambda seen: len(seen.numbers) >= 61)
        assert len(rendered) < 30

    on_hub(site, story)


def test_fifty_watchers_see_the_same_lines(site: Site):
    run = site.world.started()

    async def story(hub: Hub) -> None:
        watchers = [Watcher(hub.watch(run.id, 1)) for _ in range(50)]
        waiting = [asyncio.create_task(watcher.until(lambda seen: len(seen.numbers) >= 10)) for watcher in watchers]
        await asyncio.to_thread(write, site.world, run.id, 10)
        await asyncio.gather(*waiting)
        assert {tuple(watcher.numbers) for watcher in watchers} == {tuple(range(2, 12))}
        assert hub.watchers == 50
        for watcher in watchers:
            await watcher.stream.aclose()
        assert hub.watchers == 0

    on_hub(site, story)


def test_a_watched_run_is_looked_at_again_although_nobody_rang(site: Site, monkeypatch: pytest.MonkeyPatch):
    run = site.world.started()
    monkeypatch.setattr(live, "LOOK_SECONDS", 0.1)

    async def story(hub: Hub) -> None:
        watcher = Watcher(hub.watch(run.id, 0))
        await watcher.until(lambda seen: b"event: header" in seen.text)
        # moved without an event and without a notice
        await asyncio.to_thread(site.world.driven, run, RunState.RUNNING)
        await watcher.until(lambda seen: b"Running" in seen.text)

    on_hub(site, story)


def test_a_run_that_is_over_ends_its_stream(site: Site):
    run = site.world.started()
    site.world.driven(run, RunState.COMPLETED)

    async def story(hub: Hub) -> None:
        watcher = Watcher(hub.watch(run.id, 0))
        await watcher.until(lambda seen: b"event: over" in seen.text)
        with pytest.raises(StopAsyncIteration):
            await anext(watcher.stream)

    on_hub(site, story)


def test_a_silent_stream_says_that_it_is_alive(site: Site, monkeypatch: pytest.MonkeyPatch):
    run = site.world.started()
    monkeypatch.setattr(live, "PING_SECONDS", 0.05)

    async def story(hub: Hub) -> None:
        await Watcher(hub.watch(run.id, 0)).until(lambda seen: b"event: ping" in seen.text)

    on_hub(site, story)


def test_the_stream_refuses_strangers_and_outsiders(site: Site):
    run = site.world.started()
    assert site.stranger().get(f"/runs/{run.id}/stream").status_code in {303, 401}
    assert site.browser("outsider").get(f"/runs/{run.id}/stream").status_code in {403, 404}
    assert site.browser("viewer").get("/runs/999999/stream").status_code == 404


def test_the_stream_ends_when_the_browser_goes(site: Site):
    run = site.world.started()
    sent: list[dict] = []

    async def story(hub: Hub) -> None:
        gone = asyncio.Event()

        async def receive() -> dict:
            await gone.wait()
            return {"type": "http.disconnect"}

        async def send(message: dict) -> None:
            sent.append(message)
            if b"event: signals" in message.get("body", b""):
                gone.set()

        async with asyncio.timeout(10):
            await EventStream(hub, run.id, 0)({"type": "http"}, receive, send)
        assert hub.watchers == 0

    on_hub(site, story)
    assert sent[0]["status"] == 200
    assert (b"cache-control", b"no-store") in sent[0]["headers"]


def test_a_frame_keeps_its_lines():
    assert encode("log", "a\nb", 7) == b"id: 7\nevent: log\ndata: a\ndata: b\n\n"
    assert encode("ping", "") == b"event: ping\ndata: \n\n"
