"""The preview tells what would happen and changes nothing."""

import pytest

from app.backfill.definition import read_definition
from app.backfill.expressions import BackfillRefusedError
from app.backfill.preview import preview
from tests.doubles.databases import Database
from tests.postgres.backfill.running import COUNT, FILL, users


def test_it_shows_the_walk_the_plan_the_rows_and_changes_nothing(database: Database) -> None:
    users(database, 5000)
    with database.connect() as connection:
        shown = preview(connection, read_definition(FILL))
    assert shown.strategy == "windows"
    assert shown.passes == 8
    assert (shown.estimated_rows, shown.table_rows, shown.is_exact) == (5000, 5000, True)
    assert len(shown.sample) == 5
    assert shown.sample[0].before == {"role": None}
    assert shown.sample[0].after == {"role": "user"}
    assert list(shown.sample[0].key) == ["id"]
    assert any("Tid Range Scan" in line for line in shown.plan)
    assert shown.seconds is not None
    assert 0 <= shown.seconds[0] <= shown.seconds[1]
    assert shown.growth_bytes
    assert shown.as_json()["sample"][0]["after"] == {"role": "user"}
    assert database.value("SELECT count(*) FROM users WHERE role IS NOT NULL") == 0
    assert database.value("SELECT count(*) FROM pg_namespace WHERE nspname = 'headgate'") == 0


def test_a_keyset_walk_is_planned_along_its_index(database: Database) -> None:
    users(database, 5000)
    with database.connect() as connection:
        shown = preview(connection, read_definition({**COUNT, "max_rate": 100, "where": "email LIKE 'u%'"}))
    assert shown.strategy == "keyset"
    assert any("users_pkey" in line for line in shown.plan)
    assert shown.seconds is not None
    assert shown.seconds[0] >= 50


def test_a_large_table_is_sampled_instead_of_counted(database: Database) -> None:
    users(database, 60_000)
    database.execute(b"UPDATE users SET role = 'x' WHERE id % 2 = 0")
    with database.connect() as connection:
        shown = preview(connection, read_definition(FILL))
    assert not shown.is_exact
    assert shown.estimated_rows == pytest.approx(30_000, rel=0.25)


def test_a_row_that_fails_is_said_before_the_run(database: Database) -> None:
    users(database, 50)
    with database.connect() as connection:
        shown = preview(connection, read_definition({"table": "users", "set": "counter = email::int", "where": "counter = 0"}))
    assert shown.sample == ()
    assert "invalid input syntax" in shown.sample_note


def test_a_refusal_is_told_by_the_preview_too(database: Database) -> None:
    with database.connect() as connection, pytest.raises(BackfillRefusedError):
        preview(connection, read_definition(FILL))
