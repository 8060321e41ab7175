"""docker-compose.yml and Dockerfile fit the code: no container engine is needed to see that."""

import json
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml

from app.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
DOCKERFILE = (ROOT / "Dockerfile").read_text()
SERVICES = COMPOSE["services"]
OURS = [name for name, service in SERVICES.items() if "build" in service]
VARIABLES = {f"HEADGATE_{name.upper()}" for name in Settings.model_fields}
SCRIPTS = set(tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]) | {"uvicorn", "celery"}


def _image_commands() -> list[list[str]]:
    return [json.loads(line.removeprefix("CMD ")) for line in DOCKERFILE.splitlines() if line.startswith("CMD ")]


def _commands() -> list[tuple[str, list[str]]]:
    return [(name, SERVICES[name]["command"]) for name in OURS] + [("Dockerfile", command) for command in _image_commands()]


def test_the_parts_of_a_production_are_there():
    assert {"web", "worker", "scheduler", "migrate", "postgres", "valkey"} <= set(SERVICES)


@pytest.mark.parametrize("name", OURS)
def test_every_variable_it_sets_is_a_setting(name):
    given = {variable for variable in SERVICES[name]["environment"] if variable.startswith("HEADGATE_")}
    assert given <= VARIABLES, f"unknown to app.settings.Settings: {given - VARIABLES}"


def test_every_variable_the_images_set_is_a_setting():
    given = set(re.findall(r"HEADGATE_[A-Z_]+", DOCKERFILE))
    assert given <= VARIABLES, f"unknown to app.settings.Settings: {given - VARIABLES}"


@pytest.mark.parametrize(("place", "command"), _commands())
def test_every_command_exists(place, command):
    assert command[0] in SCRIPTS, f"{place}: {command[0]} is not installed in the image"
    if command[0] == "headgate":
        from app.cli.main import build_parser

        build_parser().parse_args(command[1:])
    if command[0] == "celery":
        assert command[1:3] == ["-A", "workers.celery_app"]
        assert (ROOT / "workers" / "celery_app.py").exists()
        assert command[3] in {"worker", "beat"}
    if command[0] == "uvicorn":
        module, attribute = command[1].split(":")
        source = (ROOT / Path(*module.split("."))).with_suffix(".py").read_text()
        assert re.search(rf"^{attribute}\b", source, re.MULTILINE), f"{place}: {command[1]} is not there"


@pytest.mark.parametrize("name", [name for name in SERVICES if name not in {"migrate", "proxy"}])
def test_every_lasting_service_has_a_health_check(name):
    assert SERVICES[name]["healthcheck"]["test"][0] in {"CMD", "CMD-SHELL"}


def test_the_web_has_two_processes_and_is_not_reached_but_through_the_proxy():
    command = SERVICES["web"]["command"]
    assert int(command[command.index("--workers") + 1]) >= 2
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["proxy"]


def test_a_worker_that_is_asked_to_end_has_longer_than_a_slice():
    seconds = int(SERVICES["worker"]["stop_grace_period"].removesuffix("s"))
    assert seconds > Settings.model_fields["slice_seconds"].default


def test_workers_can_be_multiplied():
    assert "container_name" not in SERVICES["worker"]
    assert "ports" not in SERVICES["worker"]


def test_secrets_come_by_file_and_no_password_stands_in_the_file():
    declared = set(COMPOSE["secrets"])
    used = {secret for service in SERVICES.values() for secret in service.get("secrets", [])}
    assert used == declared
    from_files = {name for name in declared if name.startswith("headgate_")} - {"headgate_keys"}
    assert {name.upper() for name in from_files} <= VARIABLES
    for service in SERVICES.values():
        for name, value in service.get("environment", {}).items():
            assert "password" not in name.lower() or name.endswith("_FILE"), name
            assert not re.search(r"://[^/]*:[^/]*@", str(value)), f"{name} holds a password"


def test_no_process_of_ours_is_root_or_may_become_it():
    assert re.findall(r"^USER (\w+)", DOCKERFILE, re.MULTILINE)[-1] == "headgate"
    for name in OURS:
        assert SERVICES[name]["cap_drop"] == ["ALL"], name


def test_the_worker_has_the_client_programs_of_postgresql_18():
    assert "postgresql-client-18" in DOCKERFILE
    assert SERVICES["worker"]["environment"]["HEADGATE_CLIENT_BIN_DIR"] == "/usr/lib/postgresql/18/bin"
    assert SERVICES["postgres"]["image"].startswith("postgres:18")


def test_whatever_the_image_copies_is_there():
    for line in DOCKERFILE.splitlines():
        if line.startswith("COPY ") and "--from" not in line:
            *sources, _ = line.split()[1:]
            missing = [source for source in sources if not (ROOT / source).exists()]
            assert not missing, f"{line}: {missing}"


def _has_compose() -> bool:
    docker = shutil.which("docker")
    return docker is not None and subprocess.run([docker, "compose", "version"], capture_output=True, check=False).returncode == 0


@pytest.mark.skipif(not _has_compose(), reason="no container engine here: `docker compose config` would check more")
def test_compose_itself_reads_it():
    subprocess.run(["docker", "compose", "-f", str(ROOT / "docker-compose.yml"), "config", "--quiet"], check=True, cwd=ROOT)
