"""Pieces of SQL that every statement of a walk is composed of; the only place where a person's own text is put in."""

from psycopg import sql


def literal_sql(text: str) -> sql.SQL:
    """A person's expression, which app.backfill.expressions has read, as it was written; ``%`` means itself to the server."""
    return sql.SQL(text.replace("%", "%%"))


def relation_sql(schema: str, name: str) -> sql.Identifier:
    """A qualified table name."""
    return sql.Identifier(schema, name)
