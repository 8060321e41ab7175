"""The files that the house rules are about: what a clone holds, without what tools and builds put beside it."""

from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = (".ci", "app", "benchmarks", "docs", "migrations", "static", "templates", "tests", "workers")
_BUILT = {"__pycache__", "_assets"}
_TEXT = {"", ".css", ".html", ".js", ".mako", ".md", ".py", ".sql", ".svg", ".toml", ".yaml", ".yml"}


def files() -> Iterator[Path]:
    """Every text file that was written by hand, but lock files."""
    yield from (path for path in ROOT.iterdir() if path.is_file() and path.suffix in _TEXT)
    for folder in FOLDERS:
        for path in (ROOT / folder).rglob("*"):
            if path.is_file() and path.suffix in _TEXT and not _BUILT.intersection(path.parts):
                yield path


def modules(*folders: str) -> list[Path]:
    """The Python modules below these folders, in order."""
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py") if "__pycache__" not in path.parts)


def name_of(path: Path) -> str:
    """How a file is named in a test's id and in its message."""
    return path.relative_to(ROOT).as_posix()
