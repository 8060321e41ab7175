"""What the live stream of a run sends: its page's parts, rendered once for everybody who watches."""

from pathlib import Path

from sqlalchemy.orm import Session, sessionmaker

from app.web.live import Frames
from app.web.render import Renderer
from app.web.views.run_log import lines_after
from app.web.views.runs import load_run

#: lines of the log that a stream sends at once
MOST_LINES = 1000
#: region of the page -> its template
PARTS = {
    "header": "runs/_header_live.html",
    "timeline": "runs/_timeline.html",
    "now": "runs/_now.html",
    "signals": "runs/_signals.html",
}


def render_run(sessions: sessionmaker[Session], renderer: Renderer, folder: Path, run_id: int, after: int) -> Frames:
    """The parts of the run's page as they are now, and the log's lines after a number; ``folder`` is the data directory."""
    with sessions() as session:
        page = load_run(session, run_id, folder=folder)
        # a page keeps its newest lines: who was away for longer than that gets what it can show
        since = max(after, page.number - MOST_LINES)
        lines = lines_after(session, run_id, since) if since < page.number else []
    return Frames(
        # a line may have come between the two readings: who got it must not get it again
        number=max(page.number, lines[-1].number if lines else 0),
        lines=[(line.number, renderer.fragment("runs/_event.html", line=line)) for line in lines],
        parts={name: renderer.fragment(template, page=page) for name, template in PARTS.items()},
        is_over=not page.is_live,
    )
