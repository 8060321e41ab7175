"""What a backup consists of: every file with its size and SHA-256, the rows that were counted, the versions that made it.

The SHA-256 of the manifest itself is kept in Headgate's database: it stands for all of them.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from app.errors import HeadgateError

Format = Literal["directory", "custom"]
SUFFIX = ".manifest.json"


class BackupDamagedError(HeadgateError):
    """The backup is not what was written: a file is missing, changed, or unreadable to pg_restore."""

    status = 409
    exit_code = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFile:
    """One file as it is stored, encrypted where the backup is."""

    sha256: str
    bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """The record of one backup."""

    name: str
    format: Format
    database: str
    server_version_num: int
    #: of pg_dump
    client_major: int
    #: ISO 8601, UTC
    taken_at: str
    #: relative name -> what is stored; one entry named "" where the backup is a single file
    files: Mapping[str, StoredFile]
    #: qualified table -> rows in the dump's own snapshot, None where they could not be counted
    rows: Mapping[str, int | None]
    #: lines of the table of contents that pg_restore listed
    entries: int
    #: age public keys; empty where the backup is not encrypted
    recipients: tuple[str, ...] = ()
    #: qualified names, where only a part of the database was asked for
    tables: tuple[str, ...] = ()
    #: the tables' size on the server, for the next estimate
    source_bytes: int = 0

    @property
    def bytes(self) -> int:
        """The stored files' size."""
        return sum(file.bytes for file in self.files.values())

    def text(self) -> str:
        """The document that is stored beside the backup, the same for the same content."""
        return json.dumps({"headgate_backup": 1, **asdict(self)}, indent=1, sort_keys=True) + "\n"

    def as_json(self) -> dict[str, Any]:
        """The document as JSON values."""
        content: dict[str, Any] = json.loads(self.text())
        return content

    @property
    def sha256(self) -> str:
        """Of the document."""
        return hashlib.sha256(self.text().encode()).hexdigest()


def read_manifest(text: str, *, expected_sha256: str) -> Manifest:
    """The manifest of that document.

    Raises BackupDamagedError where it is not the one that was written.
    """
    if hashlib.sha256(text.encode()).hexdigest() != expected_sha256:
        raise BackupDamagedError("The manifest of the backup was changed.", hint="Take a new backup.")
    return manifest_from(json.loads(text))


def manifest_from(content: Mapping[str, Any]) -> Manifest:
    """The manifest of JSON values that were written by this version."""
    known = {name: value for name, value in content.items() if name != "headgate_backup"}
    files = {name: StoredFile(**file) for name, file in known.pop("files").items()}
    return Manifest(
        **{**known, "recipients": tuple(known["recipients"]), "tables": tuple(known["tables"])},
        files=files,
    )
