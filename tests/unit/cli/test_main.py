"""The command line as a whole: every command is known by name, and each loads only what it needs."""

import json
import subprocess
import sys

import pytest

from app.cli.main import COMMANDS, build_parser, main


def names(parser) -> list[str]:
    return list(parser._subparsers._group_actions[0].choices)


def test_every_command_that_a_module_registers_is_listed_and_none_besides():
    assert names(build_parser()) == list(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_is_found_by_loading_only_its_own_module(command: str):
    assert command in names(build_parser(command))


def test_an_unknown_command_is_refused_with_the_list(capsys):
    assert main(["migrat"]) == 2
    assert "analyze" in capsys.readouterr().err


def test_a_wrong_call_answers_a_script_with_the_error_object(capsys):
    assert main(["analyze", "--json", "--server-version", "old", "x.sql"]) == 2
    said = json.loads(capsys.readouterr().out)
    assert "--server-version" in said["error"]["message"]
    assert "usage: headgate analyze" in said["error"]["hint"]


def test_status_does_not_load_the_web():
    code = "import sys; from app.cli.main import build_parser; build_parser('status'); print('fastapi' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "False"


@pytest.mark.parametrize("port", ["0", "-1", "65536", "99999", "http"])
def test_a_port_that_is_none_is_refused_by_name(port: str, capsys):
    assert main(["up", f"--port={port}"]) == 2
    assert f"{port} is no port" in capsys.readouterr().err
