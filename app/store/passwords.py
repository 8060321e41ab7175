"""Passwords: Argon2id by pwdlib, checked in the same time whether the account exists or not."""

from functools import lru_cache

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from app.errors import InvalidInputError

SHORTEST = 12
#: Argon2 reads every byte, so an endless password would be an endless check.
LONGEST = 1024


def check_new(password: str) -> None:
    """Refuse a password that is too short or absurdly long.

    Raises InvalidInputError that names the field.
    """
    if len(password) < SHORTEST:
        wrong = f"Use at least {SHORTEST} characters; a sentence is easier to remember than a riddle."
    elif len(password) > LONGEST:
        wrong = f"Use at most {LONGEST} characters."
    else:
        return
    raise InvalidInputError(wrong, fields={"password": wrong})


def hash_password(password: str) -> str:
    """The hash to keep."""
    return _hasher().hash(password)


def is_right(password: str, password_hash: str | None) -> tuple[bool, str | None]:
    """Whether the password is right, and a new hash where the kept one was made with weaker parameters.

    Without a hash (no such account, or no password set) the same work is done, so that the time gives nothing away.
    """
    if len(password) > LONGEST:
        return False, None
    right, updated = _hasher().verify_and_update(password, password_hash or _nobodys_hash())
    return right and password_hash is not None, updated if password_hash is not None else None


@lru_cache
def _hasher() -> PasswordHash:
    return PasswordHash((Argon2Hasher(),))


@lru_cache
def _nobodys_hash() -> str:
    return _hasher().hash("nobody's password")
