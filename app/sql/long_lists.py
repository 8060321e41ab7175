"""Long lists of plain values, shortened before a tree is made of them: what they hold is data, and nothing looks at it.

The tree of a 4 MiB INSERT takes a hundred times its memory; PostgreSQL's parser itself reads the whole text either way.
"""

import re

#: members of a list that stay; app/sql/tree.py looks at no more rows than this either
KEPT = 1_000
#: shorter scripts are not worth looking through
_WORTH_BYTES = 64 * 1024

_STRING = r"(?<![eE&])'[^']*+'(?:'[^']*+')*+"
_PLAIN = rf"[^()'\"$;\\]++|{_STRING}"
_CALL = rf"\((?:{_PLAIN})*+\)"
_ROW = rf"\((?:{_PLAIN}|{_CALL})*+\)"
_VALUE = rf"(?:-?\d[\w.]*+|(?i:true|false|null)|{_STRING})"
#: after the beginning of a list: the members that stay, then as many others as follow
_ROWS = re.compile(rf"(?i:\bvalues)\s*+(?:{_ROW}\s*+,\s*+){{{KEPT}}}(?P<rest>(?:{_ROW}\s*+,\s*+)++)")
_VALUES = re.compile(rf"\(\s*+(?:{_VALUE}\s*+,\s*+){{{KEPT}}}(?P<rest>(?:{_VALUE}\s*+,\s*+)++)")
_NOT_NEWLINE = re.compile(r"[^\n]")


def shortened(text: str) -> str:
    """The text with the middle of long lists of rows or values blanked, byte for byte; the text itself where there is none.

    Only lists of constants, casts and simple calls are shortened. A quote in a comment can mislead this, so that who parses the
    result compares its statements with those of the whole text.
    """
    if len(text) < _WORTH_BYTES:
        return text
    for pattern in (_ROWS, _VALUES):
        text = pattern.sub(_without_rest, text)
    return text


def _without_rest(match: re.Match[str]) -> str:
    begin, rest = match.group(0)[: match.start("rest") - match.start()], match["rest"]
    blank = _NOT_NEWLINE.sub(lambda char: " " * len(char[0].encode()), rest) if not rest.isascii() else _blank(rest)
    return begin + blank


def _blank(rest: str) -> str:
    return "\n".join(" " * len(line) for line in rest.split("\n"))
