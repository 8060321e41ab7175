"""Celery as the carrier of wake-ups: JSON only, acknowledged early, no results; the rows in Headgate's database are the truth."""

import logging

from billiard.exceptions import WorkerLostError
from celery import Celery
from celery.signals import after_setup_logger, task_failure, worker_process_init, worker_ready, worker_shutting_down

from app.settings import get_settings
from workers import schedule

settings = get_settings()

app = Celery(
    "headgate",
    broker=settings.redis_url.get_secret_value(),
    include=["workers.backups", "workers.runs", "workers.jobs", "workers.monitoring"],
)
app.conf.update(
    accept_content=["json"],
    task_serializer="json",
    task_ignore_result=True,
    # A message delivered twice finds the run taken; a lost one is found by the sweep. Late acknowledgement was measured to start
    # one long task three times (docs/decisions/0003).
    task_acks_late=False,
    worker_prefetch_multiplier=1,
    worker_concurrency=settings.worker_concurrency,
    worker_hijack_root_logger=False,
    worker_send_task_events=False,
    broker_connection_retry_on_startup=True,
    broker_transport_options={"socket_keepalive": True, "health_check_interval": 10},
    timezone="UTC",
    task_default_queue="headgate",
    beat_schedule=schedule.BEAT,
    beat_max_loop_interval=5,
)


@after_setup_logger.connect
def _leave_out_every_wake_up(**_kwargs: object) -> None:
    """A wake-up every two seconds is no news: what a run or a job does is said by its own events and rows."""
    logging.getLogger().setLevel(settings.log_level)
    for name in ("celery.worker.strategy", "celery.app.trace", "celery.beat"):
        logging.getLogger(name).setLevel(logging.WARNING)


@worker_process_init.connect
def _forget_parents_connections(**_kwargs: object) -> None:
    """A forked child opens connections of its own; sharing a socket with its parent would mix their protocols."""
    from workers import wiring

    wiring.reset()


@worker_ready.connect
def _start_sweeping(**_kwargs: object) -> None:
    """Sweep from the worker's main process too, so that a dead scheduler stops nothing."""
    from workers import sweeping

    sweeping.start()


@task_failure.connect
def _sweep_after_a_death(exception: BaseException | None = None, **_kwargs: object) -> None:
    """A process of the pool was killed: whoever is free takes its run over at once, not at the sweep's next turn."""
    from workers import sweeping

    if isinstance(exception, WorkerLostError):
        sweeping.soon()


@worker_shutting_down.connect
def _stop_sweeping(**_kwargs: object) -> None:
    from workers import sweeping

    sweeping.stop()
