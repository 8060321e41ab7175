"""The details of an audit line in one line for people; what is kept stands beside it in full."""

from collections.abc import Iterator, Mapping
from typing import Any

#: what says most stands first; what is not named here follows as it was written
_FIRST = ("name", "plan", "item", "step", "line", "role", "email", "target", "revision", "state", "gate", "new_database")
#: what somebody wrote, in their own words
_WORDS = ("reason", "note", "note_given")
_HASHES = ("digest", "hash", "fingerprint")
_HASH_LENGTH, _TEXT_LENGTH, _MOST = 12, 80, 4


def summary_of(details: Mapping[str, Any], *, subject: str = "", address: str = "") -> str:
    """The most telling details, words before hashes; ``subject`` is not said again. Where there are none: from where it came."""
    order = [*_FIRST, *_WORDS, *(name for name in details if name not in _FIRST + _WORDS)]
    names = sorted((name for name in order if name in details), key=_is_hash)
    parts = [part for name in names if (part := _part(name, details[name])) and part != subject]
    return " · ".join(parts[:_MOST]) or (f"from {address}" if address else "nothing more is kept")


def _part(name: str, value: Any) -> str:
    """One detail with its name, without it where the value speaks for itself; empty where there is nothing to say."""
    label = name.removesuffix("_id").replace("_", " ")
    if value is True:
        return label
    text = ", ".join(_texts(value)) if name == "changes" or not isinstance(value, Mapping) else ""
    if not text:
        return ""
    if _is_hash(name):
        return f"{label} {text[:_HASH_LENGTH]}"
    short = text if len(text) <= _TEXT_LENGTH else f"{text[: _TEXT_LENGTH - 1]}…"
    return f"“{short}”" if name in _WORDS else short if name in ("name", "plan", "email") else f"{label} {short}"


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        yield from (str(name).replace("_", " ") for name in value)
    elif isinstance(value, list | tuple):
        yield from map(str, value)
    elif value is not None and value is not False and value != "":
        yield str(value).strip()


def _is_hash(name: str) -> bool:
    return name.endswith(_HASHES)
