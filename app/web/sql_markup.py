"""SQL as lines of coloured markup: classes only (the policy forbids style attributes), every span closed on its own line."""

import re
from functools import lru_cache

from markupsafe import Markup, escape
from pygments.lexers.sql import PostgresLexer
from pygments.token import Comment, Keyword, Literal, Name, Number, Operator, Punctuation, String, _TokenType

#: longer input is shown without colour: a page must not wait for a lexer
LONGEST_COLOURED = 200_000
_CLASSES: tuple[tuple[_TokenType, str], ...] = (
    (Keyword, "hl-k"),
    (Name.Builtin, "hl-k"),
    (String, "hl-s"),
    (Number, "hl-m"),
    (Literal, "hl-m"),
    (Comment, "hl-c"),
    (Punctuation, "hl-p"),
    (Operator, "hl-p"),
)
#: characters that turn the order of text on the screen, or take no room: SQL that hides behind them must not look harmless
_UNSEEN = re.compile("([\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff])")
_LEXER = PostgresLexer(stripnl=False, ensurenl=False)


def _class_of(token: _TokenType) -> str | None:
    return next((name for parent, name in _CLASSES if token[: len(parent)] == tuple(parent)), None)


def _shown(text: str, name: str | None) -> Markup:
    """A piece, escaped; characters that can't be seen stand there as their code points."""
    made = Markup("")
    for number, piece in enumerate(_UNSEEN.split(text)):
        if number % 2:
            made += Markup('<mark class="unseen-character">U+{}</mark>').format(f"{ord(piece):04X}")
        elif piece:
            made += Markup('<span class="{}">{}</span>').format(name, piece) if name else escape(piece)
    return made


@lru_cache(maxsize=512)
def lines(text: str) -> tuple[Markup, ...]:
    """The text's lines, escaped and coloured, in order."""
    text = text.replace("\r\n", "\n").rstrip("\n")
    if len(text) > LONGEST_COLOURED:
        return tuple(_shown(line, None) for line in text.split("\n"))
    done: list[list[Markup]] = [[]]
    for token, value in _LEXER.get_tokens(text):
        name = _class_of(token)
        for number, piece in enumerate(value.split("\n")):
            if number:
                done.append([])
            if piece:
                done[-1].append(_shown(piece, name))
    return tuple(Markup("").join(line) for line in done)


def inline(text: str) -> Markup:
    """The text coloured as one piece, for a place that keeps white space."""
    return Markup("\n").join(lines(text))
