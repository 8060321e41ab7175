"""Connection strings at rest: sealed with AES-256-GCM, the key named in the blob, the place it belongs to bound to it."""

import base64
import binascii
import os
from collections.abc import Iterable
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from app.errors import HeadgateError
from app.settings import Settings

_FORM = "hg1"
_NONCE_BYTES = 12
KEY_BYTES = 32


class SecretKeyError(HeadgateError):
    """The key that connection strings are sealed with is missing or wrong."""

    status = 500


@dataclass(frozen=True, slots=True)
class Key:
    """One key; its repr shows the name only."""

    id: str
    secret: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys that open, newest first; the first one seals."""

    keys: tuple[Key, ...]

    @property
    def newest(self) -> Key:
        """The key that seals."""
        return self.keys[0]

    def by_id(self, name: str) -> Key:
        """The key of that name.

        Raises SecretKeyError where it is not among them.
        """
        for key in self.keys:
            if key.id == name:
                return key
        raise SecretKeyError(
            f"A connection string is sealed with key '{name}', which is not among the configured ones.",
            hint="Add that key again below the newest one, rotate, and remove it then.",
        )


def new_key(name: str) -> str:
    """A line for the key file."""
    return f"{name}:{base64.b64encode(os.urandom(KEY_BYTES)).decode()}"


def load_keys(settings: Settings) -> Keys:
    """The keys of HEADGATE_SECRET_KEY_FILE, or of HEADGATE_SECRET_KEYS where there is no file.

    Raises SecretKeyError that names the line and never the key.
    """
    if settings.secret_key_file is not None:
        try:
            lines = settings.secret_key_file.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise SecretKeyError(
                f"The key file {settings.secret_key_file} can't be read ({type(error).__name__}).",
                hint="HEADGATE_SECRET_KEY_FILE names it; the process's user needs to read it.",
            ) from None
        return parse_keys(lines)
    if settings.secret_keys is not None:
        return parse_keys(settings.secret_keys.get_secret_value().split(","))
    raise SecretKeyError(
        "No key to seal connection strings with is configured.",
        hint="Set HEADGATE_SECRET_KEY_FILE to a file with one line `id:base64 of 32 bytes` a key, newest first.",
    )


def parse_keys(lines: Iterable[str]) -> Keys:
    """Keys from lines ``id:base64 of 32 bytes``; blank lines and lines that begin with # are left out."""
    found: list[Key] = []
    for number, raw in enumerate(lines, start=1):
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        name, _, encoded = line.partition(":")
        try:
            secret = base64.b64decode(encoded.strip(), validate=True)
        except binascii.Error:
            secret = b""
        if not name.strip() or len(secret) != KEY_BYTES:
            raise SecretKeyError(
                f"Key {number} is not `id:base64 of {KEY_BYTES} bytes`.",
                hint="Make one with: python3 -c \"import base64,os;print('k1:'+base64.b64encode(os.urandom(32)).decode())\"",
                line=number,
            )
        if any(key.id == name.strip() for key in found):
            raise SecretKeyError(f"Two keys are called '{name.strip()}'.", hint="Give each key its own name.", line=number)
        found.append(Key(name.strip(), secret))
    if not found:
        raise SecretKeyError("The list of keys is empty.", hint="Add one line `id:base64 of 32 bytes`.")
    return Keys(tuple(found))


def seal(keys: Keys, plaintext: str, context: str) -> str:
    """The text sealed with the newest key; it opens only with the same ``context`` (say ``target:12``)."""
    nonce = os.urandom(_NONCE_BYTES)
    bound = _bound(keys.newest.id, context)
    sealed = AESGCM(keys.newest.secret).encrypt(nonce, plaintext.encode(), bound)
    return f"{_FORM}:{keys.newest.id}:{base64.urlsafe_b64encode(nonce + sealed).decode()}"


def open_sealed(keys: Keys, blob: str, context: str) -> str:
    """The text that was sealed.

    Raises SecretKeyError where the key is missing, or the blob was changed or belongs elsewhere.
    """
    name, body = _parts(blob)
    try:
        raw = base64.urlsafe_b64decode(body)
        return AESGCM(keys.by_id(name).secret).decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], _bound(name, context)).decode()
    except (InvalidTag, ValueError):
        raise SecretKeyError(
            "A sealed connection string does not open: it was changed, belongs to another target, or its key was replaced.",
            hint="Enter the connection string again, or bring back the key it was sealed with.",
        ) from None


def rotate(keys: Keys, blob: str, context: str) -> str:
    """The same text sealed with the newest key; the blob itself where it already is."""
    return blob if _parts(blob)[0] == keys.newest.id else seal(keys, open_sealed(keys, blob, context), context)


def _parts(blob: str) -> tuple[str, str]:
    form, _, rest = blob.partition(":")
    name, colon, body = rest.rpartition(":")
    if form != _FORM or not colon:
        raise SecretKeyError("This is not a sealed connection string.", hint="Enter the connection string again.")
    return name, body


def _bound(key: str, context: str) -> bytes:
    return f"{_FORM}|{key}|{context}".encode()
