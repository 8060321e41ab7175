"""The last look at a page before it leaves: characters that nobody sees stand there as their code points, wherever they are from.

Names, comments, step titles and SQL may hold marks that turn the order of text around. One place looks after all of them, so
that no page has to remember. Attributes and text fields keep what they hold: a form must send back what it was given.
"""

import re

from markupsafe import escape

from app.unseen import code_point, may_hold_unseen, name, replaced, spelled

_PARTS = re.compile(
    r"(?P<kept><textarea\b.*?</textarea>)|(?P<plain><(?:title|option)\b[^>]*>[^<]*)|(?P<tag><[^>]*>)|(?P<text>[^<]+)", re.DOTALL
)


def with_unseen_marked(page: str) -> str:
    """The page, unchanged where there is nothing to show."""
    return _PARTS.sub(_part, page) if may_hold_unseen(page) else page


def _part(found: re.Match[str]) -> str:
    if found["text"] is not None:
        return replaced(found[0], _mark)
    if found["plain"] is None:
        return found[0]
    # a title and an option hold text only
    tag, end, text = found[0].partition(">")
    return tag + end + spelled(text)


def _mark(character: str) -> str:
    return f'<mark class="unseen-character" title="{escape(name(character))}">{code_point(character)}</mark>'
