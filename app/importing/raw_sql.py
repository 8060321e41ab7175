"""Plain SQL files: up/down pairs in the usual spellings, numbered files, versioned files, files with sections, one big file."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, Literal

from app.importing.sections import Sections, find_sections
from app.importing.source import Files, ImportedMigration, ImportRefusedError, Reading, Script, checksum, decode

Way = Literal["up", "down"]

_WAYS: Mapping[str, Way] = {"up": "up", **dict.fromkeys(("down", "rollback", "undo", "revert"), "down")}
#: 001_x.up, 001_x_rollback, 001_x-undo
_SUFFIX = re.compile(r"(?P<stem>.+?)[._-](?P<way>up|down|rollback|undo|revert)", re.IGNORECASE)
#: Flyway's V1.2__x, U1.2__x and R__x
_VERSIONED = re.compile(r"(?P<letter>[VUR])(?P<version>[0-9]*(?:[._][0-9]+)*)__(?P<rest>.+)", re.IGNORECASE)
_DIGITS = re.compile(r"([0-9]+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Named:
    """What a file's name says: which migration, which way, and where in the order."""

    file: str
    key: str
    name: str
    #: None where the name says neither
    way: Way | None
    order: tuple[Any, ...]


class RawSqlImporter:
    """Plain SQL files."""

    tool = "sql"

    def recognise(self, files: Files) -> str | None:
        """Any SQL file will do."""
        scripts = [file for file in files if file.lower().endswith(".sql")]
        if not scripts:
            return None
        pairs = sum(1 for item in _all_named(files) if item.way == "down")
        return f"{len(scripts)} SQL files, {pairs} of them ways back." if pairs else f"{len(scripts)} SQL files."

    def read(self, files: Files) -> Reading:
        """The migrations in the order of their numbers.

        Raises ImportRefusedError.
        """
        named = sorted(_all_named(files), key=lambda item: item.order)
        forward, back, left_out = _pair(named)
        texts = {item.file: decode(files[item.file], item.file) for item in named if item.file not in left_out}
        migrations: list[ImportedMigration] = []
        for item in forward:
            sections = find_sections(texts[item.file], item.file)
            down = _way_back(item, back.get(item.key), sections, texts)
            migrations.append(
                ImportedMigration(
                    name=item.name,
                    up=sections.up if sections else Script(text=texts[item.file], file=item.file),
                    down=down,
                    position=len(migrations) + 1,
                    transactional=sections.transactional if sections else None,
                    checksum=checksum(files[item.file]),
                )
            )
        return Reading(migrations=tuple(migrations), left_out=left_out)


def _all_named(files: Files) -> list[_Named]:
    named = [_named(file) for file in files if file.lower().endswith(".sql")]
    with_way_back = {item.key for item in named if item.way == "down"}
    # 0007_clean_up.sql is a name, not a direction, unless 0007_clean_down.sql (or the like) stands beside it
    return [item if item.way != "up" or item.key in with_way_back or _says_up(item.file) else _plain(item.file) for item in named]


def _says_up(file: str) -> bool:
    name = PurePosixPath(file.lower())
    return (
        name.name.endswith(".up.sql")
        or name.stem == "up"
        or name.parent.name == "up"
        or _VERSIONED.fullmatch(name.stem) is not None
    )


def _plain(file: str) -> _Named:
    path = PurePosixPath(file)
    return _of(file, path.parent, path.name[: -len(".sql")], None)


def _named(file: str) -> _Named:
    path = PurePosixPath(file)
    folder, stem = path.parent, path.name[: -len(".sql")]
    if versioned := _VERSIONED.fullmatch(stem):
        return _versioned(file, folder, versioned)
    if (suffix := _SUFFIX.fullmatch(stem)) is not None:
        return _of(file, folder, suffix["stem"], _WAYS[suffix["way"].lower()])
    if stem.lower() in _WAYS and folder.name:
        # <migration>/up.sql and <migration>/down.sql
        return _of(file, folder.parent, folder.name, _WAYS[stem.lower()])
    if folder.name.lower() in _WAYS:
        # up/<migration>.sql and down/<migration>.sql
        return _of(file, folder.parent, stem, _WAYS[folder.name.lower()])
    return _of(file, folder, stem, None)


def _of(file: str, folder: PurePosixPath, name: str, way: Way | None) -> _Named:
    return _Named(file=file, key=str(folder / name), name=name, way=way, order=(_natural(str(folder)), 1, _natural(name), file))


def _versioned(file: str, folder: PurePosixPath, match: re.Match[str]) -> _Named:
    letter = match["letter"].upper()
    version = tuple(int(part) for part in re.split(r"[._]", match["version"]) if part)
    while version and version[-1] == 0:
        version = version[:-1]
    is_repeatable = letter == "R"
    key = f"{folder}/R__{match['rest']}" if is_repeatable else f"{folder}/V{'.'.join(map(str, version))}"
    name = file.rsplit("/", 1)[-1][: -len(".sql")]
    # as Flyway orders: versions by their numbers, then what is repeatable by its name
    place: tuple[int, tuple[Any, ...]] = (3, (match["rest"],)) if is_repeatable else (2, version)
    way: Way = "down" if letter == "U" else "up"
    return _Named(file=file, key=key, name=name, way=way, order=(_natural(str(folder)), *place, file))


def _natural(text: str) -> tuple[tuple[int, int | str], ...]:
    """A key under which 2_x comes before 10_x: words and numbers in turn, numbers first."""
    return tuple((0, int(part)) if part.isdigit() else (1, part.lower()) for part in _DIGITS.split(text) if part)


def _pair(named: Iterable[_Named]) -> tuple[list[_Named], dict[str, _Named], dict[str, str]]:
    """Ways forward in order, ways back by key, and files without a partner with the reason."""
    forward: dict[str, _Named] = {}
    back: dict[str, _Named] = {}
    for item in named:
        side = back if item.way == "down" else forward
        if item.key in side:
            raise ImportRefusedError(
                f"{side[item.key].file} and {item.file} are the same migration.", hint="Keep one of them.", file=item.file
            )
        side[item.key] = item
    lonely = {key: item for key, item in back.items() if key not in forward}
    left_out = {item.file: "A way back without its migration." for item in lonely.values()}
    return list(forward.values()), {key: item for key, item in back.items() if key in forward}, left_out


def _way_back(item: _Named, partner: _Named | None, sections: Sections | None, texts: Mapping[str, str]) -> Script | None:
    inside = sections.down if sections else None
    if partner is None:
        return inside
    if inside is not None:
        raise ImportRefusedError(
            f"{item.file} holds its own way back, and {partner.file} is another one.", hint="Keep one of them.", file=partner.file
        )
    return Script(text=texts[partner.file], file=partner.file)
