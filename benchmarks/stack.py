"""The embedded stack: how soon it is ready, cold and again, how much memory our processes take, how soon it has ended."""

import json
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

from app.embedded.ports import free_port

ROOT = Path(__file__).resolve().parents[1]
OURS = ("uvicorn", "workers.celery_app")
SETTLE_SECONDS = 10
MEBIBYTE = 2**20


def figure(name: str, value: float, unit: str, bar: float) -> None:
    """Print one figure as a line of the contract; all of these are better when lower."""
    line = {"contract": 1, "bench": "stack", "figure": name, "value": round(value, 2), "unit": unit, "bar": bar}
    print(json.dumps({**line, "better": "lower", "ok": value <= bar}), flush=True)


def start(folder: Path) -> tuple[subprocess.Popen[str], float]:
    """The running `headgate up`, and the seconds until it said that it was ready."""
    command = [sys.executable, "-m", "app.cli.main", "up", "--port", str(free_port()), "--data-dir", str(folder)]
    began = time.monotonic()
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    if process.stdout is None or not process.stdout.readline().startswith("Headgate is ready"):
        raise SystemExit("headgate up did not become ready")
    return process, time.monotonic() - began


def our_memory(process: subprocess.Popen[str]) -> float:
    """MiB of web, worker and scheduler with their children; a page shared by several counts once in all (PSS)."""
    family = psutil.Process(process.pid).children(recursive=True)
    ours = [child for child in family if any(word in " ".join(child.cmdline()) for word in OURS)]
    return sum(child.memory_full_info().pss for child in ours) / MEBIBYTE


def stop(process: subprocess.Popen[str]) -> float:
    """Seconds until everything has ended after SIGTERM."""
    began = time.monotonic()
    process.send_signal(signal.SIGTERM)
    process.wait()
    return time.monotonic() - began


def main() -> None:
    """Start cold, look at the memory, stop, start again on the same data, stop."""
    with tempfile.TemporaryDirectory(prefix="hg-") as made:
        Path(made).chmod(0o711)
        folder = Path(made) / "data"
        process, seconds = start(folder)
        figure("ready, first start", seconds, "s", 15)
        time.sleep(SETTLE_SECONDS)
        figure("memory of web, worker and scheduler (PSS)", our_memory(process), "MiB", 600)
        figure("ended after SIGTERM", stop(process), "s", 15)
        process, seconds = start(folder)
        figure("ready, again on the same data", seconds, "s", 15)
        stop(process)


if __name__ == "__main__":
    main()
