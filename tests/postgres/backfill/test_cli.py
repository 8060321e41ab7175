"""`headgate backfill` from a terminal: JSON lines, exit codes, going on after a kill."""

import argparse
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app.backfill.expressions import BackfillRefusedError
from app.cli import backfill as command
from app.cli.backfill_jobs import OtherSessionError
from app.cli.reading import NoConnectionError
from tests.doubles.databases import Database
from tests.postgres.backfill.running import users

ROOT = Path(__file__).parents[3]
COMMAND = "import argparse, sys; from app.cli import backfill as b; p = argparse.ArgumentParser(); b.register(p.add_subparsers()); a = p.parse_args(); sys.exit(a.run(a))"
FILL = ["--table", "public.users", "--set", "role = 'user'", "--where", "role IS NULL"]
COUNT = ["--table", "users", "--set", "counter = counter + 1"]

Run = Callable[..., tuple[int, list[dict[str, Any]]]]


@pytest.fixture
def run(database: Database, capsys: pytest.CaptureFixture[str]) -> Run:
    def call(*words: str) -> tuple[int, list[dict[str, Any]]]:
        parser = argparse.ArgumentParser()
        command.register(parser.add_subparsers())
        args = parser.parse_args(["backfill", "--dsn", database.dsn, *words])
        code = args.run(args)
        return code, [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    return call


def test_the_last_line_has_the_figures(run: Run, database: Database) -> None:
    users(database, 5000)
    code, lines = run(*FILL)
    last = lines[-1]
    assert code == 0
    assert last["type"] == "backfill_finished"
    assert (last["rows_changed"], last["rows_scanned"], last["resumed"]) == (5000, 5000, False)
    assert last["batches"] >= 8
    assert last["seconds"] > 0
    assert [line["number"] for line in lines] == list(range(1, len(lines) + 1))
    assert all(line["contract"] == 1 and line["at"].endswith("Z") for line in lines)


def test_a_finished_one_that_ends_its_condition_looks_for_new_rows(run: Run, database: Database) -> None:
    users(database, 500)
    run(*FILL)
    database.execute("INSERT INTO users (id, email) VALUES (1000, 'new')")
    _, lines = run(*FILL)
    assert lines[-1]["rows_changed"] == 1
    assert database.value("SELECT role FROM users WHERE id = 1000") == "user"


def test_a_finished_counter_is_not_counted_twice_unless_that_is_asked_for(run: Run, database: Database) -> None:
    users(database, 500)
    run(*COUNT)
    code, lines = run(*COUNT)
    assert (code, lines[-1]["resumed"], lines[-1]["rows_changed"]) == (0, True, 500)
    assert database.value("SELECT sum(counter) FROM users") == 500
    run(*COUNT, "--again")
    assert database.value("SELECT sum(counter) FROM users") == 1000


def test_a_limit_a_key_and_workers_are_taken(run: Run, database: Database) -> None:
    users(database, 3000)
    _, lines = run(*COUNT, "--key", "id", "--max-rate", "6000", "--workers", "2", "--profile", "gentle", "--json")
    assert lines[-1]["seconds"] >= 0.35
    assert database.value("SELECT sum(counter) FROM users") == 3000


def test_killed_it_goes_on_by_the_same_command(run: Run, database: Database) -> None:
    users(database, 20_000)
    words = [sys.executable, "-c", COMMAND, "backfill", *COUNT, "--max-rate", "8000", "--json"]
    with subprocess.Popen(
        words, cwd=ROOT, stdout=subprocess.PIPE, text=True, env={**os.environ, "HEADGATE_DSN": database.dsn}
    ) as child:
        assert child.stdout is not None
        for _ in range(2):
            assert child.stdout.readline()
        child.kill()
    code, lines = run(*COUNT)
    assert (code, lines[-1]["resumed"], lines[-1]["rows_changed"]) == (0, True, 20_000)
    assert database.rows("SELECT min(counter), max(counter) FROM users") == [(1, 1)]


def test_ctrl_c_stops_it_after_a_batch(run: Run, database: Database) -> None:
    users(database, 20_000)
    words = [sys.executable, "-c", COMMAND, "backfill", *COUNT, "--max-rate", "8000"]
    with subprocess.Popen(
        words,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "HEADGATE_DSN": database.dsn},
    ) as child:
        assert child.stdout is not None
        child.stdout.readline()
        child.stdout.readline()
        child.send_signal(signal.SIGINT)
        _, told = child.communicate(timeout=20)
    assert child.returncode == 130
    assert "the same command goes on from there" in told
    assert run(*COUNT)[1][-1]["resumed"] is True
    assert database.rows("SELECT min(counter), max(counter) FROM users") == [(1, 1)]


def test_two_at_once_do_not_work_on_the_same_rows(run: Run, database: Database) -> None:
    users(database, 20_000)
    words = [sys.executable, "-c", COMMAND, "backfill", *COUNT, "--max-rate", "1000", "--json"]
    with subprocess.Popen(
        words, cwd=ROOT, stdout=subprocess.PIPE, text=True, env={**os.environ, "HEADGATE_DSN": database.dsn}
    ) as child:
        assert child.stdout is not None
        for _ in range(2):
            child.stdout.readline()
        with pytest.raises(OtherSessionError, match="Another session runs this backfill now"):
            run(*COUNT)
        child.kill()
    run(*COUNT)
    assert database.rows("SELECT min(counter), max(counter) FROM users") == [(1, 1)]


def test_injected_sql_is_refused(run: Run, database: Database) -> None:
    users(database, 10)
    for words in (["--where", "true; DROP TABLE users"], ["--set", "role = 'x' WHERE id = 1"]):
        with pytest.raises(BackfillRefusedError) as refused:
            run(*FILL, *words)
        assert refused.value.exit_code == 2
    assert database.value("SELECT count(*) FROM users WHERE role IS NULL") == 10


def test_a_database_has_to_be_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HEADGATE_DSN", raising=False)
    parser = argparse.ArgumentParser()
    command.register(parser.add_subparsers())
    args = parser.parse_args(["backfill", *FILL])
    with pytest.raises(NoConnectionError):
        args.run(args)
