"""The swap on a real server: both names change or none, and only sessions that were agreed to are ended."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace

import psycopg
import pytest

from app.backup.swap import SwapOrder, SwapRefusedError, sessions_on, swap
from tests.doubles.databases import Database


@pytest.fixture
def order(shop: Database) -> Iterator[SwapOrder]:
    """The shop, and an empty database that should take its place."""
    made = SwapOrder(dsn=shop.dsn, live=shop.name, comes=f"{shop.name}_new", goes=f"{shop.name}_old")
    shop.execute(f'CREATE DATABASE "{made.comes}" TEMPLATE template0')
    try:
        yield made
    finally:
        with psycopg.connect(shop.server.dsn(), autocommit=True) as connection:
            for name in (made.comes, made.goes):
                connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def has_users(shop: Database) -> bool:
    return shop.value("SELECT to_regclass('users')") is not None


def names(shop: Database) -> set[str]:
    with psycopg.connect(shop.server.dsn()) as connection:
        rows = connection.execute("SELECT datname FROM pg_database WHERE starts_with(datname, %s)", [shop.name]).fetchall()
    return {name.removeprefix(shop.name) for (name,) in rows}


def test_a_swap_and_the_swap_back(shop: Database, order: SwapOrder):
    assert swap(order).ended == ()
    assert (has_users(shop), names(shop)) == (False, {"", "_old"})
    assert swap(order).seconds == 0, "an attempt that was cut off after the swap finds it done"
    swap(replace(order, comes=order.goes, goes=order.comes))
    assert (has_users(shop), names(shop)) == (True, {"", "_new"})


def test_a_session_that_nobody_agreed_to_end_stops_it_and_is_named(shop: Database, order: SwapOrder):
    with shop.connect() as billing:
        billing.execute("SET application_name = 'billing'")
        with pytest.raises(SwapRefusedError, match="nobody agreed to end it: billing as"):
            swap(order)
        assert billing.execute("SELECT count(*) FROM users").fetchone() == (1000,)
    assert names(shop) == {"", "_new"}


def test_sessions_that_were_agreed_to_are_ended_also_when_they_come_again(shop: Database, order: SwapOrder):
    pool = psycopg.connect(shop.dsn, autocommit=True, application_name="pool")
    seen = sessions_on(shop.dsn, [order.live, order.comes])
    assert [(session.application, session.database) for session in seen] == [("pool", shop.name)]
    pool.close()
    again = psycopg.connect(shop.dsn, autocommit=True, application_name="pool")
    done = swap(replace(order, may_end=frozenset(session.kind for session in seen)))
    assert [session.pid for session in done.ended] == [again.info.backend_pid]
    with pytest.raises(psycopg.OperationalError):
        again.execute("SELECT 1")
    assert not has_users(shop)


def test_a_session_that_stays_leaves_every_name_as_it_was(shop: Database, order: SwapOrder):
    from app.backup import swap as module

    stranger: list[psycopg.Connection] = []
    look, calls = module._sessions, []

    def and_then_somebody_comes(target, databases):
        found = look(target, databases)
        if not calls:
            stranger.append(psycopg.connect(shop.dsn, application_name="late"))
        calls.append(1)
        return found

    module._sessions = and_then_somebody_comes
    try:
        with pytest.raises(SwapRefusedError, match=r"Sessions stayed.*late as"):
            swap(order)
    finally:
        module._sessions = look
        stranger[0].close()
    assert (names(shop), has_users(shop)) == ({"", "_new"}, True)


def test_a_name_that_is_taken_or_gone_is_said_before_anything_is_ended(shop: Database, order: SwapOrder):
    with pytest.raises(SwapRefusedError, match="exists, and the old one"):
        swap(replace(order, goes="postgres"))
    with pytest.raises(SwapRefusedError, match="no database named nowhere"):
        swap(replace(order, comes="nowhere", goes="elsewhere"))


def test_a_prepared_transaction_is_named(shop: Database, order: SwapOrder):
    with shop.connect(autocommit=False) as connection:
        connection.execute("INSERT INTO users VALUES (0, 'x')")
        connection.execute("PREPARE TRANSACTION 'half done'")
    with pytest.raises(SwapRefusedError, match="half done"):
        swap(order)
    with suppress(psycopg.Error):
        shop.execute("ROLLBACK PREPARED 'half done'")
