import argparse
import json
import os
import signal
import subprocess
import sys
from contextlib import closing

import pytest

from app.backfill.applied import mark_managed
from app.backfill.ledger_tables import ensure_ledger
from app.cli import apply
from app.cli.apply import UnknownRevisionError
from app.cli.applying import ApprovalWantedError, OtherApplyError
from app.plan.document import write_plan
from app.target.errors import TargetUnreachableError
from app.target.session import Target
from tests.doubles.orders import a_plan, a_step
from tests.doubles.waiting import until

COMMAND = "import argparse,sys; from app.cli import apply; p = argparse.ArgumentParser(); apply.register(p.add_subparsers()); a = p.parse_args(); sys.exit(a.run(a))"


@pytest.fixture
def run(capsys):
    def call(*argv):
        parser = argparse.ArgumentParser()
        apply.register(parser.add_subparsers())
        args = parser.parse_args([str(argument) for argument in argv])
        code = args.run(args)
        out = capsys.readouterr().out
        return code, [json.loads(line) for line in out.splitlines() if line.startswith("{")]

    return call


@pytest.fixture
def folder(tmp_path):
    write(tmp_path, "001_users", "CREATE TABLE users (id int PRIMARY KEY);", "DROP TABLE users;")
    write(tmp_path, "002_index", "ALTER TABLE users ADD name text; CREATE INDEX CONCURRENTLY users_name ON users (name);")
    return tmp_path


def write(folder, name, up, down=None):
    (folder / f"{name}.up.sql").write_text(up)
    if down is not None:
        (folder / f"{name}.down.sql").write_text(down)


def types(lines):
    return [line["type"] for line in lines]


def test_everything_pending_is_applied_and_told_as_numbered_lines(database, folder, run):
    code, lines = run("apply", folder, "--dsn", database.dsn)
    assert code == 0, lines
    assert [line["number"] for line in lines] == list(range(1, len(lines) + 1))
    assert all(line["contract"] == 1 and line["at"].endswith("Z") for line in lines)
    assert (lines[-1]["type"], lines[-1]["state"]) == ("run_finished", "completed")
    assert types(lines).count("run_created") == 2
    assert database.value("SELECT indisvalid FROM pg_index WHERE indexrelid = 'users_name'::regclass") is True
    assert database.rows("SELECT name FROM headgate.applied ORDER BY id") == [("001_users",), ("002_index",)]


def test_a_second_time_there_is_nothing_to_do(database, folder, run):
    run("apply", folder, "--dsn", database.dsn)
    code, lines = run("apply", folder, "--dsn", database.dsn)
    assert (code, types(lines)) == (0, ["run_finished"])


def test_a_new_migration_is_the_only_one_that_runs(database, folder, run):
    run("apply", folder, "--dsn", database.dsn)
    write(folder, "003_more", "ALTER TABLE users ADD more int;")
    code, lines = run("apply", folder, "--dsn", database.dsn)
    assert code == 0
    assert [line["plan"] for line in lines if line["type"] == "run_created"] == ["003_more"]


def test_a_migration_that_fails_changes_nothing_says_why_and_can_be_mended(database, folder, run):
    write(folder, "003_bad", "ALTER TABLE users ADD b int; ALTER TABLE users ADD name text;")
    code, lines = run("apply", folder, "--dsn", database.dsn)
    assert code == 1
    assert (lines[-1]["type"], lines[-1]["state"]) == ("run_finished", "failed")
    failed = next(line for line in lines if line["type"] == "step_failed")
    assert failed["sqlstate"] == "42701"
    assert database.value("SELECT count(*) FROM information_schema.columns WHERE table_name = 'users'") == 2

    code, (status,) = run("status", folder, "--dsn", database.dsn, "--json")
    assert code == 1
    assert [entry["name"] for entry in status["applied"]] == ["001_users", "002_index"]
    assert "already exists" in status["failed"][0]["error"]
    assert status["pending"] == []

    write(folder, "003_bad", "ALTER TABLE users ADD b int;")
    assert run("apply", folder, "--dsn", database.dsn)[0] == 0
    assert run("status", folder, "--dsn", database.dsn, "--json")[0] == 0


def test_the_last_one_is_undone_and_can_be_applied_again(database, folder, run):
    run("apply", folder, "--dsn", database.dsn)
    code, lines = run("rollback", "--dsn", database.dsn, "--last")
    assert code == 0, lines
    assert lines[-1]["state"] == "completed"
    assert database.value("SELECT count(*) FROM information_schema.columns WHERE table_name = 'users'") == 1
    code, (status,) = run("status", folder, "--dsn", database.dsn, "--json")
    assert [entry["name"] for entry in status["pending"]] == ["002_index"]
    assert run("apply", folder, "--dsn", database.dsn)[0] == 0
    assert database.value("SELECT count(*) FROM information_schema.columns WHERE table_name = 'users'") == 2
    assert run("rollback", "--dsn", database.dsn, "--last")[0] == 0
    assert database.value("SELECT to_regclass('users_name')") is None


def test_everything_after_a_revision_is_undone_last_one_first(database, folder, run):
    write(folder, "003_more", "ALTER TABLE users ADD more int;", "ALTER TABLE users DROP more;")
    run("apply", folder, "--dsn", database.dsn)
    code, lines = run("rollback", "--dsn", database.dsn, "--to", "001_users")
    assert code == 0
    assert [line["plan"] for line in lines if line["type"] == "run_created"] == ["003_more", "002_index"]
    assert database.rows("SELECT name FROM headgate.applied WHERE rolled_back_at IS NULL") == [("001_users",)]


def test_a_revision_that_is_not_applied_is_named(database, folder, run):
    run("apply", folder, "--dsn", database.dsn)
    with pytest.raises(UnknownRevisionError) as caught:
        run("rollback", "--dsn", database.dsn, "--to", "nope")
    assert "001_users" in caught.value.hint
    assert caught.value.exit_code == 2


def test_what_can_not_be_undone_stops_the_rollback_and_says_so(database, folder, run):
    write(folder, "003_delete", "DELETE FROM users;")
    run("apply", folder, "--dsn", database.dsn)
    code, lines = run("rollback", "--dsn", database.dsn, "--to", "001_users")
    assert code == 1
    assert "step_not_undone" in types(lines)
    assert database.value("SELECT count(*) FROM headgate.applied WHERE rolled_back_at IS NULL") == 3


def test_status_tells_what_the_folder_does_not_know_and_what_was_changed(database, folder, run):
    run("apply", folder, "--dsn", database.dsn)
    (folder / "001_users.up.sql").unlink()
    (folder / "001_users.down.sql").unlink()
    write(folder, "002_index", "ALTER TABLE users ADD other text;")
    code, (status,) = run("status", folder, "--dsn", database.dsn, "--json")
    assert code == 0
    assert status["unknown"] == [{"name": "001_users"}]
    assert [(entry["name"], entry["changed"]) for entry in status["applied"]] == [("002_index", True)]


def test_status_of_an_untouched_target_makes_nothing_there(database, folder, run):
    code, (status,) = run("status", folder, "--dsn", database.dsn, "--json")
    assert code == 0
    assert [entry["name"] for entry in status["pending"]] == ["001_users", "002_index"]
    assert database.value("SELECT to_regnamespace('headgate')") is None


def test_a_target_whose_dashboard_wants_approvals_is_refused(database, folder, run):
    with Target.connect(database.dsn, purpose="x") as target:
        ensure_ledger(target, "headgate")
        mark_managed(target, "headgate", by="https://headgate.example", wants_approval=True)
        with pytest.raises(ApprovalWantedError) as caught:
            run("apply", folder, "--dsn", database.dsn)
        assert caught.value.exit_code == 1
        assert "https://headgate.example" in caught.value.message
        assert database.value("SELECT to_regclass('users')") is None
        mark_managed(target, "headgate", by="https://headgate.example", wants_approval=False)
    assert run("apply", folder, "--dsn", database.dsn)[0] == 0


def test_an_unreachable_target_is_exit_3(folder, run):
    with pytest.raises(TargetUnreachableError) as caught:
        run("apply", folder, "--dsn", "host=127.0.0.1 port=1 dbname=x")
    assert caught.value.exit_code == 3


def test_a_second_command_on_the_same_target_is_turned_away(database, folder, run, monkeypatch):
    monkeypatch.setattr("app.cli.applying._LOCK_SECONDS", 0.2)
    with closing(database.connect()) as other:
        other.execute("SELECT pg_advisory_lock(hashtextextended('headgate apply: headgate', 0))")
        with pytest.raises(OtherApplyError):
            run("apply", folder, "--dsn", database.dsn)


def test_a_plan_file_with_a_gate_stops_there_and_goes_on_when_it_is_opened(database, tmp_path, run):
    path = tmp_path / "plan.yaml"
    make = a_step("make", sql="CREATE TABLE t (a int)", undo="DROP TABLE t")
    more = a_step("more", sql="ALTER TABLE t ADD b int", undo="ALTER TABLE t DROP b")
    path.write_text(write_plan(a_plan(make, a_step("live", "gate", ask="Is the release live?"), more)))
    code, lines = run("apply", path, "--dsn", database.dsn)
    assert (code, lines[-1]["state"]) == (1, "waiting_gate"), lines
    code, lines = run("apply", path, "--dsn", database.dsn, "--open", "live")
    assert (code, lines[-1]["state"]) == (0, "completed"), lines
    assert run("rollback", "--dsn", database.dsn, "--last")[0] == 0
    assert database.value("SELECT to_regclass('t')") is None


def test_in_safe_steps_a_large_update_becomes_a_backfill(database, folder, run):
    database.execute(
        "CREATE TABLE accounts (id bigint PRIMARY KEY, role text); INSERT INTO accounts SELECT g FROM generate_series(1, 500) g"
    )
    write(folder, "001_users", "UPDATE accounts SET role = 'user' WHERE role IS NULL;")
    (folder / "001_users.down.sql").unlink()
    (folder / "002_index.up.sql").unlink()
    code, lines = run("apply", folder, "--dsn", database.dsn, "--steps")
    assert code == 0, lines
    assert "backfill_finished" in types(lines)
    assert database.value("SELECT count(*) FROM accounts WHERE role = 'user'") == 500


def test_the_same_command_goes_on_after_a_kill(database, tmp_path, run):
    database.execute("CREATE TABLE counted (n int); INSERT INTO counted VALUES (0)")
    write(
        tmp_path,
        "001_a",
        "UPDATE counted SET n = n + 1; CREATE INDEX CONCURRENTLY counted_n ON counted (n); UPDATE counted SET n = n + 10;",
    )
    write(
        tmp_path,
        "002_b",
        "UPDATE counted SET n = n + 100; SELECT pg_sleep(60) WHERE NOT EXISTS (SELECT FROM pg_tables WHERE tablename = 'hurry');",
    )
    child = subprocess.Popen(
        [sys.executable, "-c", COMMAND, "apply", str(tmp_path)],
        env={**os.environ, "HEADGATE_DSN": database.dsn},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    until(
        lambda: database.value(
            "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE 'SELECT pg_sleep(60)%'"
        )
    )
    child.send_signal(signal.SIGKILL)
    child.wait()
    child.stdout.close()
    database.execute("CREATE TABLE hurry (a int)")
    code, lines = run("apply", tmp_path, "--dsn", database.dsn)
    assert code == 0, lines
    assert database.value("SELECT n FROM counted") == 111
    assert [line["plan"] for line in lines if line["type"] == "run_created"] == ["002_b"]


def test_ctrl_c_stops_between_two_units(database, tmp_path, run):
    write(tmp_path, "001_a", "CREATE TABLE made (a int); SELECT pg_sleep(60);")
    child = subprocess.Popen(
        [sys.executable, "-c", COMMAND, "apply", str(tmp_path)],
        env={**os.environ, "HEADGATE_DSN": database.dsn},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    until(
        lambda: database.value(
            "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE 'SELECT pg_sleep(60)%'"
        )
    )
    child.send_signal(signal.SIGINT)
    out, _ = child.communicate(timeout=20)
    last = json.loads(out.splitlines()[-1])
    assert (child.returncode, last["type"], last["state"]) == (1, "run_finished", "paused")
    assert database.value("SELECT to_regclass('made')") is None
