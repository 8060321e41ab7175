"""The sample shop's application: a few connections, some eighty statements a second, for ever. Started as a process of its own.

It behaves as an application does during a migration: some seconds after ``users.role`` appears its next release is live, which
writes the new column. It never reads ``SELECT *``.
"""

import random
import signal
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any
from uuid import uuid4

import psycopg
from psycopg.conninfo import conninfo_to_dict

from app.embedded.latency import Latency, write_report

CONNECTIONS = 4
#: one visitor's click; it makes one to four statements
REST_SECONDS = 0.09
RELEASE_SECONDS = 5.0
RECONNECT_SECONDS = 1.0
REPORT_SECONDS = 1.0

FIND_USER = "SELECT id, email, full_name, country FROM users WHERE id = %(user)s"
LATEST_ORDERS = "SELECT id, status, total_cents, placed_at FROM orders WHERE user_id = %(user)s ORDER BY placed_at DESC LIMIT 10"
ORDER_LINES = """
SELECT i.line, p.name, i.quantity, i.price_cents
FROM order_items AS i JOIN products AS p ON p.id = i.product_id
WHERE i.order_id = %(order)s ORDER BY i.line
"""
SEEN = "UPDATE users SET last_seen_at = now() WHERE id = %(user)s"
PLACE_ORDER = "INSERT INTO orders (user_id, total_cents) VALUES (%(user)s, %(total)s) RETURNING id"
ADD_LINE = """
INSERT INTO order_items (order_id, line, product_id, quantity, price_cents)
VALUES (%(order)s, %(line)s, %(product)s, 1, %(price)s)
"""
SHIP = "UPDATE orders SET status = 'shipped', shipped_at = now() WHERE id = %(order)s AND status = 'placed'"
SIGN_UP = "INSERT INTO users (email, full_name, country) VALUES (%(email)s, 'New Visitor', 'DE')"
SIGN_UP_WITH_ROLE = "INSERT INTO users (email, full_name, country, role) VALUES (%(email)s, 'New Visitor', 'DE', 'member')"
COUNTS = "SELECT (SELECT max(id) FROM users), (SELECT max(id) FROM orders), (SELECT max(id) FROM products)"
HAS_ROLE = """
SELECT EXISTS (
    SELECT 1 FROM pg_catalog.pg_attribute
    WHERE attrelid = to_regclass('public.users') AND attname = 'role' AND NOT attisdropped
)
"""


class Release:
    """Which release of the application is live: the next one follows the new column after some seconds."""

    def __init__(self) -> None:
        """The old release is live."""
        self._seen_at: float | None = None

    def notice(self, *, has_role: bool, at: float) -> None:
        """Take note of whether the column is there; where it goes away the old release is back at once."""
        if not has_role:
            self._seen_at = None
        elif self._seen_at is None:
            self._seen_at = at

    def writes_role(self, at: float) -> bool:
        """True once the release that writes both is live."""
        return self._seen_at is not None and at - self._seen_at >= RELEASE_SECONDS


@dataclass(slots=True, kw_only=True)
class Visitors:
    """One connection's share of the shop's visitors."""

    dsn: str
    latency: Latency
    release: Release
    ending: threading.Event
    dice: random.Random
    counts: tuple[int, int, int] = (1, 1, 1)

    def run(self) -> None:
        """Click until the end; a lost connection is opened again, as a pool would."""
        while not self.ending.is_set():
            try:
                with psycopg.connect(self.dsn, autocommit=True, application_name="shop", connect_timeout=5) as connection:
                    self.counts = self.ask(connection, COUNTS, {})[0]
                    self._click_until_lost(connection)
            except psycopg.Error as error:
                self.latency.record_error(_words(error))
                self.ending.wait(RECONNECT_SECONDS)

    def _click_until_lost(self, connection: psycopg.Connection) -> None:
        while not self.ending.wait(self.dice.expovariate(1 / REST_SECONDS)):
            try:
                self._click(connection)
            except psycopg.Error as error:
                self.latency.record_error(_words(error))
                if connection.closed:
                    return

    def _click(self, connection: psycopg.Connection) -> None:
        clicks: list[Callable[[psycopg.Connection], None]] = [self.browse, self.visit, self.order, self.ship, self.sign_up]
        (click,) = self.dice.choices(clicks, weights=[60, 20, 12, 6, 2])
        click(connection)

    def ask(self, connection: psycopg.Connection, statement: str, values: dict[str, Any]) -> list[Any]:
        """Run one statement and take its time; the rows, if it has any."""
        began = time.perf_counter()
        cursor = connection.execute(statement, values)
        rows = cursor.fetchall() if cursor.description else []
        self.latency.record(at=time.monotonic(), milliseconds=(time.perf_counter() - began) * 1000)
        return rows

    def browse(self, connection: psycopg.Connection) -> None:
        """Look at an account and its orders."""
        user = self._user()
        self.ask(connection, FIND_USER, {"user": user})
        self.ask(connection, LATEST_ORDERS, {"user": user})

    def visit(self, connection: psycopg.Connection) -> None:
        """Come back: seen now, and look at an order."""
        self.ask(connection, SEEN, {"user": self._user()})
        self.ask(connection, ORDER_LINES, {"order": self.dice.randint(1, self.counts[1])})

    def order(self, connection: psycopg.Connection) -> None:
        """Place an order with two lines, in one transaction."""
        with connection.transaction():
            ((order,),) = self.ask(connection, PLACE_ORDER, {"user": self._user(), "total": self.dice.randint(990, 40_000)})
            for line in (1, 2):
                product = self.dice.randint(1, self.counts[2])
                self.ask(
                    connection,
                    ADD_LINE,
                    {"order": order, "line": line, "product": product, "price": self.dice.randint(490, 9900)},
                )

    def ship(self, connection: psycopg.Connection) -> None:
        """Ship one of the recent orders."""
        newest = self.counts[1]
        self.ask(connection, SHIP, {"order": self.dice.randint(max(1, newest - 5000), newest)})

    def sign_up(self, connection: psycopg.Connection) -> None:
        """A new account, with a role if the release that is live writes one; its address is new after every restart, too."""
        statement = SIGN_UP_WITH_ROLE if self.release.writes_role(time.monotonic()) else SIGN_UP
        self.ask(connection, statement, {"email": f"visitor-{uuid4().hex}@example.com"})

    def _user(self) -> int:
        return self.dice.randint(1, self.counts[0])


def run_traffic(dsn: str, report: Path, ending: threading.Event) -> None:
    """Keep the shop busy until ``ending``; ``report`` has the last seconds' figures and whether the next release is live."""
    latency = Latency(database=str(conninfo_to_dict(dsn)["dbname"]))
    release = Release()
    visitors = [
        Visitors(dsn=dsn, latency=latency, release=release, ending=ending, dice=random.Random(number))  # noqa: S311  # not a secret
        for number in range(CONNECTIONS)
    ]
    threads = [threading.Thread(target=each.run, daemon=True) for each in visitors]
    for thread in threads:
        thread.start()
    while not ending.wait(REPORT_SECONDS):
        _notice_release(dsn, release)
        now = time.monotonic()
        write_report({**latency.report(at=now), "writes_role": release.writes_role(now)}, report)
    for thread in threads:
        thread.join(2)


def _notice_release(dsn: str, release: Release) -> None:
    try:
        with psycopg.connect(dsn, autocommit=True, application_name="shop deploy", connect_timeout=2) as connection:
            row = connection.execute(HAS_ROLE).fetchone()
    except psycopg.Error:
        return  # the visitors count the errors; the next look is in a second
    release.notice(has_role=bool(row and row[0]), at=time.monotonic())


def _words(error: psycopg.Error) -> str:
    return f"{error.sqlstate or type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"


def main(arguments: list[str]) -> None:
    """``DSN_FILE REPORT``: the connection string comes by file, so that its password is not on the command line."""
    dsn_file, report = (Path(argument) for argument in arguments)
    ending = threading.Event()

    def end(_number: int, _frame: FrameType | None) -> None:
        ending.set()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    run_traffic(dsn_file.read_text().strip(), report, ending)


if __name__ == "__main__":
    main(sys.argv[1:])
