"""Rings a worker after the commit. Nothing is lost if nobody hears it: the sweep finds what the bell did not bring."""

import logging

from kombu.exceptions import OperationalError

from app.actions.work import Wake

logger = logging.getLogger("headgate.doorbell")

#: wake -> the task that answers it
TASKS = {"advance": "headgate.advance", "job": "headgate.job", "monitor": "headgate.monitor"}


def ring(wake: Wake) -> None:
    """Send one wake-up; a broker that is away is logged, not raised."""
    from workers.celery_app import app

    try:
        app.send_task(TASKS[wake.task], args=[wake.id], retry=False, ignore_result=True)
    except (OperationalError, OSError) as error:
        logger.warning("The broker is away (%s); the sweep will find %s %s.", type(error).__name__, wake.task, wake.id)
