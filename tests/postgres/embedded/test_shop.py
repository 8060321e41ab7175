"""The sample shop and its application, small: a real database, real traffic."""

import threading
from dataclasses import replace

import psycopg
import pytest

from app.embedded.folder import DataFolder
from app.embedded.latency import Latency
from app.embedded.shop import STAGING, Size, build_shop
from app.embedded.traffic import Release, Visitors, run_traffic

SMALL = replace(STAGING, name="shop_small", size=Size(users=300, products=20, orders=1000))


@pytest.fixture(scope="module")
def shop(postgres_server, tmp_path_factory):
    (built,) = build_shop(postgres_server, DataFolder(tmp_path_factory.mktemp("shop")), wanted=[SMALL])
    yield built
    with psycopg.connect(postgres_server.dsn(), autocommit=True) as connection:
        connection.execute("DROP DATABASE shop_small WITH (FORCE)")


@pytest.fixture
def visitors(shop):
    import random

    return Visitors(
        dsn=shop.application_dsn,
        latency=Latency(database=shop.name),
        release=Release(),
        ending=threading.Event(),
        dice=random.Random(1),  # noqa: S311  # a fixed seed, not a secret
        counts=(300, 1000, 20),
    )


def test_the_shop_has_its_rows_keys_and_statistics(shop):
    with psycopg.connect(shop.owner_dsn) as connection:
        counts = connection.execute(
            "SELECT (SELECT count(*) FROM users), (SELECT count(*) FROM orders), (SELECT count(*) FROM order_items)"
        ).fetchone()
        keys = connection.execute("SELECT count(*) FROM pg_constraint WHERE contype = 'f' AND convalidated").fetchone()
        analysed = connection.execute("SELECT bool_and(last_analyze IS NOT NULL) FROM pg_stat_user_tables").fetchone()
    assert counts == (300, 1000, 1500)
    assert keys == (3,)
    assert analysed == (True,)


def test_a_second_start_keeps_what_is_there(shop, postgres_server, tmp_path):
    with psycopg.connect(shop.owner_dsn) as connection:
        connection.execute("UPDATE products SET name = 'Renamed' WHERE id = 1")
    build_shop(postgres_server, DataFolder(tmp_path), wanted=[SMALL])
    with psycopg.connect(postgres_server.dsn(SMALL.name)) as connection:
        assert connection.execute("SELECT name FROM products WHERE id = 1").fetchone() == ("Renamed",)


def test_a_build_that_was_broken_off_is_done_again(postgres_server, tmp_path):
    half = replace(SMALL, name="shop_half")
    with psycopg.connect(postgres_server.dsn(), autocommit=True) as connection:
        connection.execute("CREATE DATABASE shop_half")
        (built,) = build_shop(postgres_server, DataFolder(tmp_path), wanted=[half])
        with psycopg.connect(built.owner_dsn) as owner:
            assert owner.execute("SELECT count(*) FROM users").fetchone() == (300,)
        connection.execute("DROP DATABASE shop_half WITH (FORCE)")


def test_no_password_reaches_the_statement_statistics(shop, postgres_server, tmp_path):
    folder = DataFolder(tmp_path)
    build_shop(postgres_server, folder, wanted=[SMALL])
    with psycopg.connect(postgres_server.dsn(SMALL.name)) as connection:
        seen = connection.execute(
            "SELECT count(*) FROM pg_stat_statements WHERE query LIKE %(secret)s",
            {"secret": f"%{folder.password('shop_owner')}%"},
        ).fetchone()
    assert seen == (0,)


@pytest.mark.parametrize("click", ["browse", "visit", "order", "ship", "sign_up"])
def test_each_click_of_a_visitor_works_as_the_application(visitors, shop, postgres_server, tmp_path, click):
    dsn = build_shop(postgres_server, DataFolder(tmp_path), wanted=[SMALL])[0].application_dsn
    with psycopg.connect(dsn, autocommit=True) as connection:
        getattr(visitors, click)(connection)
    assert visitors.latency.report(at=0.0)["p50_ms"] > 0


def test_traffic_reports_what_the_application_feels(postgres_server, shop, tmp_path):
    dsn = build_shop(postgres_server, DataFolder(tmp_path), wanted=[SMALL])[0].application_dsn
    report, ending = tmp_path / "traffic.json", threading.Event()
    thread = threading.Thread(target=run_traffic, args=(dsn, report, ending))
    thread.start()
    figures = _first_busy_report(report, thread)
    ending.set()
    thread.join(10)
    assert figures["database"] == "shop_small"
    assert figures["p50_ms"] <= figures["p95_ms"] <= figures["max_ms"]
    assert figures["errors"] == 0, figures["last_error"]


def _first_busy_report(report, thread):
    """The first report with figures; it is replaced once a second, so read until it has some."""
    import json
    import time

    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and thread.is_alive():
        if report.exists() and (figures := json.loads(report.read_text()))["p50_ms"] is not None:
            return figures
        thread.join(0.1)
    raise AssertionError("no report came")
