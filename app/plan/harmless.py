"""Text that people wrote, made safe for whatever will show the exported document.

HTML in it stays text, links go only where links may, nothing runs on into the next section, and no character is unseen. What
CommonMark's parser still finds is the measure, not a pattern of ours: the text is escaped until it finds nothing.
"""

import re
from collections.abc import Iterator

from markdown_it import MarkdownIt
from markdown_it.token import Token

from app.unseen import spelled

_ROUNDS = 8
_SCHEME = re.compile(r"[^/?#]*:")
_SAFE_SCHEME = re.compile(r"(https?|mailto):", re.IGNORECASE)
_END = "End of the section"
_NOT_ESCAPED = r"(?<!\\)((?:\\\\)*)([{}])"
_HTML, _LINK = re.compile(_NOT_ESCAPED.format("<")), re.compile(_NOT_ESCAPED.format(r"<\["))


class _Suspicious(MarkdownIt):
    """Takes every address for one, so that those can be found which a careless reader would follow."""

    def validateLink(self, url: str) -> bool:  # noqa: ARG002, N802  the parser's own name
        return True


#: with tables too: where a cell ends, a span of code ends
_PARSERS = (_Suspicious("commonmark", {"html": True}), _Suspicious("commonmark", {"html": True}).enable("table"))


def harmless(text: str) -> str:
    """The text as a section of a document; what holds nothing harmful is only stripped."""
    made = spelled(text.replace("\r\n", "\n").replace("\r", "\n")).strip()
    for _ in range(_ROUNDS):
        html, links = _harmful_rows(made)
        if not html and not links:
            break
        rows = made.split("\n")
        for number in html | links:
            rows[number] = (_LINK if number in links else _HTML).sub(r"\1\\\2", rows[number])
        made = "\n".join(rows)
    else:
        return in_block(made)
    return made if _ends(made) else in_block(made)


def one_line(text: str) -> str:
    """The text as a title or a cell of a table."""
    return re.sub(r"[\\<\[|]", r"\\\g<0>", " ".join(spelled(text).split()))


def code(text: str) -> str:
    """The text as a span of code, whatever it holds."""
    line = " ".join(spelled(text).split())
    fence = "`" * (_longest_run(line) + 1)
    padding = " " if len(fence) > 1 else ""
    return f"{fence}{padding}{line}{padding}{fence}"


def in_block(text: str, language: str = "") -> str:
    """The text as a block of code that ends where it should."""
    fence = "`" * max(3, _longest_run(text) + 1)
    body = text if text.endswith("\n") else f"{text}\n"
    return f"{fence}{language}\n{body}{fence}"


def _longest_run(text: str) -> int:
    return max((len(run) for run in re.findall(r"`+", text)), default=0)


def _harmful_rows(text: str) -> tuple[set[int], set[int]]:
    """Numbers of lines that hold HTML, and of those that hold a link to where links may not go."""
    html: set[int] = set()
    links: set[int] = set()
    for parser in _PARSERS:
        environment: dict[str, dict[str, dict[str, str]]] = {}
        for token in parser.parse(text, environment):
            rows = range(*token.map) if token.map else range(0)
            if token.type == "html_block" or any(child.type == "html_inline" for child in token.children or ()):
                html.update(rows)
            if any(not _is_safe(address) for address in _addresses(token)):
                links.update(rows)
        for definition in environment.get("references", {}).values():
            if not _is_safe(definition["href"]):
                links.update(range(*definition["map"]))
    return html, links


def _addresses(token: Token) -> Iterator[str]:
    for child in token.children or ():
        for name in ("href", "src"):
            if name in child.attrs:
                yield str(child.attrs[name])


def _is_safe(address: str) -> bool:
    return not _SCHEME.match(address) or bool(_SAFE_SCHEME.match(address))


def _ends(text: str) -> bool:
    """True where a heading after the text is one, not the rest of a block that stays open."""
    for parser in _PARSERS:
        tokens = parser.parse(f"{text}\n\n### {_END}")
        if not (len(tokens) > 1 and tokens[-2].type == "inline" and tokens[-2].content == _END and tokens[-2].level == 1):
            return False
    return True
