"""Folders of tools whose migrations are programs: recognised so that the refusal can say how to get their SQL."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from app.importing.source import Files


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignTool:
    """A tool whose files hold no SQL to read."""

    name: str
    #: the first file that gives the tool away, or None
    sign: Callable[[Files], str | None]
    #: the command that renders its migrations as SQL
    way_out: str


def _by_name(pattern: str) -> Callable[[Files], str | None]:
    expression = re.compile(pattern)
    return lambda files: next((file for file in files if expression.search(file)), None)


def _by_content(pattern: str, content: bytes) -> Callable[[Files], str | None]:
    expression = re.compile(pattern)
    return lambda files: next((file for file, text in files.items() if expression.search(file) and content in text), None)


FOREIGN_TOOLS: tuple[ForeignTool, ...] = (
    ForeignTool(
        name="Alembic",
        sign=_by_content(r"\.py$", b"down_revision"),
        way_out="Render them where the application is built: alembic upgrade <from>:<to> --sql > migration.up.sql, and "
        "alembic downgrade <to>:<from> --sql > migration.down.sql; then import the two files.",
    ),
    ForeignTool(
        name="Django",
        sign=_by_content(r"(^|/)migrations/[^/]+\.py$", b"migrations.Migration"),
        way_out="Render each one where the application is built: manage.py sqlmigrate <app> <name> > <name>.up.sql, and "
        "with --backwards > <name>.down.sql; then import the files.",
    ),
    ForeignTool(
        name="Rails",
        sign=_by_name(r"(^|/)db/migrate/[0-9]+_\w+\.rb$|^[0-9]{14}_\w+\.rb$"),
        way_out="Run them on a scratch database with the SQL log on, and import that SQL.",
    ),
    ForeignTool(
        name="JavaScript or TypeScript (knex, TypeORM, Sequelize, node-pg-migrate)",
        sign=_by_name(r"(^|/)[0-9]+[-_][^/]+\.(c|m)?(js|ts)$"),
        way_out="Let the tool print its SQL (node-pg-migrate: up --dry-run; TypeORM: schema:log), and import that SQL.",
    ),
    ForeignTool(
        name="Prisma 8",
        sign=_by_name(r"(^|/)ops\.json$"),
        way_out="Its format is not final; import the SQL that `prisma migration plan` prints.",
    ),
    ForeignTool(
        name="sqitch",
        sign=_by_name(r"(^|/)sqitch\.plan$"),
        way_out="Rename deploy/<change>.sql to <number>_<change>.up.sql and revert/<change>.sql to <number>_<change>.down.sql, "
        "in the order of sqitch.plan, and import those.",
    ),
    ForeignTool(
        name="Liquibase",
        sign=_by_content(r"\.(xml|ya?ml|json|sql)$", b"changeset"),
        way_out="Render it: liquibase update-sql > migration.up.sql and liquibase future-rollback-sql > migration.down.sql.",
    ),
)


def foreign_tool(files: Files) -> tuple[ForeignTool, str] | None:
    """The tool whose programs these are and the file that shows it, or None."""
    for tool in FOREIGN_TOOLS:
        if (sign := tool.sign(files)) is not None:
            return tool, sign
    return None
