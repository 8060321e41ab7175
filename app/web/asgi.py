"""What uvicorn loads: settings, sessions and the doorbell become the application."""

import gc
import logging

from app.settings import get_settings
from app.store.sessions import make_engine, make_sessions
from app.web.doorbell import CeleryDoorbell
from app.web.main import create_app

#: as many as the threads that serve pages need at once on two cores
POOL_SIZE = 10

_settings = get_settings()
logging.basicConfig(level=_settings.log_level, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
_engine = make_engine(
    _settings.database_url.get_secret_value(), pool_size=POOL_SIZE, overflow=30, application_name="headgate web"
)
app = create_app(_settings, make_sessions(_engine), CeleryDoorbell(_settings))

# What is loaded by now stays for the life of the process: the collector need not walk it on every request's garbage.
gc.collect()
gc.freeze()
gc.set_threshold(20_000, 20, 50)
