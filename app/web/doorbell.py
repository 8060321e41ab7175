"""Sends wake-ups to the workers by name, so that the web never imports them; a broker that is away costs seconds, never work."""

import logging
from collections.abc import Iterable
from typing import Protocol

from celery import Celery
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from app.actions.work import Wake
from app.settings import Settings

logger = logging.getLogger("headgate.doorbell")
#: what a wake is called in the workers
TASKS = {"advance": "headgate.advance", "job": "headgate.job", "monitor": "headgate.monitor"}


class Doorbell(Protocol):
    """Whatever wakes the workers after a commit."""

    def ring(self, wakes: Iterable[Wake]) -> None:
        """Wake for each; never raises, since the sweep finds what nobody heard."""
        ...


class CeleryDoorbell:
    """Rings through the broker; it is asked not to wait for a broker that does not answer."""

    def __init__(self, settings: Settings) -> None:
        """Opens nothing yet: the first ring does."""
        self._celery = Celery("headgate-web", broker=settings.redis_url.get_secret_value(), set_as_current=False)
        self._celery.conf.update(
            task_default_queue="headgate",
            task_ignore_result=True,
            broker_connection_timeout=1,
            broker_transport_options={"socket_timeout": 2, "socket_connect_timeout": 1, "max_retries": 0},
        )

    def ring(self, wakes: Iterable[Wake]) -> None:
        """Send a message for each wake."""
        for wake in wakes:
            try:
                self._celery.send_task(TASKS[wake.task], args=[wake.id], retry=False, ignore_result=True)
            except (OperationalError, RedisError, OSError) as error:
                logger.warning("The broker is away (%s); the sweep will find %s %s.", type(error).__name__, wake.task, wake.id)
