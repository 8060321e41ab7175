"""Runs: one message drives one run for one slice; the sweep wakes those that nobody drives."""

from app.actions.work import Wake
from app.actions.worker.advance_run import advance_run
from workers import sweeping, wiring
from workers.celery_app import app
from workers.doorbell import ring


@app.task(name="headgate.advance")
def advance(run_id: int) -> None:
    """Drive one run for a slice, and ring again where there is more to do now."""
    if advance_run(wiring.desk(), run_id):
        ring(Wake(task="advance", id=run_id))


@app.task(name="headgate.sweep")
def sweep() -> None:
    """Wake runs and jobs that nobody drives."""
    sweeping.sweep(wiring.engine())
