"""Administration from a terminal: accounts, targets, tokens, the schema, the audit log."""

import io
import json

import pytest

from app.cli.main import main
from app.settings import get_settings
from app.store.migrate import newest
from tests.doubles.databases import Database
from tests.doubles.world import KEY

DSN = "postgresql://app:swordfish@db.internal:5432/shop"


@pytest.fixture
def home(metadata: Database, monkeypatch: pytest.MonkeyPatch):
    """The environment in which `headgate` finds its database."""
    monkeypatch.setenv("HEADGATE_DATABASE_URL", metadata.dsn)
    monkeypatch.setenv("HEADGATE_SECRET_KEYS", KEY)
    monkeypatch.delenv("HEADGATE_SECRET_KEY_FILE", raising=False)
    get_settings.cache_clear()
    yield metadata
    get_settings.cache_clear()


@pytest.fixture
def say(home, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    """Run a command with --json: its exit code and its document."""

    def run(*arguments: str, typed: str = "") -> tuple[int, dict]:
        monkeypatch.setattr("sys.stdin", io.StringIO(typed))
        code = main([*arguments, "--json"])
        out = capsys.readouterr().out
        return code, json.loads(out) if out.strip() else {}

    return run


def test_an_account_is_made_listed_and_closed(say, home: Database):
    code, made = say("user", "add", "Ann@shop.test", "--name", "Ann", "--admin", typed="a gate opens slowly\n")
    assert (code, made["contract"], made["email"], made["is_admin"]) == (0, 1, "ann@shop.test", True)
    assert say("user", "list")[1]["people"] == [{key: made[key] for key in made if key != "contract"}]
    assert say("user", "close", "ann@shop.test")[1]["is_active"] is False
    assert "gate opens" not in str(home.rows("SELECT * FROM people")) + str(home.rows("SELECT * FROM audit_log"))


def test_a_weak_password_and_a_taken_address_are_refused_with_exit_code_2(say):
    assert say("user", "add", "ann@shop.test", typed="short\n")[0] == 2
    say("user", "add", "ann@shop.test", typed="a gate opens slowly\n")
    code, refused = say("user", "add", "ann@shop.test", typed="a gate opens slowly\n")
    assert (code, refused["error"]["message"]) == (2, "There is an account ann@shop.test already.")


def test_a_target_comes_with_its_project_and_environment_and_never_with_its_password(say):
    code, made = say("target", "add", "main", "--project", "Shop", "--environment", "production", "--production", "--dsn", DSN)
    assert (code, made["where"]) == (0, "db.internal:5432/shop as app")
    say("target", "add", "replica", "--project", "shop", "--environment", "production", "--dsn", DSN)
    listed = say("target", "list")[1]["targets"]
    assert [(row["project"], row["environment"], row["name"]) for row in listed] == [
        ("shop", "production", "main"),
        ("shop", "production", "replica"),
    ]
    assert "swordfish" not in json.dumps(listed)


def test_the_connection_string_may_come_by_the_environment(say, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HEADGATE_DSN", DSN)
    assert say("target", "add", "main", "--project", "Shop", "--environment", "staging")[0] == 0


def test_a_member_gets_a_role_in_a_project(say, home: Database):
    say("target", "add", "main", "--project", "Shop", "--environment", "staging", "--dsn", DSN)
    code, _ = say("user", "add", "bob@shop.test", "--project", "shop", "--role", "operator", typed="a gate opens slowly\n")
    assert (code, home.value("SELECT role FROM memberships")) == (0, "operator")
    code, refused = say("user", "add", "bob@shop.test", "--project", "nowhere", "--role", "operator")
    assert (code, refused["error"]["message"]) == (2, "There is no project nowhere.")


def test_keys_are_rotated(say, home: Database, monkeypatch: pytest.MonkeyPatch):
    from app.target.secrets import new_key

    say("target", "add", "main", "--project", "Shop", "--environment", "staging", "--dsn", DSN)
    monkeypatch.setenv("HEADGATE_SECRET_KEYS", f"{new_key('k2')},{KEY}")
    get_settings.cache_clear()
    assert say("target", "rotate-keys")[1]["changed"] == 1
    assert ":k2:" in home.value("SELECT sealed_dsn FROM targets")


def test_a_token_is_shown_once_and_can_be_taken_back(say, home: Database):
    say("user", "add", "ann@shop.test", typed="a gate opens slowly\n")
    code, made = say("token", "add", "ann@shop.test", "--name", "ci", "--scope", "START_RUN")
    assert code == 0
    listed = say("token", "list")[1]["tokens"]
    assert (listed[0]["scopes"], listed[0]["is_revoked"]) == (["START_RUN"], False)
    assert made["token"] not in json.dumps(listed) + str(home.rows("SELECT * FROM api_tokens"))
    assert say("token", "revoke", str(made["id"]))[1]["is_revoked"]
    assert say("token", "list")[1]["tokens"][0]["is_revoked"]
    assert say("token", "revoke", "999")[0] == 2


def test_the_chain_is_verified_and_a_broken_one_is_exit_code_1(say, home: Database):
    say("user", "add", "ann@shop.test", typed="a gate opens slowly\n")
    code, state = say("audit", "verify")
    assert (code, state["ok"], state["lines"]) == (0, True, 1)
    home.execute("ALTER TABLE audit_log DISABLE TRIGGER USER; UPDATE audit_log SET actor = 'nobody'")
    code, state = say("audit", "verify")
    assert (code, state["ok"], state["broken_at"]) == (1, False, 1)


def test_the_log_is_exported_line_by_line(home, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    monkeypatch.setattr("sys.stdin", io.StringIO("a gate opens slowly\n"))
    main(["user", "add", "ann@shop.test"])
    capsys.readouterr()
    assert main(["audit", "export"]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert json.loads(line)["act"] == "add_person"


def test_migrate_brings_an_empty_database_up_and_says_so(say, other_database: Database, monkeypatch: pytest.MonkeyPatch):
    assert say("migrate")[1] == {"contract": 1, "before": newest(), "after": newest()}
    monkeypatch.setenv("HEADGATE_DATABASE_URL", other_database.dsn)
    get_settings.cache_clear()
    assert say("migrate")[1] == {"contract": 1, "before": None, "after": newest()}


@pytest.mark.parametrize("command", [["migrate"], ["user", "list"]])
def test_a_database_that_does_not_answer_is_exit_code_3_without_its_password(
    say, monkeypatch: pytest.MonkeyPatch, command: list[str]
):
    monkeypatch.setenv("HEADGATE_DATABASE_URL", "postgresql://app:swordfish@127.0.0.1:1/headgate")
    get_settings.cache_clear()
    code, refused = say(*command)
    assert code == 3
    assert "does not answer" in refused["error"]["message"]
    assert "swordfish" not in json.dumps(refused)
