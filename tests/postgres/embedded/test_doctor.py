"""`headgate doctor`: says what is there and what is missing, with the way to mend it."""

import argparse
import json

import pytest

from app.cli import doctor
from app.settings import Settings


@pytest.fixture
def ask(capsys, monkeypatch):
    def run(*arguments: str, settings: Settings | None = None) -> tuple[int, dict]:
        monkeypatch.setattr(doctor, "get_settings", lambda: settings or Settings())
        parser = argparse.ArgumentParser()
        doctor.register(parser.add_subparsers())
        args = parser.parse_args(["doctor", "--json", *arguments])
        code = args.run(args)
        return code, json.loads(capsys.readouterr().out)

    return run


def _named(report, name):
    return [finding for finding in report["findings"] if finding["name"] == name]


def test_a_whole_machine_is_fine(ask):
    code, report = ask()
    assert report["contract"] == 1
    names = {finding["name"] for finding in report["findings"]}
    assert {"Python", "Headgate's database", "broker", "pg_dump", "pages' assets", "data directory"} <= names
    assert "18" in _named(report, "pg_dump")[0]["found"]
    assert (code == 0) == report["ok"]


def test_a_right_that_is_missing_comes_with_its_grant(ask, database):
    database.execute("CREATE ROLE weak_doctor LOGIN PASSWORD 'weak'")
    try:
        code, report = ask("--dsn", database.dsn_for("weak_doctor", "weak"))
        lacks = _named(report, "right")
        assert code == 1
        assert any("GRANT CREATE ON DATABASE" in lack["mend"] for lack in lacks)
        assert "weak" not in json.dumps(report).replace("weak_doctor", "")
    finally:
        database.execute("DROP OWNED BY weak_doctor")
        database.execute("DROP ROLE weak_doctor")


def test_a_target_that_is_not_there_is_exit_code_3(ask):
    code, report = ask("--dsn", "postgresql://nobody@127.0.0.1:1/none")
    assert code == 3
    assert _named(report, "target")[0]["mend"]


def test_a_configured_database_without_the_schema_says_migrate(ask, database, broker):
    settings = Settings(database_url=database.dsn, redis_url=broker)
    code, report = ask(settings=settings)
    (finding,) = _named(report, "Headgate's database")
    assert not finding["ok"]
    assert finding["mend"] == "Run: headgate migrate"
    assert _named(report, "broker")[0]["ok"]
    assert code == 1


def test_configured_services_that_are_whole_are_fine(ask, metadata, broker):
    _, report = ask(settings=Settings(database_url=metadata.dsn, redis_url=broker))
    assert _named(report, "Headgate's database")[0]["ok"]


def test_a_broker_that_is_not_there_is_named(ask):
    _, report = ask(settings=Settings(redis_url="redis://127.0.0.1:1/0"))
    (finding,) = _named(report, "broker")
    assert not finding["ok"]
    assert "HEADGATE_REDIS_URL" in finding["found"]
