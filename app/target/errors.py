"""What a target answers when it says no, as types: the engine decides by class, pages show the database's own words."""

from typing import Any, Literal

import psycopg

from app.errors import HeadgateError

#: Why a target can't be worked with.
UnreachableKind = Literal[
    "refused", "timeout", "host", "password", "database", "tls", "full", "malformed", "too_old", "standby", "pooler", "other"
]


class TargetError(HeadgateError):
    """The target refused a statement or could not be reached."""

    status = 502
    exit_code = 1
    #: True where the same unit of work may simply be tried again
    is_retryable = False

    def __init__(
        self,
        message: str | None = None,
        *,
        hint: str | None = None,
        sqlstate: str | None = None,
        detail: str | None = None,
        statement: str | None = None,
        position: int | None = None,
        context: str | None = None,
    ) -> None:
        """``position`` counts characters from the statement's start, from 1."""
        super().__init__(message, hint=hint, sqlstate=sqlstate)
        self.detail = detail
        self.statement = statement
        self.position = position
        self.context = context

    def as_json(self) -> dict[str, Any]:
        """The error object of the contract with what the database said besides."""
        return {**super().as_json(), "detail": self.detail, "statement": self.statement, "position": self.position}


class TargetUnreachableError(TargetError):
    """No usable connection to the target: ``kind`` says why."""

    exit_code = 3

    def __init__(self, message: str, *, kind: UnreachableKind, hint: str | None = None, sqlstate: str | None = None) -> None:
        """``kind`` is what pages and scripts decide by."""
        super().__init__(message, hint=hint, sqlstate=sqlstate)
        self.kind: UnreachableKind = kind
        if kind == "malformed":
            # nobody was asked: the input is wrong, not the server away
            self.exit_code = 2


class ConnectionLostError(TargetError):
    """The connection to the target broke; whether the statement in flight took effect is told by the ledger."""

    exit_code = 3


class StatementFailedError(TargetError):
    """The database refused a statement."""


class LockNotGrantedError(TargetError):
    """A lock was not granted within lock_timeout; nothing was changed."""

    is_retryable = True


class DeadlockError(TargetError):
    """The database chose our transaction to resolve a deadlock; nothing was changed."""

    is_retryable = True


class SerializationFailureError(TargetError):
    """Another transaction changed the same rows first; nothing was changed."""

    is_retryable = True


class TransactionTooLongError(TargetError):
    """The server ended the session, since its transaction took longer than transaction_timeout; nothing was changed."""


class StatementCancelledError(TargetError):
    """The statement was cancelled: by a person, by Headgate, or by statement_timeout."""


_BY_STATE: dict[str, type[TargetError]] = {
    "55P03": LockNotGrantedError,
    "40P01": DeadlockError,
    "40001": SerializationFailureError,
    "57014": StatementCancelledError,
    "25P03": ConnectionLostError,
    "25P04": TransactionTooLongError,
    "57P01": ConnectionLostError,
    "57P02": ConnectionLostError,
    "57P03": ConnectionLostError,
    "57P05": ConnectionLostError,
}


def from_psycopg(error: psycopg.Error, statement: str | None = None) -> TargetError:
    """The error as one of ours, with everything the database said."""
    diag = error.diag
    state = error.sqlstate
    cls = _BY_STATE.get(state or "", StatementFailedError)
    if (state or "").startswith("08") or (state is None and isinstance(error, psycopg.OperationalError | psycopg.InterfaceError)):
        cls = ConnectionLostError
    position = diag.statement_position
    return cls(
        diag.message_primary or str(error).strip() or None,
        hint=diag.message_hint,
        sqlstate=state,
        detail=diag.message_detail,
        statement=statement,
        position=int(position) if position else None,
        context=diag.context,
    )


#: Words of libpq and of the server's FATAL messages -> kind, sentence, way out. psycopg has no SQLSTATE for a failed connect.
_CONNECT: tuple[tuple[tuple[str, ...], UnreachableKind, str, str], ...] = (
    # first: a server that starts calls itself "the database system"
    (
        ("starting up", "shutting down", "recovery mode", "not accepting"),
        "refused",
        "The server at {where} is starting or stopping.",
        "It is tried again by itself.",
    ),
    (
        ("terminating connection", "closed the connection unexpectedly"),
        "refused",
        "The session at {where} was ended while it was being opened.",
        "It is tried again by itself.",
    ),
    (
        ("password authentication failed", "no password supplied", "scram", "ident authentication", "peer authentication"),
        "password",
        "The target at {where} refused the user name or the password.",
        "Check both in the connection string; the user must be allowed to log in from here (pg_hba.conf).",
    ),
    (
        ("no pg_hba.conf entry",),
        "password",
        "The target at {where} does not admit this user from this machine.",
        "Add a line for it to pg_hba.conf on the target, or to its provider's list of allowed addresses.",
    ),
    (("role ",), "password", "The target at {where} does not know this user.", "Check the user name in the connection string."),
    (("database ",), "database", "The server at {where} has no such database, or it can't be entered.", "Check its name."),
    (
        ("could not translate host name", "name or service not known", "failed to resolve host", "nodename nor servname"),
        "host",
        "The host of {where} is not known here.",
        "Check the host name, and that this machine's DNS can resolve it.",
    ),
    (
        ("too many connections", "too many clients", "remaining connection slots"),
        "full",
        "The target at {where} has no free connection.",
        "Raise max_connections or close other sessions; Headgate needs up to four per run.",
    ),
    (
        ("connection refused", "no such file or directory", "network is unreachable", "no route to host"),
        "refused",
        "Nobody answers at {where}.",
        "Check host and port, and that the server runs and listens there.",
    ),
    (
        ("timeout expired", "timed out"),
        "timeout",
        "The target at {where} did not answer in time.",
        "A firewall may drop the packets silently: check that this machine may reach the port.",
    ),
    (
        ("ssl", "certificate", "tls"),
        "tls",
        "No encrypted connection to {where} could be made.",
        "Check sslmode and sslrootcert in the connection string against what the server offers.",
    ),
)


def from_connect(error: psycopg.Error, where: str) -> TargetUnreachableError:
    """Why no connection came about; ``where`` names the target without its password.

    The driver's own text is not shown: libpq quotes pieces of a connection string in it.
    """
    text = str(error).lower()
    # each "FATAL:" line is the server's; the part before names address and user, which could hold any of our words
    told = text.rsplit("fatal:", 1)[-1]
    for words, kind, message, hint in _CONNECT:
        if any(word in told for word in words):
            return TargetUnreachableError(message.format(where=where), kind=kind, hint=hint, sqlstate=error.sqlstate)
    return TargetUnreachableError(
        f"No connection to {where} could be made.",
        kind="other",
        hint="Try the same connection string with psql from this machine: it shows the server's own words.",
        sqlstate=error.sqlstate,
    )
