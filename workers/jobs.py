"""Jobs: one message, one job; what it does stands in app/actions/worker/."""

from app.actions.worker.perform_job import perform_job
from workers import wiring
from workers.celery_app import app


@app.task(name="headgate.job")
def job(job_id: int) -> None:
    """Do one job, unless somebody else does it."""
    perform_job(wiring.desk(), job_id)
