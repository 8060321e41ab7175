"""Records to markup: a whole page, or one of its parts when htmx asks; a name that is missing is an error, never a blank."""

from functools import lru_cache, partial
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from lucide.jinja import lucide
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse

from app.clock import Clock
from app.settings import Settings
from app.web import formats, sql_markup
from app.web.assets import Assets
from app.web.notes import note_for
from app.web.problems import wants_part
from app.web.prose import prose
from app.web.tones import tone
from app.web.unseen_marks import with_unseen_marked

TEMPLATES = Path(__file__).resolve().parents[2] / "templates"
THEMES = ("auto", "light", "dark")
THEME_COOKIE = "headgate_theme"
#: what is reached from the targets, and stands in no navigation of its own
_OF_TARGETS = {"projects", "environments", "backups", "restores"}


@lru_cache(maxsize=256)  # drawing one takes longer than the rest of the line it stands on
def icon(name: str, size: int = 15) -> Markup:
    """An icon that says nothing to a screen reader: the word stands beside it."""
    return Markup(lucide(name, size=size, **{"aria-hidden": "true"}))  # noqa: S704  drawn by the package, no input in it


def theme_of(request: Request) -> str:
    """The stored choice, or "auto" for what the browser prefers."""
    chosen = request.cookies.get(THEME_COOKIE, "auto")
    return chosen if chosen in THEMES else "auto"


def section_of(path: str) -> str:
    """The entry of the navigation that a page belongs to."""
    first = path.split("/")[1]
    return "home" if not first else "targets" if first in _OF_TARGETS else first


class Renderer:
    """The templates with everything that they may call."""

    def __init__(self, settings: Settings, assets: Assets, clock: Clock, *, folder: Path = TEMPLATES) -> None:
        """``folder`` holds one folder per screen, and ``components``."""
        self._clock = clock
        self._environment = Environment(
            loader=FileSystemLoader(folder),
            autoescape=select_autoescape(default=True, default_for_string=True),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        self._environment.globals.update(
            icon=icon, asset=assets.url, sql_lines=sql_markup.lines, plural=formats.plural, tone=tone, settings=settings
        )
        self._environment.filters.update(
            size=formats.size,
            count=formats.count,
            short=formats.short_count,
            span=formats.span,
            ms=formats.milliseconds,
            exact=formats.exact,
            words=formats.words,
            initials=formats.initials,
            prose=prose,
            sql=sql_markup.inline,
        )

    def _context(self, request: Request, context: dict[str, Any]) -> dict[str, Any]:
        now = self._clock.now()
        return {
            "me": getattr(request.state, "actor", None),
            "path": request.url.path,
            "section": section_of(request.url.path),
            "theme": theme_of(request),
            "now": now,
            "moment": partial(formats.moment, now=now),
            "clock": partial(formats.clock, now=now),
            "note": note_for(request.query_params.get("done")),
            "refresh_seconds": None,
            **context,
        }

    def markup(self, request: Request, template: str, *, block: str | None = None, **context: Any) -> str:
        """The template's text, or that of one of its blocks."""
        made = self._environment.get_template(template)
        values = self._context(request, context)
        text = made.render(values) if block is None else "".join(made.blocks[block](made.new_context(values)))
        return with_unseen_marked(text)

    def fragment(self, template: str, **context: Any) -> str:
        """A part that is the same for everybody who looks, for the live stream: nobody's rights are in it."""
        now = self._clock.now()
        times = {"moment": partial(formats.moment, now=now), "clock": partial(formats.clock, now=now)}
        values = {"me": None, "now": now, **times, **context}
        return with_unseen_marked(self._environment.get_template(template).render(values))

    def page(self, request: Request, template: str, *, status: int = 200, **context: Any) -> HTMLResponse:
        """A whole page."""
        return HTMLResponse(self.markup(request, template, **context), status_code=status)

    def part(
        self, request: Request, template: str, *, status: int = 200, block: str | None = None, **context: Any
    ) -> HTMLResponse:
        """A part that replaces itself on a page."""
        return HTMLResponse(self.markup(request, template, block=block, **context), status_code=status)

    def either(self, request: Request, page: str, part: str, **context: Any) -> HTMLResponse:
        """The part where htmx asks for it, else the page."""
        return self.part(request, part, **context) if wants_part(request) else self.page(request, page, **context)
