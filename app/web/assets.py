"""Stylesheet, scripts and fonts under names that hold their content's hash, so that browsers may keep them for ever."""

import hashlib
import mimetypes
import re
from dataclasses import dataclass
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[2]
#: our own files, then what the build hook took out of packages (htmx, fonts)
FOLDERS = (_ROOT / "static", Path(__file__).resolve().parent / "_assets")
_SERVED = {".css", ".js", ".woff2", ".svg"}
_CSS_URL = re.compile(rb'url\("?([\w.-]+)"?\)')


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    """One file as it is served."""

    content: bytes
    media_type: str


class Assets:
    """All files that pages may ask for, read once."""

    def __init__(self, folders: tuple[Path, ...] = FOLDERS) -> None:
        """Folders that are not there (a checkout without its build hook) are left out: pages work without scripts."""
        self._names: dict[str, str] = {}
        self._assets: dict[str, Asset] = {}
        files = [file for folder in folders if folder.is_dir() for file in sorted(folder.iterdir()) if file.suffix in _SERVED]
        for file in sorted(files, key=lambda file: file.suffix == ".css"):
            self._add(file.name, file.read_bytes())

    def _add(self, name: str, content: bytes) -> None:
        if name.endswith(".css"):
            content = _CSS_URL.sub(
                lambda match: b'url("%s")' % self._names.get(match[1].decode(), match[1].decode()).encode(), content
            )
        stem, _, suffix = name.rpartition(".")
        hashed = f"{stem}-{hashlib.sha256(content).hexdigest()[:12]}.{suffix}"
        media_type = "font/woff2" if suffix == "woff2" else mimetypes.guess_type(name)[0] or "application/octet-stream"
        self._names[name] = hashed
        self._assets[hashed] = Asset(content=content, media_type=media_type)

    def url(self, name: str) -> str | None:
        """The path to ask for, or None where the file is not there."""
        hashed = self._names.get(name)
        return None if hashed is None else f"/static/{hashed}"

    def find(self, hashed: str) -> Asset | None:
        """The file behind a hashed name."""
        return self._assets.get(hashed)
