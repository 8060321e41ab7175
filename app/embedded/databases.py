"""Roles and databases on the embedded server."""

import psycopg
from psycopg import sql


def make_role(connection: psycopg.Connection, name: str, password: str) -> None:
    """Make the role ``name`` with sign-in, or give it this password."""
    query = "SELECT 1 FROM pg_catalog.pg_roles WHERE rolname = %(name)s"
    verb = "CREATE" if connection.execute(query, {"name": name}).fetchone() is None else "ALTER"
    # only the SCRAM verifier is sent: a password in a statement would stand in logs and in pg_stat_statements
    verifier = connection.pgconn.encrypt_password(password.encode(), name.encode(), b"scram-sha-256").decode()
    statement = sql.SQL("{} ROLE {} LOGIN PASSWORD {}").format(sql.SQL(verb), sql.Identifier(name), sql.Literal(verifier))
    connection.execute(statement)


def make_database(connection: psycopg.Connection, name: str, *, owner: str) -> bool:
    """Make the database ``name`` of ``owner``; False when it is there already."""
    query = "SELECT 1 FROM pg_catalog.pg_database WHERE datname = %(name)s"
    if connection.execute(query, {"name": name}).fetchone() is not None:
        return False
    connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(name), sql.Identifier(owner)))
    return True
