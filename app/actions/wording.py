"""Texts that people hand in: trimmed, bounded, and refused by field where they are missing."""

import re
from collections.abc import Mapping
from typing import Any

from app.analysis.registry import RULES
from app.errors import InvalidInputError
from app.review.policy import EnvironmentPolicy
from app.review.roles import Role

LONGEST_NAME = 120
LONGEST_TEXT = 20_000
#: what an environment may be marked with; words that the stylesheet knows
COLORS = ("gray", "green", "blue", "violet", "amber", "red")
_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+")


def name(value: str, field: str = "name") -> str:
    """A name on one line.

    Raises InvalidInputError that names the field, as every function here.
    """
    cleaned = " ".join(value.split())
    if not cleaned:
        raise refused(field, "Give it a name.")
    if len(cleaned) > LONGEST_NAME:
        raise refused(field, f"Use at most {LONGEST_NAME} characters.")
    return cleaned


def reason(value: str, field: str = "reason") -> str:
    """A text that has to be given."""
    cleaned = text(value, field)
    if not cleaned:
        raise refused(field, "Say why: it stays visible beside what you do.")
    return cleaned


def text(value: str, field: str = "note") -> str:
    """A text that may be empty."""
    cleaned = value.strip()
    if "\x00" in cleaned:
        raise refused(field, "It has a zero byte in it.")
    if len(cleaned) > LONGEST_TEXT:
        raise refused(field, f"Use at most {LONGEST_TEXT} characters.")
    return cleaned


def email(value: str) -> str:
    """An e-mail address in lower case: only that it has the shape of one is checked."""
    cleaned = value.strip().lower()
    if not _ADDRESS.fullmatch(cleaned) or len(cleaned) > LONGEST_NAME * 2:
        raise refused("email", "This is not an e-mail address.")
    return cleaned


def typed(value: str, wanted: str, field: str, what: str) -> None:
    """Go on only where the person typed the name of what will be changed."""
    if value.strip() != wanted:
        raise refused(field, f"Type {wanted}, the name of {what}, to go on.")


def policy(content: Mapping[str, Any]) -> EnvironmentPolicy:
    """A policy that somebody hands in; a stored one may name a rule that a later version no longer has."""
    read = EnvironmentPolicy.from_json(content)
    for rule in read.severities:
        if rule not in RULES:
            raise refused("severities", f"There is no rule {rule}; the findings and docs/rules name them.")
    return read


def refused(field: str, wrong: str) -> InvalidInputError:
    """A refusal that the form shows beside the field."""
    return InvalidInputError(wrong, fields={field: wrong})


def role(value: str) -> Role:
    """The role of that name."""
    if value not in set(Role):
        raise refused("role", f"The roles are {', '.join(Role)}.")
    return Role(value)


def color(value: str) -> str:
    """One of COLORS."""
    if value not in COLORS:
        raise refused("color", f"The colours are {', '.join(COLORS)}.")
    return value
