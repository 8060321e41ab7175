"""`headgate up` as a person runs it: ready soon, one a folder, nothing left behind, whatever ends it."""

import json
import os
import re
import select
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from app.embedded.ports import free_port, is_free

ROOT = Path(__file__).resolve().parents[2]
READY_SECONDS = 60  # the 15 s are measured by a benchmark; here other tests run beside it


class Up:
    """A running `headgate up` (or a copy that was refused)."""

    def __init__(self, folder: Path, port: int, **environment: str) -> None:
        command = [sys.executable, "-m", "app.cli.main", "up", "--port", str(port), "--data-dir", str(folder)]
        clean = {name: value for name, value in os.environ.items() if not name.startswith("HEADGATE_")}
        self.port = port
        self.began = time.monotonic()
        self.process = subprocess.Popen(
            command, cwd=ROOT, env={**clean, **environment}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def ready_line(self) -> str:
        """The line that says it is ready; fails with what it said instead."""
        readable, _, _ = select.select([self.process.stdout], [], [], READY_SECONDS)
        assert readable, "not ready in time"
        line = self.process.stdout.readline()
        assert line.startswith("Headgate is ready"), self.process.stderr.read()
        return line

    def family(self) -> list[psutil.Process]:
        """All it has started, children's children too."""
        return psutil.Process(self.process.pid).children(recursive=True)

    def send(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def end(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(40)
            except subprocess.TimeoutExpired:
                self.process.kill()
        self.process.stdout.close()
        self.process.stderr.close()
        self.process.wait()


@contextmanager
def up(folder: Path, port: int | None = None, **environment: str) -> Iterator[Up]:
    running = Up(folder, port or free_port(), **environment)
    try:
        yield running
    finally:
        running.end()


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="hg-") as made:
        Path(made).chmod(0o711)
        yield Path(made) / "data"


def _healthy(port: int) -> bool:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5) as answer:
        return answer.status == 200


def _all_gone(processes: list[psutil.Process], seconds: float = 20) -> None:
    _, alive = psutil.wait_procs(processes, timeout=seconds)
    assert not alive, f"left behind: {[process.cmdline() for process in alive]}"


def _names(processes: list[psutil.Process]) -> str:
    return " ".join(" ".join(process.cmdline()) for process in processes)


def test_all_parts_run_as_processes_of_their_own_and_sigterm_ends_them_all(folder):
    with up(folder) as running:
        assert f"http://localhost:{running.port}" in running.ready_line()
        assert _healthy(running.port)
        family = running.family()
        for part in ("postgres", "valkey-server", "uvicorn", "workers.celery_app worker", "workers.celery_app beat"):
            assert part in _names(family), part
        assert not re.search(r"://[^ ]*:[^ ]+@", _names(family)), "a password stands on a command line"
        running.send(signal.SIGTERM)
        assert running.process.wait(40) == 0
        _all_gone(family)
        assert is_free(running.port)


def test_a_killed_supervisor_leaves_no_orphan_and_the_next_start_goes_on_with_the_data(folder):
    with up(folder) as running:
        running.ready_line()
        key = (folder / "secret.keys").read_text()
        family = running.family()
        running.send(signal.SIGKILL)
        running.process.wait()
        _all_gone(family)
    with up(folder) as again:
        again.ready_line()
        assert _healthy(again.port)
        assert (folder / "secret.keys").read_text() == key
        again.send(signal.SIGINT)
        assert again.process.wait(40) == 0


def test_a_second_start_on_the_same_folder_says_who_holds_it_and_leaves_the_first_alone(folder):
    with up(folder) as first:
        first.ready_line()
        with up(folder) as second:
            assert second.process.wait(30) == 2
            said = second.process.stderr.read()
        assert str(folder) in said
        assert f"process {first.process.pid}" in said
        assert "--data-dir" in said
        assert _healthy(first.port)


def test_a_taken_port_is_named_and_nothing_is_left_running(folder):
    import socket

    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with up(folder, port) as refused:
            assert refused.process.wait(30) == 2
            said = refused.process.stderr.read()
    assert f"Port {port} is in use" in said
    assert "--port" in said


def test_a_part_that_crashes_is_started_again(folder):
    with up(folder) as running:
        running.ready_line()
        web = next(process for process in running.family() if "uvicorn" in " ".join(process.cmdline()))
        web.kill()
        deadline = time.monotonic() + 30
        while "web ended; it is started again" not in (line := running.process.stderr.readline()):
            assert time.monotonic() < deadline, line
        reborn = None
        while reborn is None and time.monotonic() < deadline:
            reborn = next((p for p in running.family() if p.pid != web.pid and "uvicorn" in " ".join(p.cmdline())), None)
        assert reborn is not None


def test_services_from_outside_are_used_instead_of_the_embedded_ones(folder, metadata, broker, postgres_server):
    given = {"HEADGATE_DATABASE_URL": metadata.dsn, "HEADGATE_REDIS_URL": broker, "HEADGATE_SHADOW_URL": postgres_server.dsn()}
    with up(folder, **given) as running:
        running.ready_line()
        assert "postgres -D" not in _names(running.family())
        assert "valkey" not in _names(running.family())
        assert not (folder / "postgres").exists()


def test_a_start_that_is_broken_off_leaves_nothing(folder):
    with up(folder) as running:
        _until_log(folder / "logs" / "postgres.log", running)
        family = running.family()
        running.send(signal.SIGINT)
        assert running.process.wait(40) == 0
        _all_gone(family)


def _until_log(log: Path, running: Up) -> None:
    """Return once the part has begun to log, before all is ready."""
    deadline = time.monotonic() + 30
    while not (log.exists() and log.stat().st_size) and time.monotonic() < deadline:
        assert running.process.poll() is None


def test_the_lock_names_the_holder_in_json(folder):
    from app.embedded.folder import DataFolder

    held = DataFolder(folder)
    held.hold(address="http://localhost:1")
    assert json.loads((folder / "lock").read_text()) == {"pid": os.getpid(), "address": "http://localhost:1"}
    held.release()
