"""Tests here talk to a real server: the fixtures `database` (PostgreSQL 18) and `database_17` live in tests/conftest.py."""

import pytest

from tests.doubles.databases import Database


@pytest.fixture(params=["18", "17"])
def each_database(request: pytest.FixtureRequest) -> Database:
    """The same test on the newest and on an older server."""
    return request.getfixturevalue("database" if request.param == "18" else "database_17")
