"""Prisma Migrate up to 7: ``prisma/migrations/<14 digits>_<name>/migration.sql``, with an optional ``down.sql`` beside it."""

import re
from pathlib import PurePosixPath

from app.importing.source import Files, ImportedMigration, ImportRefusedError, Reading, Script, checksum, decode

_LOCK = "migration_lock.toml"
_PROVIDER = re.compile(r'^\s*provider\s*=\s*"([^"]*)"', re.MULTILINE)
_STAMPED = re.compile(r"[0-9]{14}_.*")


class PrismaImporter:
    """Prisma's folder of migrations."""

    tool = "prisma"

    def recognise(self, files: Files) -> str | None:
        """A lock file of Prisma, or stamped folders with a migration.sql and no snapshot (that would be Drizzle's)."""
        lock = next((file for file in files if PurePosixPath(file).name == _LOCK), None)
        if lock is not None:
            return f"{lock} is Prisma's lock file."
        folders = [folder for folder in _folders(files) if _STAMPED.fullmatch(folder.name)]
        if not folders or any(str(folder / "snapshot.json") in files for folder in folders):
            return None
        return f"{folders[0]}/migration.sql is laid out as Prisma does."

    def read(self, files: Files) -> Reading:
        """The migrations in the order of their folders' names.

        Raises ImportRefusedError for another database's folder, or a migration without its SQL.
        """
        _check_provider(files)
        folders = _folders(files)
        _check_complete(files, folders)
        migrations = tuple(_migration(files, folder, position) for position, folder in enumerate(folders, start=1))
        wanted = {f"{folder}/{name}" for folder in folders for name in ("migration.sql", "down.sql")}
        left_out = {
            file: "Prisma runs only migration.sql in a migration's folder."
            for file in files
            if file.lower().endswith(".sql") and file not in wanted
        }
        return Reading(migrations=migrations, left_out=left_out)


def _folders(files: Files) -> list[PurePosixPath]:
    folders = {PurePosixPath(file).parent for file in files if PurePosixPath(file).name == "migration.sql"}
    return sorted((folder for folder in folders if folder.name), key=lambda folder: folder.name)


def _check_provider(files: Files) -> None:
    for file, content in files.items():
        if PurePosixPath(file).name != _LOCK:
            continue
        provider = _PROVIDER.search(decode(content, file))
        if provider is not None and provider[1] not in ("postgresql", "postgres"):
            raise ImportRefusedError(
                f"{file} says that these migrations are for {provider[1]}, not for PostgreSQL.",
                hint="Import the folder of the application that uses PostgreSQL.",
                file=file,
            )


def _check_complete(files: Files, folders: list[PurePosixPath]) -> None:
    complete = {str(folder) for folder in folders}
    for file in files:
        folder = PurePosixPath(file).parent
        if _STAMPED.fullmatch(folder.name) and str(folder) not in complete:
            raise ImportRefusedError(
                f"The migration {folder} has no migration.sql.",
                hint="Add the file, or remove the folder: Prisma refuses it too (P3015).",
                file=file,
            )


def _migration(files: Files, folder: PurePosixPath, position: int) -> ImportedMigration:
    file, down = f"{folder}/migration.sql", f"{folder}/down.sql"
    return ImportedMigration(
        name=folder.name,
        up=Script(text=decode(files[file], file), file=file),
        down=Script(text=decode(files[down], down), file=down) if down in files else None,
        position=position,
        checksum=checksum(files[file]),
    )
