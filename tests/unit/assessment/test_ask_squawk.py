"""squawk is asked as a program: with it there are remarks, without it a sentence says how to get it."""

import json
from pathlib import Path

import pytest

from app.analysis.analyse import analyse_script
from app.assessment import ask_squawk as asking
from app.assessment.ask_squawk import ask_squawk
from app.cli.main import main

ANALYSIS = analyse_script("CREATE TABLE a (b int);\nCREATE INDEX i ON c (b);")


def test_its_remarks_come_with_its_version():
    found = ask_squawk(ANALYSIS)
    assert found.missing == ""
    assert found.version
    assert ("require-concurrent-index-creation", 2) in {(remark.rule, remark.statement) for remark in found.remarks}


def a_program(tmp_path: Path, text: str) -> str:
    file = tmp_path / "squawk"
    file.write_text(f"#!/bin/sh\ncat >/dev/null\n{text}\n")
    file.chmod(0o755)
    return str(file)


@pytest.mark.parametrize(("text", "why"), [("echo '{'", "could not be read"), ("exit 9", "ended with 9")])
def test_a_program_that_answers_otherwise_is_no_opinion(tmp_path, text, why):
    assert why in ask_squawk(ANALYSIS, program=a_program(tmp_path, text)).missing


def test_where_it_is_missing_the_command_says_so_and_goes_on(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(asking, "_program", lambda: None)
    file = tmp_path / "a.sql"
    file.write_text("CREATE TABLE a (b int)")
    assert main(["analyze", str(file), "--second-opinion", "--json"]) == 0
    shown = capsys.readouterr()
    assert "pip install squawk-cli" in shown.err
    assert json.loads(shown.out)["second_opinion"]["missing"].startswith("squawk is not installed")


def test_the_command_shows_its_remarks_beside_the_findings(tmp_path, capsys):
    file = tmp_path / "a.sql"
    file.write_text("CREATE INDEX i ON c (b)")
    main(["analyze", str(file), "--second-opinion"])
    shown = capsys.readouterr().out
    assert "Second opinion, of squawk" in shown
    assert "require-concurrent-index-creation" in shown
