"""A backup on disk: its files with their SHA-256, kept beside it as a manifest, and checked by pg_restore itself."""

import hashlib
import json
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from app.backup.clients import find_client
from app.errors import HeadgateError

Format = Literal["directory", "custom"]
_BLOCK_BYTES = 1 << 20


class BackupDamagedError(HeadgateError):
    """The backup is not what was written: a file is missing, changed, or unreadable to pg_restore."""

    status = 409
    exit_code = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact:
    """One backup that is complete on disk."""

    path: Path
    format: Format
    size_bytes: int
    #: of the manifest's lines, so that it names every file
    sha256: str
    #: relative file name -> SHA-256
    files: dict[str, str]
    #: entries in the table of contents that pg_restore lists
    entries: int
    #: tables whose rows are in it, as listed
    tables: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """What the manifest file and the database keep."""
        return {
            "format": self.format,
            "size_bytes": self.size_bytes,
            "sha256": self.sha256,
            "files": self.files,
            "entries": self.entries,
            "tables": list(self.tables),
        }


def manifest_path(path: Path) -> Path:
    """Where the manifest of a backup stands: beside it, not in it, since pg_restore reads what is in it."""
    return path.with_name(path.name + ".manifest.json")


def seal_artifact(path: Path, kind: Format, *, bin_dir: Path | None) -> Artifact:
    """Hash every file, list the contents with pg_restore, and write the manifest.

    Raises BackupDamagedError where pg_restore can't list it.
    """
    files = {str(file.relative_to(path)) if path.is_dir() else file.name: _sha256(file) for file in _files(path)}
    entries = _list_entries(path, bin_dir=bin_dir)
    artifact = Artifact(
        path=path,
        format=kind,
        size_bytes=sum(file.stat().st_size for file in _files(path)),
        sha256=_digest(files),
        files=files,
        entries=len(entries),
        tables=tuple(_table_of(entry) for entry in entries if " TABLE DATA " in entry),
    )
    manifest_path(path).write_text(json.dumps(artifact.as_json(), indent=2, sort_keys=True) + "\n")
    return artifact


def check_artifact(path: Path, *, expected_sha256: str, bin_dir: Path | None) -> int:
    """Compare a backup with what was kept of it; the number of entries that pg_restore lists.

    Raises BackupDamagedError, which names the first file that differs.
    """
    if not path.exists():
        raise BackupDamagedError(f"The backup {path.name} is no longer there.", hint="Take a new backup.")
    kept = json.loads(manifest_path(path).read_text()) if manifest_path(path).exists() else {"files": {}}
    found = {str(file.relative_to(path)) if path.is_dir() else file.name: _sha256(file) for file in _files(path)}
    for name in sorted(kept["files"].keys() | found.keys()):
        if kept["files"].get(name) != found.get(name):
            raise BackupDamagedError(f"The file {name} of backup {path.name} is not what was written.", hint="Take a new backup.")
    if _digest(found) != expected_sha256:
        raise BackupDamagedError(f"The manifest of backup {path.name} was changed.", hint="Take a new backup.")
    return len(_list_entries(path, bin_dir=bin_dir))


def _files(path: Path) -> Iterable[Path]:
    return sorted(file for file in path.rglob("*") if file.is_file()) if path.is_dir() else [path]


def _sha256(file: Path) -> str:
    digest = hashlib.sha256()
    with file.open("rb") as stream:
        while block := stream.read(_BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()


def _digest(files: dict[str, str]) -> str:
    lines = "".join(f"{files[name]}  {name}\n" for name in sorted(files))
    return hashlib.sha256(lines.encode()).hexdigest()


def _list_entries(path: Path, *, bin_dir: Path | None) -> list[str]:
    listed = subprocess.run(
        [find_client("pg_restore", bin_dir), "--list", path], capture_output=True, text=True, check=False, errors="replace"
    )
    if listed.returncode != 0:
        raise BackupDamagedError(f"pg_restore can't list {path.name}: {listed.stderr.strip()}", hint="Take a new backup.")
    return [line for line in listed.stdout.splitlines() if line and not line.startswith(";")]


def _table_of(entry: str) -> str:
    """``3521; 0 16390 TABLE DATA public users app`` -> ``public.users``."""
    words = entry.split(" TABLE DATA ", 1)[1].split(" ")
    return ".".join(words[:2])
