"""The web's bell: it waits a second or two for a broker that is away, never longer."""

from collections.abc import Iterable
from typing import Protocol

from celery import Celery

from app.actions.work import Wake
from app.doorbell import ring
from app.settings import Settings


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
            ring(self._celery, wake)
