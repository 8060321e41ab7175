"""How long pages take with 200 plans, a run of 5,000 events, and four people at once: from the request to the last byte."""

import http.client
import threading
import time

from benchmarks._web_ground import Ground, figure, ground, percentile

USERS, REQUESTS, WARM = 4, 60, 10
P50_MS, P95_MS = 25, 80


def measure(made: Ground, path: str) -> list[float]:
    """Milliseconds of each request to a path, by four people at once, each on a connection of its own."""
    seen: list[float] = []

    def person() -> None:
        connection = http.client.HTTPConnection("localhost", made.port)
        for number in range(WARM + REQUESTS):
            began = time.perf_counter()
            connection.request("GET", path, headers={"cookie": made.cookie})
            answer = connection.getresponse()
            answer.read()
            if answer.status != http.HTTPStatus.OK:
                raise SystemExit(f"{path} answered {answer.status}")
            if number >= WARM:
                seen.append((time.perf_counter() - began) * 1000)
            # a person reads: four who only click would measure the queue, not the page
            time.sleep(0.1)

    people = [threading.Thread(target=person) for _ in range(USERS)]
    for one in people:
        one.start()
    for one in people:
        one.join()
    return seen


def main() -> None:
    """Every page that has a bar."""
    with ground() as made:
        for name, path in (("home", "/"), ("plans", "/plans"), ("plan", f"/plans/{made.plan}"), ("run", f"/runs/{made.run}")):
            seen = measure(made, path)
            figure("pages", f"{name}, p50", percentile(seen, 0.5), P50_MS)
            figure("pages", f"{name}, p95", percentile(seen, 0.95), P95_MS)


if __name__ == "__main__":
    main()
