"""Migrations from a folder on disk or from an upload, within limits, with every file accounted for."""

import io
import re
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from app.importing.detect import detect, importer_of, why_ignored
from app.importing.source import Files, ImportedMigration, ImportRefusedError

MAXIMUM_TOTAL_BYTES = 50 * 1024 * 1024
MAXIMUM_FILE_BYTES = 10 * 1024 * 1024
MAXIMUM_FILES = 10_000

#: folders that hold no migrations whatever their files are called
_SKIPPED_FOLDERS = frozenset({"node_modules", "__pycache__", "__MACOSX", "target", "venv"})
#: files whose content tells a tool; of all others the name is enough
_READ_SUFFIXES = frozenset({".sql", ".toml", ".json", ".py", ".plan", ".xml", ".yaml", ".yml"})
_ZIP_MAGIC = b"PK\x03\x04"
_ENCRYPTED = 0x1
_UNSAFE_NAME = re.compile(r"^[/\\]|^[A-Za-z]:|[\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What an import found: pages show all of it before a plan is made."""

    tool: str
    #: why the files are taken for that tool's
    reason: str
    migrations: tuple[ImportedMigration, ...]
    recognised: tuple[str, ...]
    #: file -> why it plays no part
    not_recognised: Mapping[str, str]


def read_folder(path: Path, tool: str | None = None) -> Imported:
    """The migrations of a folder, or of a single SQL file; ``tool`` overrides the detection.

    Raises ImportRefusedError.
    """
    if path.is_file():
        return _read({path.name: _read_file(path, path.name)}, tool)
    if not path.is_dir():
        raise ImportRefusedError(f"There is no folder {path}.", hint="Check the path.", file=str(path))
    files: dict[str, bytes] = {}
    total = 0
    for item in _walk(path):
        name = item.relative_to(path).as_posix()
        files[name] = _read_file(item, name) if item.suffix.lower() in _READ_SUFFIXES else b""
        total += len(files[name])
        _check_limits(len(files), total)
    if not files:
        raise ImportRefusedError(
            f"The folder {path} is empty.", hint="Give the folder that holds the migrations.", file=str(path)
        )
    return _read(files, tool)


def read_upload(files: Mapping[str, bytes], tool: str | None = None) -> Imported:
    """The migrations of an upload: files by their relative names, or one zip archive.

    Raises ImportRefusedError.
    """
    if len(files) == 1 and next(iter(files.values())).startswith(_ZIP_MAGIC):
        name, content = next(iter(files.items()))
        return _read(_unzip(name, content), tool)
    checked: dict[str, bytes] = {}
    for name, content in files.items():
        safe = _safe_name(name)
        if len(content) > MAXIMUM_FILE_BYTES:
            raise _too_large_file(safe)
        checked[safe] = content
    _check_limits(len(files), sum(map(len, checked.values())))
    return _read({name: content for name, content in checked.items() if not _is_skipped(name)}, tool)


def _read(files: Files, tool: str | None) -> Imported:
    if tool is None:
        guess = detect(files)
        tool, reason = guess.tool, guess.reason
    else:
        reason = "You said so."
    importer = importer_of(tool)
    if importer.recognise(files) is None:
        raise ImportRefusedError(
            f"There is no migration of {tool} in these {len(files)} files.", hint="Leave the tool out to let Headgate look."
        )
    reading = importer.read(files)
    if not reading.migrations:
        why = "; ".join(f"{file}: {reason}" for file, reason in list(reading.left_out.items())[:8])
        raise ImportRefusedError(f"There is no migration here. {why}".strip(), hint="Add the way forward to the folder.")
    used = {script.file for item in reading.migrations for script in (item.up, item.down) if script is not None}
    rest = {file: reading.left_out.get(file) or why_ignored(file) for file in files if file not in used}
    return Imported(tool=tool, reason=reason, migrations=reading.migrations, recognised=tuple(sorted(used)), not_recognised=rest)


def _walk(root: Path) -> Iterator[Path]:
    """Files below a folder in the order of their names; hidden folders and links to folders are not entered."""
    for item in sorted(root.iterdir()):
        if item.name.startswith(".") or item.name in _SKIPPED_FOLDERS:
            continue
        if item.is_dir() and not item.is_symlink():
            yield from _walk(item)
        elif item.is_file():
            yield item


def _is_skipped(name: str) -> bool:
    return any(part.startswith(".") or part in _SKIPPED_FOLDERS for part in name.split("/"))


def _read_file(path: Path, name: str) -> bytes:
    if path.stat().st_size > MAXIMUM_FILE_BYTES:
        raise _too_large_file(name)
    try:
        return path.read_bytes()
    except OSError as error:
        raise ImportRefusedError(f"{name} can't be read: {error.strerror}.", hint="Check its rights.", file=name) from error


def _safe_name(name: str) -> str:
    """The relative path with ``/``, refused where it would leave the folder."""
    path = name.replace("\\", "/")
    if not path or _UNSAFE_NAME.search(name) or ".." in path.split("/"):
        raise ImportRefusedError(
            f"The file name {name!r} is not accepted: it is no plain path inside the folder.",
            hint="Pack the migrations folder itself, with relative names.",
        )
    return path.removeprefix("./")


def _unzip(archive_name: str, content: bytes) -> dict[str, bytes]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = [member for member in archive.infolist() if not member.is_dir()]
            names = {member: _safe_name(member.filename) for member in members}
            wanted = {member: name for member, name in names.items() if not _is_skipped(name)}
            _check_limits(len(wanted), sum(member.file_size for member in wanted))
            return {name: _member(archive, member, name) for member, name in wanted.items()}
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError, ValueError, OSError) as error:
        raise ImportRefusedError(
            f"{archive_name} is no zip archive that can be read: {error}.",
            hint="Pack it again, without a password.",
            file=archive_name,
        ) from error


def _member(archive: zipfile.ZipFile, member: zipfile.ZipInfo, name: str) -> bytes:
    """One file of an archive; reading stops at the limit whatever its header promises."""
    if member.flag_bits & _ENCRYPTED:
        raise ImportRefusedError(f"{name} is encrypted.", hint="Pack the archive without a password.", file=name)
    with archive.open(member) as file:
        content = file.read(MAXIMUM_FILE_BYTES + 1)
    if len(content) > MAXIMUM_FILE_BYTES:
        raise _too_large_file(name)
    return content


def _check_limits(count: int, total: int) -> None:
    if total > MAXIMUM_TOTAL_BYTES:
        raise ImportRefusedError(
            f"The files are larger than {MAXIMUM_TOTAL_BYTES // 1024**2} MiB together.",
            hint="Import only the migrations that are pending, and load bulk data by other means.",
        )
    if count > MAXIMUM_FILES:
        raise ImportRefusedError(
            f"There are more than {MAXIMUM_FILES} files.", hint="Give the migrations folder, not the whole project."
        )


def _too_large_file(name: str) -> ImportRefusedError:
    return ImportRefusedError(
        f"{name} is larger than {MAXIMUM_FILE_BYTES // 1024**2} MiB.",
        hint="Bulk data does not belong into a migration: load it by COPY, outside the plan.",
        file=name,
    )
