"""Target: the only door to a target database. Every session has a name, time limits, and can be cancelled from another thread.

The search path and the time zone stay as the role has them: a migration must see what the application sees.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from functools import partial
from typing import Any, LiteralString, Self

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from app.target.dsn import Dsn, parse_dsn
from app.target.errors import ConnectionLostError, TargetUnreachableError, from_connect, from_psycopg
from app.target.pooler import refuse_shared_backends

OLDEST_VERSION = 140000
CONNECT_TIMEOUT_SECONDS = 10
#: Above deadlock_timeout (1 s), or an autovacuum in the way is never displaced.
LOCK_TIMEOUT_MS = 2000
#: A worker that stops in mid-transaction must not hold its locks for longer.
IDLE_TIMEOUT_MS = 60_000
_MAX_NAME_BYTES = 63

Query = LiteralString | sql.Composed | sql.SQL
Params = Mapping[str, Any] | Sequence[Any] | None

_FACTS = """
    SELECT pg_catalog.pg_backend_pid() AS pid,
           pg_catalog.pg_is_in_recovery() AS in_recovery,
           pg_catalog.current_setting('server_version_num')::int AS version_num,
           pg_catalog.current_setting('server_version') AS version,
           a.backend_start
      FROM pg_catalog.pg_stat_activity AS a
     WHERE a.pid = pg_catalog.pg_backend_pid()
"""
#: The ledger must not forget what took effect, so "off" becomes "on"; stricter settings stay.
_SET = """
    SELECT pg_catalog.set_config(name, value, false)
      FROM ROWS FROM (unnest(%(names)s::text[]), unnest(%(values)s::text[])) AS s(name, value)
     UNION ALL
    SELECT pg_catalog.set_config('synchronous_commit', 'on', false)
     WHERE pg_catalog.current_setting('synchronous_commit') = 'off'
"""


class Target:
    """A session on a target database; closes itself as a context manager."""

    def __init__(self, connection: psycopg.Connection[Any], dsn: Dsn, facts: Mapping[str, Any]) -> None:
        """Use ``Target.connect``."""
        self.connection = connection
        self.dsn = dsn
        self.pid: int = facts["pid"]
        self.backend_start: datetime = facts["backend_start"]
        self.server_version_num: int = facts["version_num"]
        self.server_version: str = facts["version"]
        self.is_standby: bool = facts["in_recovery"]

    @classmethod
    def connect(
        cls,
        dsn: str,
        *,
        purpose: str,
        autocommit: bool = True,
        lock_timeout_ms: int = LOCK_TIMEOUT_MS,
        statement_timeout_ms: int = 0,
        ends_with_client: bool = True,
        allow_standby: bool = False,
    ) -> Self:
        """A session named ``headgate <purpose>``, say ``headgate run 128 step 4``.

        ``ends_with_client``: the server ends a statement within a second of our death; False where it must finish without us.
        Raises TargetUnreachableError: refused, malformed, too old, read-only, behind a pooler, ...
        """
        parsed = parse_dsn(dsn)
        conninfo = parsed.conninfo(**_client_settings(parsed, purpose))
        connect = partial(psycopg.connect, conninfo, autocommit=True, prepare_threshold=None)
        try:
            connection = connect()
        except psycopg.Error as error:
            raise from_connect(error, parsed.summary) from None
        try:
            facts = connection.cursor(row_factory=dict_row).execute(_FACTS).fetchone() or {}
            if facts["pid"] != connection.info.backend_pid:
                refuse_shared_backends(connection, connect, where=parsed.summary)
            refuse_unusable(facts, where=parsed.summary, allow_standby=allow_standby)
            _limit(connection, lock_timeout_ms, statement_timeout_ms, ends_with_client=ends_with_client)
            connection.autocommit = autocommit
        except psycopg.Error as error:
            connection.close()
            raise from_connect(error, parsed.summary) from None
        except TargetUnreachableError:
            connection.close()
            raise
        return cls(connection, parsed, facts)

    def __enter__(self) -> Self:
        """The session itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close; an open transaction is rolled back by that."""
        self.close()

    def renew(self, *, purpose: str, ends_with_client: bool = True) -> None:
        """Make the session as good as new under another name: nothing that was set, locked or prepared in it is left.

        Raises a TargetError where it can't be used any more.
        """
        try:
            self.connection.execute("DISCARD ALL")
            _set(self.connection, {"application_name": _name_for(purpose)})
            _limit(self.connection, LOCK_TIMEOUT_MS, 0, ends_with_client=ends_with_client)
        except psycopg.Error as error:
            raise from_psycopg(error) from error

    def close(self) -> None:
        """End the session; says nothing where it has ended already."""
        with suppress(psycopg.Error):
            self.connection.close()

    @contextmanager
    def transaction(
        self, *, lock_timeout_ms: int | None = None, statement_timeout_ms: int | None = None, read_only: bool = False
    ) -> Iterator[None]:
        """One transaction with limits of its own; what is None stays as the session has it.

        Raises ConnectionLostError where the connection breaks, in COMMIT too: what took effect is then told by the ledger.
        """
        try:
            with self.connection.transaction():
                limits = {"lock_timeout": lock_timeout_ms, "statement_timeout": statement_timeout_ms}
                for name, value in limits.items():
                    if value is not None:
                        self.connection.execute(
                            "SELECT pg_catalog.set_config(%(name)s, %(value)s, true)", {"name": name, "value": str(value)}
                        )
                if read_only:
                    self.connection.execute("SET LOCAL transaction_read_only = on")
                yield
        except psycopg.Error as error:
            raise from_psycopg(error) from error

    def execute(self, query: Query, params: Params = None) -> int:
        """Run one statement of ours and count its rows (-1 where PostgreSQL counts none)."""
        return self._run(query, params).rowcount

    def one(self, query: Query, params: Params = None) -> dict[str, Any] | None:
        """The first row by column name, or None."""
        return self._run(query, params).fetchone()

    def all(self, query: Query, params: Params = None) -> list[dict[str, Any]]:
        """All rows by column name."""
        return self._run(query, params).fetchall()

    def send(self, statement: str) -> int:
        """Run one statement of a plan exactly as written, with no parameters, and count its rows (-1 where there are none).

        Raises a TargetError that carries the statement.
        """
        try:
            # bytes pass psycopg unread: a % in the text stays a %
            return self.connection.execute(statement.encode()).rowcount
        except psycopg.Error as error:
            raise from_psycopg(error, statement) from error

    def fetch(self, statement: str) -> list[tuple[Any, ...]]:
        """The rows of one query of a plan, exactly as written."""
        try:
            cursor = self.connection.execute(statement.encode())
            return list(cursor.fetchall()) if cursor.description is not None else []
        except psycopg.Error as error:
            raise from_psycopg(error, statement) from error

    def cancel(self, *, timeout_seconds: float = 2.0) -> None:
        """Cancel what the session runs now; meant for another thread.

        Raises ConnectionLostError where the target does not take the request.
        """
        try:
            self.connection.cancel_safe(timeout=timeout_seconds)
        except psycopg.Error as error:
            raise ConnectionLostError("The request to cancel did not reach the target.") from error

    def _run(self, query: Query, params: Params) -> psycopg.Cursor[dict[str, Any]]:
        try:
            return self.connection.cursor(row_factory=dict_row).execute(query, params)
        except psycopg.Error as error:
            raise from_psycopg(error) from error


def refuse_unusable(facts: Mapping[str, Any], *, where: str, allow_standby: bool) -> None:
    """Refuse servers that the engine's promises do not hold on.

    Raises TargetUnreachableError of kind too_old or standby.
    """
    if facts["version_num"] < OLDEST_VERSION:
        raise TargetUnreachableError(
            f"The server at {where} is PostgreSQL {facts['version']}; Headgate works with 14 and newer.",
            kind="too_old",
            hint="Upgrade the server first: versions before 14 get no security fixes any more.",
        )
    if facts["in_recovery"] and not allow_standby:
        raise TargetUnreachableError(
            f"The server at {where} is a standby, which is read-only.",
            kind="standby",
            hint="Give the primary's address, or several hosts with target_session_attrs=read-write.",
        )


def _name_for(purpose: str) -> str:
    return f"headgate {purpose}".encode()[:_MAX_NAME_BYTES].decode(errors="ignore")


def _client_settings(dsn: Dsn, purpose: str) -> dict[str, str | int]:
    return {
        "application_name": _name_for(purpose),
        "client_encoding": "utf8",
        "connect_timeout": dsn.values.get("connect_timeout") or CONNECT_TIMEOUT_SECONDS,
        "keepalives": 1,
        "keepalives_idle": 10,
        "keepalives_interval": 5,
        "keepalives_count": 3,
        "tcp_user_timeout": dsn.values.get("tcp_user_timeout") or 30_000,
    }


def _limit(
    connection: psycopg.Connection[Any], lock_timeout_ms: int, statement_timeout_ms: int, *, ends_with_client: bool
) -> None:
    limits = {
        "lock_timeout": lock_timeout_ms,
        "statement_timeout": statement_timeout_ms,
        "idle_in_transaction_session_timeout": IDLE_TIMEOUT_MS,
        "standard_conforming_strings": "on",
    }
    try:
        _set(connection, {**limits, "client_connection_check_interval": "1s" if ends_with_client else "0"})
    except psycopg.errors.InvalidParameterValue:
        # a server on a system that can't tell refuses it; its statements then run on, and takeover ends them
        _set(connection, limits)


def _set(connection: psycopg.Connection[Any], values: Mapping[str, Any]) -> None:
    connection.execute(_SET, {"names": list(values), "values": [str(value) for value in values.values()]})
