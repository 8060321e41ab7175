"""What a target can do and what Headgate's role may do there; for everything that is missing, the statement that mends it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from app.catalog.ask import Connection, ask, ask_one
from app.catalog.encoding import to_json
from app.catalog.lacks import Missing, lacks
from app.catalog.schema import OWN_SCHEMA

__all__ = ["Capabilities", "Missing", "Rights", "read_capabilities"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rights:
    """What the connecting role may do."""

    role: str
    is_superuser: bool = False
    #: make the ledger's schema, or it is there and may be used
    can_create_schema: bool = False
    can_create_in_public: bool = False
    can_create_database: bool = False
    #: sees what other sessions do and the statements of other roles
    has_monitor: bool = False
    #: may end other sessions
    has_signal_backend: bool = False
    tables: int = 0
    #: of these, how many it may alter and how many it may read
    owned_tables: int = 0
    readable_tables: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """A target as the connection test found it."""

    server_version: str
    version_num: int
    is_standby: bool
    database: str
    database_bytes: int
    rights: Rights
    extensions: Mapping[str, str] = field(default_factory=dict)
    #: pg_stat_statements is installed, loaded and counting
    has_statements: bool = False
    #: its library was loaded when the server started
    statements_preloaded: bool = False
    replicas: int = 0
    settings: Mapping[str, Any] = field(default_factory=dict)
    missing: tuple[Missing, ...] = ()

    @property
    def is_sufficient(self) -> bool:
        """True where a plan can run: what is missing is missing for comfort."""
        return not any(found.is_required for found in self.missing)

    def as_json(self) -> dict[str, Any]:
        """Everything as JSON values, with ``is_sufficient``; nothing is left out."""
        return {
            "server_version": self.server_version,
            "version_num": self.version_num,
            "is_standby": self.is_standby,
            "database": self.database,
            "database_bytes": self.database_bytes,
            "rights": {name: getattr(self.rights, name) for name in Rights.__dataclass_fields__},
            "extensions": dict(self.extensions),
            "has_statements": self.has_statements,
            "statements_preloaded": self.statements_preloaded,
            "replicas": self.replicas,
            "settings": dict(self.settings),
            "missing": [{"is_required": True, **to_json(found)} for found in self.missing],
            "is_sufficient": self.is_sufficient,
        }


def read_capabilities(connection: Connection) -> Capabilities:
    """Version, size, extensions and rights of the connection's database and role, and what is missing there."""
    facts = ask_one(connection, "rights", {"own": OWN_SCHEMA})
    statements = ask_one(connection, "statements_extension")
    schemas = [row["oid"] for row in ask(connection, "own_schemas", {"own": OWN_SCHEMA})]
    owners = ask(connection, "table_rights", {"schemas": schemas})
    return Capabilities(
        server_version=facts["server_version"],
        version_num=facts["version_num"],
        is_standby=facts["is_standby"],
        database=facts["database"],
        database_bytes=facts["database_bytes"],
        rights=_rights(facts, owners),
        extensions={row["name"]: row["version"] for row in ask(connection, "extensions")},
        has_statements=statements["schema"] is not None and statements["max_entries"] is not None and statements["is_tracking"],
        statements_preloaded=statements["max_entries"] is not None,
        replicas=facts["replicas"],
        settings={name: facts[name] for name in ("wal_level", "deadlock_timeout", "track_io_timing", "max_connections")},
        missing=tuple(lacks(facts, owners, statements)),
    )


def _rights(facts: Mapping[str, Any], owners: list[dict[str, Any]]) -> Rights:
    return Rights(
        role=facts["role"],
        is_superuser=facts["is_superuser"],
        can_create_schema=facts["can_use_own_schema"] if facts["can_use_own_schema"] is not None else facts["can_create_schema"],
        can_create_in_public=bool(facts["can_create_in_public"]),
        can_create_database=facts["can_create_database"],
        has_monitor=facts["has_monitor"] or facts["has_read_all_stats"],
        has_signal_backend=facts["has_signal_backend"],
        tables=sum(row["tables"] for row in owners),
        owned_tables=sum(row["tables"] for row in owners if row["is_ours"]),
        readable_tables=sum(row["readable"] for row in owners),
    )
