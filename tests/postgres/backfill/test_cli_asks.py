"""What `headgate backfill` tells and is told while it runs, before it runs, and after."""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from app.backfill.expressions import BackfillRefusedError
from app.cli import backfill as command
from app.cli.backfill_jobs import NoSuchJobError
from app.errors import HeadgateError
from tests.doubles.databases import Database
from tests.postgres.backfill.running import users

ROOT = Path(__file__).parents[3]
FILL = ["--table", "users", "--set", "role = 'user'", "--where", "role IS NULL"]

Run = Callable[..., tuple[int, list[dict[str, Any]]]]


@pytest.fixture
def run(database: Database, capsys: pytest.CaptureFixture[str]) -> Run:
    def call(*words: str) -> tuple[int, list[dict[str, Any]]]:
        parser = argparse.ArgumentParser()
        command.register(parser.add_subparsers())
        args = parser.parse_args(["backfill", "--dsn", database.dsn, "--json", *words])
        code = args.run(args)
        return code, [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    return call


@contextmanager
def running(database: Database, *words: str) -> Iterator[subprocess.Popen[str]]:
    """The command in a process of its own, past its first batch."""
    call = [sys.executable, "-m", "app.cli.main", "backfill", "--json", *words]
    with subprocess.Popen(
        call, cwd=ROOT, stdout=subprocess.PIPE, text=True, env={**os.environ, "HEADGATE_DSN": database.dsn}
    ) as child:
        assert child.stdout is not None
        child.stdout.readline()
        child.stdout.readline()
        try:
            yield child
        finally:
            child.kill()


def test_a_preview_changes_nothing_and_makes_no_ledger(run: Run, database: Database, capsys: pytest.CaptureFixture[str]) -> None:
    users(database, 500)
    code, (shown,) = run(*FILL, "--preview")
    assert (code, shown["contract"], shown["preview"]["estimated_rows"]) == (0, 1, 500)
    assert shown["preview"]["sample"][0]["after"] == {"role": "user"}
    _, (shown,) = run("--table", "users", "--delete", "--where", "id > 400", "--dry-run")
    assert shown["preview"]["sample"][0]["before"]["id"] == 401
    assert database.rows("SELECT count(*), count(role) FROM users") == [(500, 0)]
    assert database.value("SELECT count(*) FROM pg_namespace WHERE nspname = 'headgate'") == 0


def test_a_running_one_tells_how_far_it_is_stands_still_and_follows_another_speed(run: Run, database: Database) -> None:
    users(database, 20_000)
    with running(database, *FILL, "--max-rate", "1000") as child:
        assert run(*FILL, "--status")[1][0]["backfill"]["state"] == "running"
        assert run(*FILL, "--pause") == (0, [{"contract": 1, "paused": True}])
        assert run(*FILL, "--status")[1][0]["backfill"]["state"] == "paused"
        assert run(*FILL, "--resume") == (0, [{"contract": 1, "resumed": True}])
        assert run(*FILL, "--adjust", "--max-rate", "0", "--profile", "fast")[0] == 0
        # at the speed it was started with, this would take twenty seconds
        assert child.wait(timeout=15) == 0
    found = run(*FILL, "--status")[1][0]["backfill"]
    assert (found["state"], found["rows_changed"], found["certificate"]["remaining_rows"]) == ("finished", 20_000, 0)
    assert run(*FILL, "--pause") == (1, [{"contract": 1, "paused": False}])


def test_rows_that_were_set_aside_are_tried_again_once_they_are_mended(run: Run, database: Database) -> None:
    users(database, 500)
    database.execute("ALTER TABLE users ADD CONSTRAINT mended CHECK (id <> 77 OR counter = 0)")
    count = ["--table", "users", "--set", "counter = counter + 1"]
    _, lines = run(*count, "--max-quarantine", "5")
    assert lines[-1]["quarantined"] == 1
    (aside,) = run(*count, "--status")[1][0]["backfill"]["set_aside"]
    assert (aside["key"], aside["sqlstate"]) == ({"id": "77"}, "23514")
    database.execute("ALTER TABLE users DROP CONSTRAINT mended")
    code, lines = run(*count, "--retry")
    assert [line["type"] for line in lines] == ["row_recovered", "backfill_finished"]
    assert (code, lines[-1]["quarantined"], lines[-1]["rows_changed"]) == (0, 0, 500)
    assert database.rows("SELECT min(counter), max(counter) FROM users") == [(1, 1)]


def test_deletes_and_copies_run_from_a_terminal_too(run: Run, database: Database) -> None:
    users(database, 900)
    database.execute("CREATE TABLE kept (id bigint PRIMARY KEY, mail text)")
    copy = ["--table", "users", "--into", "kept", "--columns", "id, lower(email) AS mail", "--where", "id <= 300"]
    assert run(*copy)[1][-1]["rows_changed"] == 300
    assert run("--table", "users", "--delete", "--where", "id <= 300", "--limit", "standby_lag=2")[1][-1]["rows_changed"] == 300
    assert database.rows("SELECT count(*), (SELECT count(*) FROM kept) FROM users") == [(600, 300)]


@pytest.mark.parametrize(
    ("words", "error", "message"),
    [
        (["--delete"], BackfillRefusedError, "needs a condition"),
        (["--set", "role = 'x'", "--limit", "speed=3"], BackfillRefusedError, "the names are commit_latency"),
        (["--set", "role = 'x'", "--limit", "wal_rate=much"], BackfillRefusedError, "limits.wal_rate"),
        (["--set", "role = 'x'", "--adjust"], HeadgateError, "needs --profile or --max-rate"),
        (["--set", "role = 'x'", "--status"], NoSuchJobError, "No backfill of this text"),
    ],
)
def test_a_wrong_call_ends_with_2(
    words: list[str], error: type[HeadgateError], message: str, run: Run, database: Database
) -> None:
    users(database, 10)
    with pytest.raises(error, match=message) as refused:
        run("--table", "users", *words)
    assert refused.value.exit_code == 2
