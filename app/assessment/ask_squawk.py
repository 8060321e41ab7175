"""Asks squawk for its opinion, where its package (squawk-cli) is installed: the program runs by itself, with a time limit."""

import os
import shutil
import subprocess
import sys
import tempfile
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from app.analysis.report import Analysis
from app.analysis.second_opinion import SecondOpinion, read_answer, text_for

TIMEOUT_SECONDS = 20
NOT_INSTALLED = "squawk is not installed beside Headgate: pip install squawk-cli"
#: more than this is no answer but a fault
_MOST_BYTES = 8_000_000
_FINDINGS = 1


def ask_squawk(analysis: Analysis, *, program: str | None = None, server_version: int | None = None) -> SecondOpinion:
    """What squawk says about the statements that were analysed; where it says nothing, why."""
    found = program or _program()
    if found is None:
        return SecondOpinion(missing=NOT_INSTALLED)
    command = [found, "--reporter", "json", *(["--pg-version", f"{server_version}.0"] if server_version else [])]
    # an empty folder: a .squawk.toml that lies about somewhere has no say
    with tempfile.TemporaryDirectory(prefix="headgate-squawk-") as folder:
        try:
            done = subprocess.run(
                command,
                input=text_for(analysis).encode(),
                capture_output=True,
                cwd=folder,
                env={"PATH": os.environ.get("PATH", "")},
                timeout=TIMEOUT_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return SecondOpinion(missing=f"squawk did not answer within {TIMEOUT_SECONDS} s")
        except OSError as error:
            return SecondOpinion(missing=f"squawk could not be started: {error.strerror}")
    if done.returncode not in {0, _FINDINGS} or len(done.stdout) > _MOST_BYTES:
        return SecondOpinion(missing=f"squawk ended with {done.returncode} and no answer")
    try:
        return read_answer(done.stdout.decode(errors="replace"), analysis, version=_version())
    except ValueError:
        return SecondOpinion(missing="squawk's answer could not be read")


def _program() -> str | None:
    beside = Path(sys.executable).with_name("squawk")
    return str(beside) if beside.exists() else shutil.which("squawk")


def _version() -> str:
    try:
        return version("squawk-cli")
    except PackageNotFoundError:
        return ""
