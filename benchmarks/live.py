"""How soon fifty people see an event: from its commit to the bytes in each of their streams."""

import asyncio
import random
import re
import time

from app.run.events import StepFinished
from app.store.events import append_event
from benchmarks._web_ground import Ground, figure, ground, percentile

WATCHERS, EVENTS = 50, 60
#: between two events: steps, decisions and batches as a busy run makes them
REST_SECONDS = 0.25
P95_MS = 500
_NUMBER = re.compile(rb"id: (\d+)\nevent: log")


async def watch(made: Ground, after: int, arrived: dict[int, list[float]], ready: asyncio.Semaphore) -> None:
    """One watcher: notes when each line came."""
    reader, writer = await asyncio.open_connection("localhost", made.port)
    request = (
        f"GET /runs/{made.run}/stream?after={after} HTTP/1.1\r\nHost: localhost:{made.port}\r\nCookie: {made.cookie}\r\n\r\n"
    )
    writer.write(request.encode())
    is_ready, rest = False, b""
    try:
        while chunk := await reader.read(65536):
            now = time.perf_counter()
            rest += chunk
            if not is_ready and b"event: signals" in rest:
                is_ready = True
                ready.release()
            for number in _NUMBER.findall(rest):
                arrived.setdefault(int(number), []).append(now)
            rest = rest[-40:] if not _NUMBER.search(rest[-40:]) else b""
    finally:
        writer.close()


def write(made: Ground, number: int) -> tuple[int, float]:
    """One event, committed; its number and the moment of the commit."""
    with made.world.sessions.begin() as session:
        event = append_event(session, made.run, StepFinished(step=f"s{number}", duration_ms=1.0))
    return event, time.perf_counter()


async def measure(made: Ground, after: int) -> list[float]:
    """Milliseconds of every event to every watcher."""
    arrived: dict[int, list[float]] = {}
    ready = asyncio.Semaphore(0)
    watchers = [asyncio.create_task(watch(made, after, arrived, ready)) for _ in range(WATCHERS)]
    for _ in watchers:
        await ready.acquire()
    committed = {}
    for number in range(EVENTS):
        event, at = await asyncio.to_thread(write, made, number)
        committed[event] = at
        await asyncio.sleep(random.expovariate(1 / REST_SECONDS))
    await asyncio.sleep(2)
    for task in watchers:
        task.cancel()
    await asyncio.gather(*watchers, return_exceptions=True)
    for event in committed:
        if len(arrived.get(event, [])) != WATCHERS:
            raise SystemExit(f"event {event} came {len(arrived.get(event, []))} times to {WATCHERS} watchers")
    return [(moment - committed[event]) * 1000 for event, moments in arrived.items() if event in committed for moment in moments]


def main() -> None:
    """Fifty watchers of one run."""
    with ground() as made:
        after, _ = write(made, 0)
        seen = asyncio.run(measure(made, after))
        figure("live", "event to 50 watchers, p50", percentile(seen, 0.5), P95_MS)
        figure("live", "event to 50 watchers, p95", percentile(seen, 0.95), P95_MS)


if __name__ == "__main__":
    main()
