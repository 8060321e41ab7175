"""Backups at rest as age files: chunks of 64 KiB, each authenticated, readable without Headgate by any age program.

Only public keys are needed to write. A key is changed by adding the new one to the recipients and, for as long as older backups
are kept, leaving the old identity in the file.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

import pyrage

from app.backup.place import Place
from app.backup.progress import StopAskedError, Tally
from app.errors import HeadgateError

SUFFIX = ".age"


class BackupKeyError(HeadgateError):
    """A key of the backups is missing or wrong."""

    status = 409


class _Counted:
    """A file that is read through the tally, so that the work is heard and stops between two blocks."""

    def __init__(self, stream: BinaryIO, tally: Tally) -> None:
        self._stream = stream
        self._tally = tally
        self.stopped = False

    def read(self, size: int = -1) -> bytes:
        """The next bytes; Raises StopAskedError."""
        block = self._stream.read(size)
        try:
            self._tally.add(len(block))
        except StopAskedError:
            # the library wraps what is raised here into an error of its own
            self.stopped = True
            raise
        return block


def encrypt_file(plain: Path, sealed: Path, recipients: Sequence[str], tally: Tally) -> None:
    """Write the encrypted file; Raises BackupKeyError for a recipient that is no key, OSError, StopAskedError."""
    keys = [_recipient(text) for text in recipients]
    with plain.open("rb") as source, sealed.open("wb") as sink:
        counted = _Counted(source, tally)
        try:
            pyrage.encrypt_io(counted, sink, keys)
        except (pyrage.EncryptError, OSError) as error:
            raise _meant(counted, error) from None


def decrypt_file(sealed: Path, plain: Path, place: Place, *, recipients: Sequence[str], tally: Tally) -> None:
    """Write the decrypted file; ``recipients`` are those the backup was encrypted to.

    Raises BackupKeyError that names the keys where none fits, BackupDamagedError is left to the manifest's hashes.
    """
    identities = open_identities(place, recipients)
    with sealed.open("rb") as source, plain.open("wb") as sink:
        counted = _Counted(source, tally)
        try:
            pyrage.decrypt_io(counted, sink, identities)
        except (pyrage.DecryptError, OSError) as error:
            raise _meant(counted, error) from None


def open_identities(place: Place, recipients: Sequence[str]) -> list[pyrage.x25519.Identity]:
    """The identities of the file, where one of them fits.

    Raises BackupKeyError that names the keys on both sides (the public ones) and the way out.
    """
    wanted = ", ".join(recipients)
    if place.identity_file is None:
        raise BackupKeyError(
            f"The backup is encrypted to {wanted}, and no identity is configured here.",
            hint="Set HEADGATE_BACKUP_IDENTITY_FILE for the workers to a file with the identity of that key.",
        )
    held = _read_identities(place.identity_file)
    if not set(held) & set(recipients):
        raise BackupKeyError(
            f"The backup is encrypted to {wanted}; the identity file holds the keys of {', '.join(held) or 'nobody'}.",
            hint=f"Add the identity of {recipients[0]} as a line of its own to {place.identity_file}.",
        )
    return list(held.values())


def check_recipients(recipients: Sequence[str]) -> None:
    """Refuse what is no age public key before anything is dumped.

    Raises BackupKeyError.
    """
    for text in recipients:
        _recipient(text)


def _recipient(text: str) -> pyrage.x25519.Recipient:
    try:
        return pyrage.x25519.Recipient.from_str(text)
    except pyrage.RecipientError:
        shown = f"{text[:12]}..." if text.startswith("age1") else "An entry"
        raise BackupKeyError(
            f"{shown} in HEADGATE_BACKUP_RECIPIENTS is not an age public key.",
            hint="They begin with age1: age-keygen prints one.",
        ) from None


def _read_identities(path: Path) -> dict[str, pyrage.x25519.Identity]:
    """Public key -> identity; an error names the line and never what is in it."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise BackupKeyError(f"The identity file {path} can't be read ({type(error).__name__}).") from None
    found = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        try:
            identity = pyrage.x25519.Identity.from_str(line.strip())
        except pyrage.IdentityError:
            raise BackupKeyError(
                f"Line {number} of {path} is no age identity.", hint="They begin with AGE-SECRET-KEY-1."
            ) from None
        found[str(identity.to_public())] = identity
    return found


def _meant(counted: _Counted, error: Exception) -> Exception:
    """What really happened: the library tells only that reading or writing failed."""
    if counted.stopped:
        return StopAskedError()
    return error
