"""The sweep in a worker's main process: a thread that wakes what nobody drives, so that a dead scheduler stops nothing."""

import logging
import threading

from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from app.actions.work import Wake
from app.settings import get_settings
from app.store.claims import lost_jobs, runs_without_driver
from app.store.sessions import make_engine
from workers.doorbell import ring

logger = logging.getLogger("headgate.sweep")
#: a server frees the lock of a killed process when it finds its session's socket closed: milliseconds, on a busy machine more
SESSION_ENDS_SECONDS = 0.1
_stop = threading.Event()
_look = threading.Event()


def sweep(engine: Engine) -> int:
    """Ring for every run and job without a driver; how many there were."""
    with engine.connect() as connection:
        wakes = [Wake(task="advance", id=run_id) for run_id in runs_without_driver(connection)]
        wakes += [Wake(task="job", id=job_id) for job_id in lost_jobs(connection)]
    for wake in wakes:
        ring(wake)
    return len(wakes)


def start() -> None:
    """Begin to sweep in the background of this process, at once: who starts again after a crash has work to find."""
    _stop.clear()
    _look.clear()
    threading.Thread(target=_sweep_until_stopped, name="sweep", daemon=True).start()


def soon() -> None:
    """Sweep now instead of at the next turn: a process of this worker died, perhaps with a run in its hands."""
    _look.set()


def stop() -> None:
    """End it."""
    _stop.set()
    _look.set()


def _sweep_until_stopped() -> None:
    settings = get_settings()
    engine = make_engine(settings.database_url.get_secret_value(), pool_size=1, overflow=0, application_name="headgate sweep")
    while not _stop.is_set():
        try:
            sweep(engine)
        except OperationalError:
            logger.warning("The sweep found no database; it looks again in %s s.", settings.sweep_seconds)
        except Exception:  # the worker edge: a bug here must not end the sweep for good
            logger.exception("The sweep broke; it looks again in %s s.", settings.sweep_seconds)
        if _look.wait(settings.sweep_seconds):
            _look.clear()
            _stop.wait(SESSION_ENDS_SECONDS)
    engine.dispose()
