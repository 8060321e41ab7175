"""Which tool wrote this folder, and why we think so."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from app.importing.foreign import foreign_tool
from app.importing.prisma import PrismaImporter
from app.importing.raw_sql import RawSqlImporter
from app.importing.source import Files, Importer, ImportRefusedError
from app.plan.errors import did_you_mean

#: in the order in which they are asked: the most telling signs first, plain SQL last
IMPORTERS: tuple[Importer, ...] = (PrismaImporter(), RawSqlImporter())


@dataclass(frozen=True, slots=True, kw_only=True)
class Guess:
    """A tool and the sign it was known by; pages show it for confirmation."""

    tool: str
    reason: str
    #: file -> why it plays no part
    ignored: Mapping[str, str] = field(default_factory=dict)


def importer_of(tool: str) -> Importer:
    """The importer of that name.

    Raises ImportRefusedError.
    """
    for importer in IMPORTERS:
        if importer.tool == tool:
            return importer
    raise ImportRefusedError(
        f"Headgate can't import from {tool}.", hint=did_you_mean(tool, [importer.tool for importer in IMPORTERS])
    )


def detect(files: Files) -> Guess:
    """The tool that wrote these files.

    Raises ImportRefusedError where there are none, where they are programs, and where nothing is recognised.
    """
    if not files:
        raise ImportRefusedError(
            "There are no files here.", hint="Give the folder that holds the migrations, such as prisma/migrations."
        )
    for importer in IMPORTERS:
        if importer.tool != RawSqlImporter.tool and (reason := importer.recognise(files)) is not None:
            return Guess(tool=importer.tool, reason=reason, ignored=_ignored(files))
    if (found := foreign_tool(files)) is not None and not _is_plain(files):
        tool, sign = found
        raise ImportRefusedError(
            f"{sign} is a migration of {tool.name}, whose SQL is not in the file.", hint=tool.way_out, file=sign
        )
    if (reason := RawSqlImporter().recognise(files)) is not None:
        return Guess(tool=RawSqlImporter.tool, reason=reason, ignored=_ignored(files))
    raise ImportRefusedError(
        f"None of the {len(files)} files is a migration: {_listed(files)}.",
        hint="Migrations are SQL files (001_add_role.up.sql with 001_add_role.down.sql) or Prisma's migrations folder.",
    )


def _is_plain(files: Files) -> bool:
    """True where SQL files are there that are no part of the foreign tool's layout."""
    return any(file.lower().endswith((".up.sql", ".down.sql")) for file in files)


def _ignored(files: Files) -> dict[str, str]:
    return {file: why_ignored(file) for file in files if not file.lower().endswith(".sql")}


def why_ignored(file: str) -> str:
    """Why a file that no importer took plays no part."""
    name = file.rsplit("/", 1)[-1]
    if name == "migration_lock.toml":
        return "Prisma's lock file: names the database, holds no SQL."
    if "." not in name:
        return "No SQL file: its name has no .sql at the end."
    return f"No SQL file: it ends in .{name.rsplit('.', 1)[-1]}."


def _listed(files: Files, limit: int = 8) -> str:
    shown = [f"{file} ({why_ignored(file).removeprefix('No SQL file: ').rstrip('.')})" for file in list(files)[:limit]]
    return "; ".join(shown) + (f"; and {len(files) - limit} more" if len(files) > limit else "")
