"""The demo's sample shop: a staging and a production database on the embedded server, filled with generated rows in seconds."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql

from app.embedded.databases import make_role
from app.embedded.folder import DataFolder
from app.embedded.postgres import EmbeddedPostgres

OWNER = "shop_owner"
APPLICATION = "shop_app"
COMPLETE = "The sample shop of Headgate's demo, complete."
QUESTIONS = Path(__file__).with_name("shop_sql")
#: what Headgate wants to read and do on a target beyond owning the tables
RIGHTS = ("pg_read_all_stats", "pg_read_all_settings", "pg_signal_backend")
BUILD_SETTINGS = {"synchronous_commit": "off", "maintenance_work_mem": "256MB", "max_parallel_maintenance_workers": "0"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How many rows a shop gets; order_items get one and a half times as many as orders."""

    users: int
    products: int
    orders: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ShopDatabase:
    """One environment of the shop."""

    #: "staging" or "production"
    environment: str
    name: str
    size: Size
    #: as the role that owns the tables: Headgate's way in
    owner_dsn: str = ""
    #: as the role of the application
    application_dsn: str = ""


STAGING = ShopDatabase(environment="staging", name="shop_staging", size=Size(users=30_000, products=500, orders=100_000))
PRODUCTION = ShopDatabase(
    environment="production", name="shop_production", size=Size(users=300_000, products=2_000, orders=1_000_000)
)


def build_shop(
    server: EmbeddedPostgres, folder: DataFolder, *, wanted: Sequence[ShopDatabase] = (STAGING, PRODUCTION)
) -> tuple[ShopDatabase, ...]:
    """Build what is missing (two at once, one a core) and return the databases with their connection strings."""
    passwords = {role: folder.password(role) for role in (OWNER, APPLICATION)}
    with psycopg.connect(server.dsn(), autocommit=True) as connection:
        _make_roles(connection, passwords)
        missing = [shop for shop in wanted if not _is_complete(connection, shop.name)]
        for shop in missing:
            _make_empty(connection, shop.name)
    failures: list[Exception] = []
    builders = [threading.Thread(target=_build, args=(server, shop, failures)) for shop in missing]
    for builder in builders:
        builder.start()
    for builder in builders:
        builder.join()
    if failures:
        raise failures[0]
    return tuple(_with_addresses(server, shop, passwords) for shop in wanted)


def _make_roles(connection: psycopg.Connection, passwords: dict[str, str]) -> None:
    for role, password in passwords.items():
        make_role(connection, role, password)
    for right in RIGHTS:
        connection.execute(sql.SQL("GRANT {} TO {}").format(sql.Identifier(right), sql.Identifier(OWNER)))
    # a backup is restored into a new database beside the old one
    connection.execute(sql.SQL("ALTER ROLE {} CREATEDB").format(sql.Identifier(OWNER)))


def _is_complete(connection: psycopg.Connection, name: str) -> bool:
    """True if the database is there and was built to its end; the comment is written last."""
    row = connection.execute(
        "SELECT pg_catalog.shobj_description(oid, 'pg_database') FROM pg_catalog.pg_database WHERE datname = %(name)s",
        {"name": name},
    ).fetchone()
    return row is not None and row[0] == COMPLETE


def _make_empty(connection: psycopg.Connection, name: str) -> None:
    database = sql.Identifier(name)
    connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(database))
    connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(database, sql.Identifier(OWNER)))


def _build(server: EmbeddedPostgres, shop: ShopDatabase, failures: list[Exception]) -> None:
    """Fill one database; a failure is put on the list, because a thread can't raise to its starter."""
    try:
        with psycopg.connect(server.dsn(shop.name), autocommit=True) as connection:
            _fill(connection, shop)
    except psycopg.Error as failure:
        failures.append(failure)


def _fill(connection: psycopg.Connection, shop: ShopDatabase) -> None:
    connection.execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")
    for name, value in BUILD_SETTINGS.items():
        connection.execute("SELECT set_config(%(name)s, %(value)s, false)", {"name": name, "value": value})
    connection.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(OWNER)))
    counts = {"users": shop.size.users, "products": shop.size.products, "orders": shop.size.orders}
    for file in ("tables", "rows", "keys"):
        script = (QUESTIONS / f"{file}.sql").read_text()
        for name, count in counts.items():
            script = script.replace(f"{{{name}}}", str(count))
        connection.execute(script.encode())
    connection.execute("RESET ROLE")
    connection.execute("VACUUM (ANALYZE)")
    connection.execute("SELECT pg_stat_statements_reset()")
    statement = sql.SQL("COMMENT ON DATABASE {} IS {}").format(sql.Identifier(shop.name), sql.Literal(COMPLETE))
    connection.execute(statement)


def _with_addresses(server: EmbeddedPostgres, shop: ShopDatabase, passwords: dict[str, str]) -> ShopDatabase:
    return ShopDatabase(
        environment=shop.environment,
        name=shop.name,
        size=shop.size,
        owner_dsn=server.dsn(shop.name, user=OWNER, password=passwords[OWNER]),
        application_dsn=server.dsn(shop.name, user=APPLICATION, password=passwords[APPLICATION]),
    )
