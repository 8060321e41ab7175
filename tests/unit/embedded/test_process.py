"""A child process: what a failed start says, how it ends, and what happens where a part is not available."""

import signal
import sys

import pytest

from app.embedded import broker, process
from app.embedded.postgres import NotAvailableError, installation
from app.embedded.process import Child, ChildFailedError, put_aside


def _child(tmp_path, code):
    return Child("the part", [sys.executable, "-u", "-c", code], log=tmp_path / "part.log")


def test_a_part_that_ends_while_starting_is_shown_with_its_last_words(tmp_path):
    child = _child(tmp_path, "print('no such port'); raise SystemExit(7)")
    child.start()
    with pytest.raises(ChildFailedError, match=r"the part ended while starting \(exit 7\).*no such port") as failed:
        child.wait_until(lambda: False, seconds=20)
    assert failed.value.exit_code == 3
    assert "part.log" in failed.value.hint


def test_a_part_that_is_not_ready_in_time_is_ended(tmp_path):
    child = _child(tmp_path, "import signal; signal.pause()")
    child.start()
    with pytest.raises(ChildFailedError, match=r"not ready within 0\.1 s"):
        child.wait_until(lambda: False, seconds=0.1)
    assert not child.is_running()


def test_one_that_does_not_listen_is_killed_with_all_it_started(tmp_path):
    import psutil

    code = (
        "import signal, subprocess, sys; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
        "subprocess.Popen([sys.executable, '-c', 'import signal; signal.pause()']); print('ready'); signal.pause()"
    )
    child = _child(tmp_path, code)
    child.start()
    child.wait_until(lambda: "ready" in child.log.read_text(), seconds=20)
    family = psutil.Process(child.pid).children(recursive=True)
    assert family
    child.stop(seconds=0.2)
    _, alive = psutil.wait_procs(family, timeout=5)
    assert not alive
    assert child.pid is None


def test_the_polite_signal_is_the_one_that_was_chosen(tmp_path):
    code = "import signal, sys; signal.signal(signal.SIGINT, lambda *_: sys.exit(3)); print('ready'); signal.pause()"
    child = _child(tmp_path, code)
    child.polite = signal.SIGINT
    child.start()
    child.wait_until(lambda: "ready" in child.log.read_text(), seconds=20)
    child.ask_to_stop()
    assert child.process.wait(10) == 3
    child.stop()


def test_a_long_log_is_put_aside_and_a_short_one_goes_on(tmp_path, monkeypatch):
    monkeypatch.setattr(process, "LONGEST_LOG_BYTES", 10)
    log = tmp_path / "part.log"
    log.write_text("short")
    put_aside(log)
    assert log.exists()
    log.write_text("longer than ten bytes")
    put_aside(log)
    assert not log.exists()
    assert (tmp_path / "part.log.before").read_text() == "longer than ten bytes"


def test_where_there_is_no_wheel_of_postgresql_the_way_out_names_both_variables():
    with pytest.raises(NotAvailableError) as refused:
        installation("no_such_wheel")
    assert "HEADGATE_DATABASE_URL" in refused.value.hint
    assert "HEADGATE_REDIS_URL" in refused.value.hint


def test_where_there_is_no_wheel_of_the_broker_the_way_out_names_both_variables(monkeypatch):
    def missing(name):
        raise ModuleNotFoundError(name)

    monkeypatch.setattr(broker, "import_module", missing)
    with pytest.raises(NotAvailableError) as refused:
        broker.server_program()
    assert "HEADGATE_REDIS_URL" in refused.value.hint
