"""How Headgate's own migrations run: one at a time, one transaction each, and never long in a lock queue."""

from alembic import context
from sqlalchemy import text

import app.store.tables  # noqa: F401  makes the metadata complete
from app.store.base import Base, Word
from app.store.sessions import make_engine

#: Any constant; two processes that upgrade at once take turns.
LOCK = int.from_bytes(b"migrate", "big")


def render_item(kind: str, item: object, _: object) -> str | bool:
    """A word is plain text to the database; its CHECK is rendered by itself."""
    return "sa.Text()" if kind == "type" and isinstance(item, Word) else False


def migrate() -> None:
    """Apply or take back what was asked for."""
    engine = make_engine(context.config.attributes["url"], application_name="headgate migrate")
    try:
        with engine.connect() as connection:
            connection.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": LOCK})
            connection.execute(text("SET lock_timeout = '4s'"))
            connection.commit()
            context.configure(
                connection=connection,
                target_metadata=Base.metadata,
                transaction_per_migration=True,
                compare_type=True,
                compare_server_default=True,
                render_item=render_item,
            )
            with context.begin_transaction():
                context.run_migrations()
    finally:
        engine.dispose()


migrate()
