"""The watch: figures at their hours."""

from app.actions.worker.measure import measure_due
from workers import wiring
from workers.celery_app import app


@app.task(name="headgate.monitor_due")
def monitor_due() -> None:
    """Take the figures that are due, of every run that is watched."""
    measure_due(wiring.desk())


@app.task(name="headgate.monitor")
def monitor(run_id: int) -> None:
    """Take the figures of one run now."""
    measure_due(wiring.desk(), run_id=run_id)
