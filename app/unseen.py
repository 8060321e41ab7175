"""Characters that nobody sees, though they change what a line says: they turn its order around, or take no room at all."""

import re
import unicodedata
from collections.abc import Callable

#: letters and marks by Unicode's tables, but blank on every screen
_BLANK = "\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0"
#: controls, directional marks and their isolates, zero-width spaces, tags
_UNSEEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    f"{_BLANK}\U000e0000-\U000e007f]"
    # the joiners belong between letters of other scripts (Persian, Hindi) and emoji; beside ASCII they only hide
    r"|(?<![^\x00-\x7f])[\u200c\u200d]|[\u200c\u200d](?![^\x00-\x7f])"
)


def may_hold_unseen(text: str) -> bool:
    """False where the text surely holds none: quick enough to be asked of every page."""
    one_line = text.replace("\n", " ").replace("\t", " ")
    return not one_line.isprintable() or any(blank in one_line for blank in _BLANK)


def replaced(text: str, by: Callable[[str], str]) -> str:
    """The text with each unseen character replaced by what ``by`` makes of it."""
    return _UNSEEN.sub(lambda found: by(found[0]), text)


def code_point(character: str) -> str:
    """``U+202E``."""
    return f"U+{ord(character):04X}"


def name(character: str) -> str:
    """Unicode's own name, or "control character" where there is none."""
    return unicodedata.name(character, "control character").lower()


def spelled(text: str) -> str:
    """The text with each unseen character as its code point in brackets, for places that hold text only."""
    return replaced(text, lambda character: f"[{code_point(character)}]")
