"""`headgate analyze --dsn`: types, sizes and version of a real server change the verdict."""

import json
from typing import Any

import pytest

from app.cli.main import main
from tests.doubles.databases import Database


def analyse(capsys: pytest.CaptureFixture[str], tmp_path: Any, database: Database, sql: str, *more: str) -> dict[str, Any]:
    file = tmp_path / "001.sql"
    file.write_text(sql)
    main(["analyze", str(file), "--dsn", database.dsn, "--json", *more])
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    return document


def test_types_and_dependents_are_those_of_the_target(
    each_database: Database, tmp_path: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    each_database.execute("CREATE TABLE t (a varchar(10), b varchar(10)); CREATE VIEW v AS SELECT b FROM t")
    wider = "ALTER TABLE t ALTER COLUMN {} TYPE varchar(20)"
    assert analyse(capsys, tmp_path, each_database, wider.format("a"), "--assume-large")["risk"] == "low"
    assert analyse(capsys, tmp_path, each_database, wider.format("b"), "--assume-large")["risk"] == "high"


def test_a_small_table_is_judged_as_small_unless_asked_otherwise(
    database: Database, tmp_path: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    database.execute("CREATE TABLE t (a int); INSERT INTO t VALUES (1); ANALYZE t")
    sql = "CREATE INDEX i ON t (a)"
    known = analyse(capsys, tmp_path, database, sql)
    assert (known["risk"], known["assumptions"]) == ("low", [])
    assert analyse(capsys, tmp_path, database, sql, "--assume-large")["risk"] == "high"


def test_the_version_is_that_of_the_target(each_database: Database, tmp_path: Any, capsys: pytest.CaptureFixture[str]) -> None:
    each_database.execute("CREATE TABLE t (a int)")
    version = int(str(each_database.value("SHOW server_version_num"))) // 10_000
    found = analyse(capsys, tmp_path, each_database, "ALTER TABLE t ADD CONSTRAINT n NOT NULL a NOT VALID")
    assert found["risk"] == ("low" if version >= 18 else "high")


def test_a_constraint_that_the_target_has_proves_not_null(
    database: Database, tmp_path: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    database.execute("CREATE TABLE t (a int, b int, CONSTRAINT c CHECK (a IS NOT NULL AND b > 0))")
    proven = analyse(capsys, tmp_path, database, "ALTER TABLE t ALTER COLUMN a SET NOT NULL", "--assume-large")
    unproven = analyse(capsys, tmp_path, database, "ALTER TABLE t ALTER COLUMN b SET NOT NULL", "--assume-large")
    assert (proven["risk"], proven["statements"][0]["scans"]) == ("low", [])
    assert (unproven["risk"], unproven["statements"][0]["scans"]) == ("medium", ["public.t"])
