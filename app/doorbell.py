"""Rings a worker by name after a commit. Nothing is lost where nobody hears it: the sweep finds what the bell did not bring."""

import logging

from celery import Celery
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from app.actions.work import Wake

logger = logging.getLogger("headgate.doorbell")
#: wake -> the task of the workers that answers it; by name, so that the web never imports them
TASKS = {"advance": "headgate.advance", "job": "headgate.job", "monitor": "headgate.monitor"}


def ring(celery: Celery, wake: Wake) -> None:
    """Send one wake-up; a broker that is away is logged, not raised."""
    try:
        celery.send_task(TASKS[wake.task], args=[wake.id], retry=False, ignore_result=True)
    except (OperationalError, RedisError, OSError) as error:
        logger.warning("The broker is away (%s); the sweep will find %s %s.", type(error).__name__, wake.task, wake.id)
