"""The workers' bell: rings through the connection that this process has anyway."""

from app import doorbell
from app.actions.work import Wake


def ring(wake: Wake) -> None:
    """Send one wake-up; a broker that is away is logged, not raised."""
    # the tasks ring this bell, and the Celery application imports the tasks
    from workers.celery_app import app

    doorbell.ring(app, wake)
