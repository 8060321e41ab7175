"""What an importer is, and what it hands over: migrations in the order in which their tool would run them."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from app.errors import HeadgateError

#: the files of a folder or an upload: relative path with ``/`` -> bytes as they are on disk
Files = Mapping[str, bytes]


class ImportRefusedError(HeadgateError):
    """These files can't be imported as migrations."""

    status = 422


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """SQL text with the place it came from."""

    text: str
    file: str
    #: the line of the file at which the text begins
    line: int = 1

    def in_place(self) -> str:
        """The text after as many empty lines as stand before it in its file, so that line numbers are the file's."""
        return "\n" * (self.line - 1) + self.text


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedMigration:
    """One migration as its tool wrote it."""

    #: what the tool calls it: Prisma's folder, a file's name without ``.up.sql``
    name: str
    up: Script
    down: Script | None = None
    #: from 1, in the order in which they run
    position: int
    #: False where the tool's own marker says that it can't run in a transaction; None where the tool says nothing
    transactional: bool | None = None
    #: SHA-256 (hex) of the file's bytes before any conversion: what history tables keep
    checksum: str = ""

    @property
    def file(self) -> str:
        """The file that holds the forward SQL."""
        return self.up.file


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What one importer made of the files."""

    migrations: tuple[ImportedMigration, ...]
    #: file -> why it was left out, for files that look as if they should belong
    left_out: Mapping[str, str] = field(default_factory=dict)


class Importer(Protocol):
    """One tool's format: how its files are recognised, and what they say."""

    #: the name that plans, policies and the command line use
    tool: str

    def recognise(self, files: Files) -> str | None:
        """Why these files are taken for this tool's, as a sentence; None where they are not."""
        ...

    def read(self, files: Files) -> Reading:
        """The migrations in their order.

        Raises ImportRefusedError.
        """
        ...


def decode(content: bytes, file: str) -> str:
    """The text of an SQL file, without its byte order mark; line ends stay as they are.

    Raises ImportRefusedError for what is not UTF-8, with the file and the offset of the byte.
    """
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise ImportRefusedError(f"{file} is UTF-16, not UTF-8.", hint="Save it as UTF-8 and import it again.", file=file)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        offset = error.start + (3 if content.startswith(b"\xef\xbb\xbf") else 0)
        raise ImportRefusedError(
            f"{file} is not UTF-8: the byte at offset {offset} is 0x{content[offset]:02x}.",
            hint="Convert it, for example with iconv -f latin1 -t utf-8, and import it again.",
            file=file,
            line=content.count(b"\n", 0, offset) + 1,
            column=offset - content.rfind(b"\n", 0, offset),
        ) from error
    if "\0" in text:
        offset = content.index(b"\0")
        line = content.count(b"\n", 0, offset) + 1
        raise ImportRefusedError(
            f"{file} is no SQL text: there is a NUL byte at offset {offset}.",
            hint="Import the SQL text, not a binary dump (pg_restore -f turns a dump into SQL).",
            file=file,
            line=line,
        )
    return text


def checksum(content: bytes) -> str:
    """SHA-256 (hex) of a file's bytes."""
    return hashlib.sha256(content).hexdigest()
