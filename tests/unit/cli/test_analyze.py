"""`headgate analyze` as scripts and CI use it: exit codes, one JSON document, the error object, folders and standard input."""

import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from app.cli.main import main

RISKY = "CREATE INDEX i ON users (a);\n"
SAFE = "ALTER TABLE users ADD COLUMN c text;\n"


@pytest.fixture(autouse=True)
def _no_dsn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HEADGATE_DSN", raising=False)


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict[str, Any]]:
    code = main(["analyze", *arguments, "--json"])
    return code, json.loads(capsys.readouterr().out)


def write(folder: Path, name: str, text: str | bytes) -> str:
    file = folder / name
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return str(file)


def test_findings_at_the_threshold_exit_with_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, document = run(capsys, write(tmp_path, "001.sql", RISKY))
    assert (code, document["contract"], document["risk"]) == (1, 1, "high")
    statement = document["statements"][0]
    assert statement["locks"] == [{"relation": "public.users", "mode": "SHARE", "blocks": ["writes"]}]
    assert statement["scans"] == ["public.users"]
    assert statement["rollback"]["grade"] == "lossless"


def test_the_threshold_can_be_moved(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    medium = write(tmp_path, "001.sql", "ALTER TABLE users ALTER COLUMN a SET NOT NULL;")
    assert run(capsys, medium)[0] == 0
    assert run(capsys, medium, "--fail-on", "medium")[0] == 1
    assert run(capsys, write(tmp_path, "002.sql", "SELECT 1"), "--fail-on", "low")[0] == 0


def test_sql_that_does_not_parse_exits_with_two_and_the_error_object(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = write(tmp_path, "bad.sql", "SELECT 1;\nALTER TABEL users;\n")
    code, document = run(capsys, file)
    assert code == 2
    assert document["error"] == {
        "message": 'Syntax error at or near "TABEL"',
        "file": file,
        "line": 2,
        "column": 7,
        "sqlstate": "42601",
        "hint": "It is in statement 2, which begins in line 2: ALTER TABEL users",
    }


@pytest.mark.parametrize("text", [b"SELECT '\xff'", b"\\connect other\nSELECT 1", b"COPY t FROM stdin;\n1\n\\.\n"])
def test_what_is_no_sql_text_exits_with_two(text: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, document = run(capsys, write(tmp_path, "odd.sql", text))
    assert code == 2
    assert document["error"]["message"]
    assert document["error"]["hint"]


def test_a_missing_file_and_an_empty_folder_exit_with_two(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, str(tmp_path / "none.sql"))[0] == 2
    assert run(capsys, str(tmp_path))[0] == 2


def test_standard_input_is_read(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(SAFE.encode())))
    code, document = run(capsys, "-")
    assert (code, document["risk"]) == (0, "low")


def test_a_folder_is_judged_in_order_and_what_one_file_makes_is_free_in_the_next(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path, "001_make.up.sql", "CREATE TABLE fresh (id int);")
    write(tmp_path, "001_make.down.sql", "DROP TABLE fresh;")
    write(tmp_path, "002_index.up.sql", "CREATE INDEX i ON fresh (id);")
    write(tmp_path, "002_index.down.sql", "DROP INDEX i;")
    code, document = run(capsys, str(tmp_path))
    assert (code, document["risk"], document["tables"]["new"]) == (0, "low", ["public.fresh"])
    assert [statement["file"] for statement in document["statements"]] == ["001_make.up.sql", "002_index.up.sql"]


def test_the_server_version_is_taken_into_account(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = write(tmp_path, "001.sql", "ALTER TABLE users ADD CONSTRAINT n NOT NULL a NOT VALID;")
    assert run(capsys, file)[1]["risk"] == "low"
    assert run(capsys, file, "--server-version", "17")[1]["risk"] == "high"
    assert main(["analyze", file, "--server-version", "new"]) == 2


def test_a_database_out_of_reach_exits_with_three(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = write(tmp_path, "001.sql", SAFE)
    code, document = run(capsys, file, "--dsn", "postgresql://u:hidden@127.0.0.1:1/none")
    assert code == 3
    assert "hidden" not in json.dumps(document)


@pytest.mark.parametrize("form", ["text", "sarif", "github"])
def test_other_formats_speak_of_the_same(form: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["analyze", write(tmp_path, "001.sql", RISKY), "--format", form]) == 1
    assert "public.users" in capsys.readouterr().out
