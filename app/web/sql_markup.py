"""SQL as lines of coloured markup: classes only (the policy forbids style attributes), every span closed on its own line."""

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
_LEXER = PostgresLexer(stripnl=False, ensurenl=False)


def _class_of(token: _TokenType) -> str | None:
    return next((name for parent, name in _CLASSES if token[: len(parent)] == tuple(parent)), None)


def _piece(text: str, name: str | None) -> Markup:
    return Markup('<span class="{}">{}</span>').format(name, text) if name else escape(text)


@lru_cache(maxsize=512)
def lines(text: str) -> tuple[Markup, ...]:
    """The text's lines, escaped and coloured, in order."""
    text = text.replace("\r\n", "\n").rstrip("\n")
    if len(text) > LONGEST_COLOURED:
        return tuple(escape(line) for line in text.split("\n"))
    done: list[list[Markup]] = [[]]
    for token, value in _LEXER.get_tokens(text):
        name = _class_of(token)
        for number, piece in enumerate(value.split("\n")):
            if number:
                done.append([])
            if piece:
                done[-1].append(_piece(piece, name))
    return tuple(Markup("").join(line) for line in done)


def inline(text: str) -> Markup:
    """The text coloured as one piece, for a place that keeps white space."""
    return Markup("\n").join(lines(text))
