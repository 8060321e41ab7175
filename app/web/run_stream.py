"""What the live stream of a run sends: its page's parts, rendered once for everybody who watches."""

from sqlalchemy.orm import Session, sessionmaker

from app.web.live import Frames
from app.web.render import Renderer
from app.web.views.runs import lines_after, load_run

#: region of the page -> its template
PARTS = {
    "header": "runs/_header.html",
    "timeline": "runs/_timeline.html",
    "now": "runs/_now.html",
    "signals": "runs/_signals.html",
}


def render_run(sessions: sessionmaker[Session], renderer: Renderer, run_id: int, after: int) -> Frames:
    """The parts of the run's page as they are now, and the log's lines after a number."""
    with sessions() as session:
        page = load_run(session, run_id)
        lines = lines_after(session, run_id, after) if after < page.number else []
    return Frames(
        number=page.number,
        lines=[(line.number, renderer.fragment("runs/_event.html", line=line)) for line in lines],
        parts={name: renderer.fragment(template, page=page) for name, template in PARTS.items()},
        is_over=not page.is_live,
    )
