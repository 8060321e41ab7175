"""What a run that was acted on tells: its events, the lines of the audit log, the rows of its steps."""

from app.store.events import events_since
from app.store.tables import AuditLine, Run, RunStep
from tests.doubles.world import World

DONE = {"add-note": "succeeded", "ask": "succeeded", "index-note": "succeeded"}


def told(world: World, run: Run) -> list[object]:
    with world.sessions() as session:
        return [event for _, _, event in events_since(session, run.id)]


def acts(world: World, run: Run) -> list[str]:
    with world.sessions() as session:
        return [
            line.act for line in session.query(AuditLine).filter_by(subject_kind="run", subject_id=run.id).order_by(AuditLine.id)
        ]


def step(world: World, run: Run, step_id: str) -> RunStep:
    with world.sessions() as session:
        return session.get_one(RunStep, (run.id, step_id))
