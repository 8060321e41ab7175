"""Bringing Headgate's own database to the version of this code, and back; run by `headgate migrate` and at the start of `up`."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from app.store.sessions import make_engine

MIGRATIONS = Path(__file__).resolve().parents[2] / "migrations"


def configuration(url: str) -> Config:
    """Alembic's configuration in code: where the migrations are, and which database they change."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("path_separator", "os")
    config.attributes["url"] = url
    return config


def upgrade(url: str, revision: str = "head") -> None:
    """Apply what is pending; a second process that does the same waits for the first and finds nothing to do."""
    command.upgrade(configuration(url), revision)


def downgrade(url: str, revision: str = "-1") -> None:
    """Take migrations back down to a revision; ``base`` removes everything."""
    command.downgrade(configuration(url), revision)


def current(url: str) -> str | None:
    """The revision that the database is at, or None for an empty one."""
    engine = make_engine(url)
    try:
        with engine.connect() as connection:
            return MigrationContext.configure(connection).get_current_revision()
    finally:
        engine.dispose()


def newest(url: str = "") -> str | None:
    """The revision that this code wants."""
    return ScriptDirectory.from_config(configuration(url)).get_current_head()
