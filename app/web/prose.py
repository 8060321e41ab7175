"""Text that people wrote (Markdown) as markup: HTML in it is shown, never run, and links go only where links may."""

from functools import lru_cache

from markdown_it import MarkdownIt
from markupsafe import Markup

_MARKDOWN = MarkdownIt("commonmark", {"html": False, "linkify": False}).enable("table").disable("image")


@lru_cache(maxsize=256)
def prose(text: str) -> Markup:
    """The text as paragraphs, lists and code; raw HTML stays text, ``javascript:`` links are left out."""
    return Markup(_MARKDOWN.render(text))  # noqa: S704  markdown-it escapes HTML itself when html is False
