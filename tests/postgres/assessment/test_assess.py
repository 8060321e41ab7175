"""An input on its target, as the command line and the workers judge it: the rows, the sessions, the traffic of this moment."""

import json
from typing import Any

import pytest

from app.cli.main import main
from tests.doubles.databases import Database


def analyse(capsys: pytest.CaptureFixture[str], tmp_path: Any, database: Database, sql: str, *more: str) -> dict[str, Any]:
    file = tmp_path / "001.sql"
    file.write_text(sql)
    code = main(["analyze", str(file), "--dsn", database.dsn, "--json", *more])
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    return {**document, "code": code}


@pytest.fixture
def shop(database: Database) -> Database:
    database.execute("CREATE TABLE users (id bigint PRIMARY KEY, nick text)")
    database.execute("INSERT INTO users SELECT g, CASE WHEN g > 3 THEN 'n' || g END FROM generate_series(1, 50) g; ANALYZE users")
    return database


def test_rows_that_refuse_a_statement_make_it_high(shop: Database, tmp_path: Any, capsys: pytest.CaptureFixture[str]):
    found = analyse(capsys, tmp_path, shop, "ALTER TABLE users ALTER COLUMN nick SET NOT NULL")
    (answer,) = found["preflight"]
    assert (answer["state"], answer["count"], answer["sample"][0]) == ("fails", 3, ["1", None])
    assert (found["risk"], found["code"]) == ("high", 1)
    (finding,) = [each for each in found["statements"][0]["findings"] if each["rule"] == "data-does-not-fit"]
    assert finding["message"] == "3 rows of public.users hold NULL in nick: SET NOT NULL fails."
    assert "WHERE nick IS NULL" in finding["safer"]


def test_rows_that_the_input_changes_before_are_named_and_do_not_raise_the_level(
    shop: Database, tmp_path: Any, capsys: pytest.CaptureFixture[str]
):
    script = "UPDATE users SET nick = '' WHERE nick IS NULL AND id < 10;\nALTER TABLE users ALTER COLUMN nick SET NOT NULL"
    found = analyse(capsys, tmp_path, shop, script)
    (finding,) = [each for each in found["statements"][1]["findings"] if each["rule"] == "data-does-not-fit"]
    assert finding["risk"] == "low"
    assert "UPDATE in statement 1 changes these rows before." in finding["message"]


def test_rows_can_be_kept_out_of_the_answer_and_out_of_the_question(
    shop: Database, tmp_path: Any, capsys: pytest.CaptureFixture[str]
):
    sql = "ALTER TABLE users ALTER COLUMN nick SET NOT NULL"
    hidden = analyse(capsys, tmp_path, shop, sql, "--hide-rows")
    assert (hidden["preflight"][0]["count"], hidden["preflight"][0]["sample"]) == (3, [])
    unasked = analyse(capsys, tmp_path, shop, sql, "--preflight-timeout", "0")
    assert (unasked["preflight"][0]["state"], unasked["risk"]) == ("not known", "low")


def test_the_schema_after_is_foreseen_from_the_targets_own(shop: Database, tmp_path: Any, capsys: pytest.CaptureFixture[str]):
    found = analyse(capsys, tmp_path, shop, "ALTER TABLE users ADD COLUMN note text; CREATE TABLE notes (id int PRIMARY KEY)")
    made = {table["table"]: table for table in found["preview"]["tables"]}
    assert (made["public.notes"]["change"], made["public.users"]["change"]) == ("new", "modified")
    assert "note text" in made["public.users"]["after"]
    assert "note text" not in made["public.users"]["before"]


def test_who_is_in_the_way_is_named_with_the_time_of_reading(shop: Database, tmp_path: Any, capsys: pytest.CaptureFixture[str]):
    with shop.connect(autocommit=False) as billing:
        billing.execute("SET application_name = 'billing'; SELECT pg_sleep(2.1), count(*) FROM users")
        found = analyse(capsys, tmp_path, shop, "ALTER TABLE users ADD COLUMN note text")
        pid = billing.info.backend_pid
    (session,) = [each for each in found["running_now"]["sessions"] if each["pid"] == pid]
    assert (session["application"], session["state"]) == ("billing", "idle in transaction")
    assert session["locks"] == {"public.users": ["AccessShareLock"]}
    (finding,) = [each for each in found["statements"][0]["findings"] if each["rule"] == "blocked-right-now"]
    assert f"pid {pid} (billing, idle in transaction, open for 2." in finding["message"]
    assert found["running_now"]["at"][:19].replace("T", " ") in finding["message"]


def test_a_prepared_transaction_is_in_the_way_as_well(shop: Database, tmp_path: Any, capsys: pytest.CaptureFixture[str]):
    with shop.connect(autocommit=False) as other:
        other.execute("LOCK TABLE users IN ROW EXCLUSIVE MODE; PREPARE TRANSACTION 'order-7'")
    found = analyse(capsys, tmp_path, shop, "ALTER TABLE users ADD COLUMN note text")
    shop.execute("ROLLBACK PREPARED 'order-7'")
    (session,) = found["running_now"]["sessions"]
    assert (session["pid"], session["application"]) == (0, "prepared transaction order-7")


def test_statements_without_a_target_have_no_answers(tmp_path: Any, capsys: pytest.CaptureFixture[str]):
    file = tmp_path / "001.sql"
    file.write_text("ALTER TABLE users ALTER COLUMN nick SET NOT NULL")
    main(["analyze", str(file), "--json"])
    assert "preflight" not in json.loads(capsys.readouterr().out)
