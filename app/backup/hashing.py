"""SHA-256 of files while pg_dump still writes them: at its end hardly anything is left to be read again."""

import hashlib
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Protocol

from app.backup.progress import Tally
from app.backup.storage import BLOCK_BYTES

_LOOK_SECONDS = 0.2


class _Digest(Protocol):
    def update(self, data: bytes, /) -> None: ...
    def hexdigest(self) -> str: ...


@dataclass(slots=True)
class _Followed:
    stream: BinaryIO
    digest: _Digest = field(default_factory=hashlib.sha256)


class Follower:
    """Reads the rows' files of a directory dump as they grow: pg_dump only appends to those. Others are read at the end."""

    def __init__(self, folder: Path, *, is_final: bool) -> None:
        """``folder`` may not be there yet; not ``is_final``: what is in it is encrypted afterwards, so it is only measured."""
        self._folder = folder
        self._is_final = is_final
        self._followed: dict[str, _Followed] = {}

    def look(self) -> int:
        """Read what is new, for a moment at most; the size of all files now."""
        if not self._folder.is_dir():
            return self._folder.stat().st_size if self._folder.exists() else 0
        size, until = 0, time.monotonic() + _LOOK_SECONDS
        for file in self._folder.iterdir():
            size += file.stat().st_size
            if self._is_final and file.name[:1].isdigit() and ".dat" in file.name:
                followed = self._followed.get(file.name) or self._followed.setdefault(file.name, _Followed(file.open("rb")))
                while time.monotonic() < until and (block := followed.stream.read(BLOCK_BYTES)):
                    followed.digest.update(block)
        return size

    def finish(self, file: Path, tally: Tally) -> str:
        """The SHA-256 of a file that is complete: what was not read yet is read now; Raises StopAskedError."""
        followed = self._followed.pop(file.name, None) or _Followed(file.open("rb"))
        with followed.stream as stream:
            while block := stream.read(BLOCK_BYTES):
                followed.digest.update(block)
                tally.add(len(block))
        return followed.digest.hexdigest()

    def close(self) -> None:
        """Let go of the files."""
        for followed in self._followed.values():
            followed.stream.close()
        self._followed.clear()
