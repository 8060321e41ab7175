"""Backups that are older than their environment keeps them."""

from app.actions.worker.expire_backups import expire_backups
from workers import wiring
from workers.celery_app import app


@app.task(name="headgate.expire_backups")
def expire() -> None:
    """Delete what no rule keeps any more."""
    expire_backups(wiring.desk())
