"""What pg_restore says a dump holds: its table of contents, the check that a dump is one."""

import subprocess
from collections.abc import Collection
from pathlib import Path

from app.backup.clients import find_client
from app.backup.manifest import BackupDamagedError

#: the one file of the directory format that the list is made of
TOC = "toc.dat"
_DATA = " TABLE DATA "


def list_entries(path: Path, *, bin_dir: Path | None) -> list[str]:
    """The lines of ``pg_restore --list``; Raises BackupDamagedError where it can't read the dump."""
    listed = subprocess.run(
        [find_client("pg_restore", bin_dir), "--list", path], capture_output=True, text=True, check=False, errors="replace"
    )
    if listed.returncode != 0:
        raise BackupDamagedError(f"pg_restore can't list {path.name}: {listed.stderr.strip()}", hint="Take a new backup.")
    return [line for line in listed.stdout.splitlines() if line and not line.startswith(";")]


def tables_with_rows(entries: Collection[str], known: Collection[tuple[str, str]]) -> set[str]:
    """Qualified names of tables whose rows are in the dump, out of the (schema, name) pairs that the server had.

    A line reads ``3521; 0 16390 TABLE DATA public users app``, and each of the three last words may have blanks in it.
    """
    by_text = {f"{schema} {name}": f"{schema}.{name}" for schema, name in known}
    found = set()
    for entry in entries:
        if _DATA in entry:
            words = entry.split(_DATA, 1)[1].split(" ")
            texts = (" ".join(words[:end]) for end in range(len(words) - 1, 1, -1))
            found |= {by_text[text] for text in texts if text in by_text}
    return found
