"""What the embedded stack consists of, in the order it starts: broker, PostgreSQL, our schema, then web, worker, scheduler."""

import os
import signal
import sys
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.error import URLError

import psycopg
import redis

from app.embedded.broker import EmbeddedBroker
from app.embedded.databases import make_database, make_role
from app.embedded.folder import DataFolder
from app.embedded.ports import PortTakenError, is_free
from app.embedded.postgres import EmbeddedPostgres, NotAvailableError, client_programs
from app.embedded.process import Child
from app.embedded.supervisor import Supervisor
from app.settings import Settings

METADATA = "headgate"
WEB_READY_SECONDS = 120
WORKER_READY_SECONDS = 120
#: a rehearsal's server holds nothing worth keeping
THROWAWAY = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "shared_buffers": "64MB",
    "max_connections": "50",
}

Say = Callable[[str], None]


@dataclass(kw_only=True)
class Stack:
    """Everything that `headgate up` runs on one data folder."""

    folder: DataFolder
    settings: Settings
    port: int
    host: str = "127.0.0.1"
    say: Say = print
    postgres: EmbeddedPostgres | None = None
    supervisor: Supervisor = field(init=False)
    environment: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Make the supervisor that talks through ``say``."""
        self.supervisor = Supervisor(say=self.say)

    @property
    def address(self) -> str:
        """The address of the web page on this machine."""
        return f"http://localhost:{self.port}"

    def start(self, *, with_postgres: bool = False) -> None:
        """Start all of it and return when the web answers; ``with_postgres``: the embedded server even if one is configured.

        Raises: FolderHeldError, PortTakenError, NotAvailableError, ChildFailedError; what was started is stopped again.
        """
        self.folder.hold(address=self.address)
        if not is_free(self.port, host=self.host):
            raise PortTakenError(self.port, option=f"--port {self.port + 1}")
        try:
            self._start_servers(with_postgres=with_postgres)
            self._migrate()
            self._start_headgate()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End everything, the last started first, and let go of the folder."""
        self.supervisor.stop()
        self.folder.release()

    def log(self, name: str) -> Path:
        """The log file of the part ``name``."""
        return self.folder.logs / f"{name}.log"

    def _start_servers(self, *, with_postgres: bool) -> None:
        given = self.settings.model_fields_set
        self.environment = _inherited_environment()
        self.environment["HEADGATE_REDIS_URL"] = self._given("redis_url") if "redis_url" in given else self._start_broker()
        if "database_url" not in given or with_postgres:
            self._start_postgres()
        self.environment["HEADGATE_DATABASE_URL"] = (
            self._given("database_url") if "database_url" in given else self._metadata_url()
        )
        self.environment["HEADGATE_DATA_DIR"] = str(self.folder.path)
        self.environment.setdefault("HEADGATE_PUBLIC_URL", self.address)
        if not given & {"secret_key_file", "secret_keys"}:
            self.environment["HEADGATE_SECRET_KEY_FILE"] = str(self.folder.secret_key_file())
        if "client_bin_dir" not in given:
            self._offer(lambda: {"HEADGATE_CLIENT_BIN_DIR": str(client_programs())})

    def _given(self, name: str) -> str:
        value: str = getattr(self.settings, name).get_secret_value()
        return value

    def _offer(self, extra: Callable[[], Mapping[str, str]]) -> None:
        """Add what an embedded part brings, where it exists; without it the product still works, with less."""
        try:
            self.environment.update(extra())
        except NotAvailableError as missing:
            self.say(f"{missing.message} {missing.hint}")

    def _start_broker(self) -> str:
        broker = EmbeddedBroker(self.folder.path / "broker", log=self.log("broker"))
        self.supervisor.start(broker)
        return broker.url

    def _start_postgres(self) -> None:
        port = self.folder.port("postgres")
        self.postgres = EmbeddedPostgres(self.folder.path / "postgres", port=port, log=self.log("postgres"))
        if not is_free(port):
            self.postgres.end_leftover()
        if not is_free(port):
            raise PortTakenError(port, option=f"write it into {self.folder.path}/kept/port-postgres")
        if not self.postgres.home.is_relative_to(self.folder.path):
            reason = f"PostgreSQL can't run as root, and another user can't enter {self.folder.path}"
            self.say(f"{reason}: its files are in {self.postgres.home}.")
        self.supervisor.start(self.postgres)

    def _start_shadow(self) -> dict[str, str]:
        shadow = EmbeddedPostgres(self.folder.path / "shadow", settings=THROWAWAY, log=self.log("shadow"))
        shadow.name = "the rehearsals' PostgreSQL"
        self.supervisor.start(shadow)
        return {"HEADGATE_SHADOW_URL": shadow.dsn()}

    def _metadata_url(self) -> str:
        """The address of our own database as its own role, made if it is not there yet."""
        if self.postgres is None:  # only without an address from outside do we get here
            raise NotAvailableError
        password = self.folder.password(METADATA)
        with psycopg.connect(self.postgres.dsn(), autocommit=True) as connection:
            make_role(connection, METADATA, password)
            make_database(connection, METADATA, owner=METADATA)
        return self.postgres.dsn(METADATA, user=METADATA, password=password)

    def _migrate(self) -> None:
        from app.store.migrate import upgrade

        upgrade(self.environment["HEADGATE_DATABASE_URL"])

    def _start_headgate(self) -> None:
        """Start our own three processes; the rehearsals' server comes up while they import."""
        if "shadow_url" not in self.settings.model_fields_set:
            self._offer(self._start_shadow)
        web, worker, scheduler = self._web(), self._worker(), self._scheduler()
        for part in (worker, web, scheduler):
            self.supervisor.start(part)
        web.wait_until(self._web_answers, seconds=WEB_READY_SECONDS)
        worker.wait_until(self._worker_listens, seconds=WORKER_READY_SECONDS)

    def _web(self) -> Child:
        options = ["--host", self.host, "--port", str(self.port), "--timeout-graceful-shutdown", "3", "--no-server-header"]
        return self._python("web", ["uvicorn", "app.web.asgi:app", *options], polite=signal.SIGTERM)

    def _worker(self) -> Child:
        """The worker; if we are killed it gets SIGQUIT, Celery's word for stopping at once (a run is taken over anyway)."""
        options = ["-P", "prefork", "-c", str(self.settings.worker_concurrency), "-l", self.settings.log_level]
        quiet = ["--without-gossip", "--without-mingle", "--without-heartbeat"]
        return self._python("worker", ["celery", "-A", "workers.celery_app", "worker", *options, *quiet], orphaned=signal.SIGQUIT)

    def _scheduler(self) -> Child:
        files = ["--schedule", str(self.folder.path / "scheduler"), "--pidfile", ""]
        return self._python("scheduler", ["celery", "-A", "workers.celery_app", "beat", "-l", self.settings.log_level, *files])

    def _python(
        self, name: str, module: list[str], *, polite: signal.Signals = signal.SIGTERM, orphaned: signal.Signals | None = None
    ) -> Child:
        command = [sys.executable, "-m", *module]
        return Child(
            name, command, log=self.log(name), env=self.environment, cwd=self.folder.path, polite=polite, orphaned=orphaned
        )

    def start_python(self, name: str, module: list[str]) -> None:
        """Start a further Python process (``-m module arguments``) in the stack's environment, supervised like the rest."""
        self.supervisor.start(self._python(name, module))

    def _web_answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://{self.host}:{self.port}/healthz", timeout=2) as answer:
                return bool(answer.status == 200)  # noqa: PLR2004  # HTTP's own word for "fine"
        except (URLError, OSError):
            return False

    def _worker_listens(self) -> bool:
        """True once the worker has bound its queue in the broker."""
        client = redis.Redis.from_url(self.environment["HEADGATE_REDIS_URL"])
        try:
            return next(iter(client.scan_iter("_kombu.binding.*")), None) is not None
        finally:
            client.close()


def _inherited_environment() -> dict[str, str]:
    """Our own environment without what would make libpq in a child go somewhere else."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PG")}
