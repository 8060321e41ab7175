"""Brings htmx and the fonts into the package at build time: out of pinned packages, checked by SHA-256, never vendored in git.

They are build requirements only (pyproject.toml), so neither Django nor fonttools is ever installed beside Headgate.
"""

import hashlib
import json
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ASSETS = Path("app/web/_assets")

#: In this order in one file: as two deferred scripts the extension may come too late and the live page never connects.
SCRIPTS = (
    (
        "django-htmx",
        "django_htmx/static/django_htmx/htmx-2.min.js",
        "71ea67185bfa8c98c39d31717c6fce5d852370fcdfd129db4543774d3145c0de",
    ),
    (
        "django-htmx",
        "django_htmx/static/django_htmx/ext/hx-sse-2.min.js",
        "98a46496de0c3605fbffdce9167ba427bdd9553184f83f149c261891a92c0136",
    ),
)
FONTS = (
    (
        "geist.woff2",
        "fontpkg-geist",
        "fontpkg_geist/files/Geist[wght].ttf",
        "73894e0448cae90a92b6c2f8732b7bb9acb7b94c418bff559dad4a18e1de9659",
    ),
    (
        "geist-mono.woff2",
        "fontpkg-geist-mono",
        "fontpkg_geist_mono/files/GeistMono[wght].ttf",
        "d00e590b8eb3a59acc329b2d044fd143ae935090b7da33199ebee27cc7de8196",
    ),
)
FONT_LICENCE = ("fontpkg-geist", "fontpkg_geist/LICENSE")
#: Latin, punctuation, currency, arrows, comparison signs, box drawing, blocks, shapes, check marks
CHARACTERS = (
    *range(0x20, 0x7F),
    *range(0xA0, 0x180),
    *range(0x2010, 0x2028),
    *range(0x2030, 0x2040),
    0x20AC,
    *range(0x2190, 0x219A),
    0x2212,
    0x2248,
    *range(0x2260, 0x2266),
    *range(0x2500, 0x2580),
    *range(0x2580, 0x25A0),
    *range(0x25A0, 0x2600),
    0x2713,
    0x2717,
)


class CustomBuildHook(BuildHookInterface):  # type: ignore[misc]  # hatchling publishes no types; hatch looks for this very name
    """Writes ``app/web/_assets`` before a wheel or an editable install is made."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002  # hatch passes both by position
        """Write the bundle, the fonts, their licence, and a manifest of hashes for the pages' addresses."""
        folder = Path(self.root) / ASSETS
        folder.mkdir(exist_ok=True)
        (folder / "vendor.js").write_bytes(b";\n".join(_pinned(*script) for script in SCRIPTS) + b";\n")
        for name, package, path, sha256 in FONTS:
            _pinned(package, path, sha256)
            _subset(_located(package, path), folder / name)
        (folder / "OFL.txt").write_bytes(_located(*FONT_LICENCE).read_bytes())
        names = ("vendor.js", *(font[0] for font in FONTS))
        manifest = {name: hashlib.sha256((folder / name).read_bytes()).hexdigest()[:12] for name in names}
        (folder / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n")


def _located(package: str, path: str) -> Path:
    return Path(str(distribution(package).locate_file(path)))


def _pinned(package: str, path: str, sha256: str) -> bytes:
    """The file's bytes; another content than the one we looked at stops the build."""
    content = _located(package, path).read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise RuntimeError(f"{path} of {package} is not the file that was checked: SHA-256 {found}, expected {sha256}")
    return content


def _subset(source: Path, target: Path) -> None:
    from fontTools import subset  # only when a build really runs

    options = subset.Options(flavor="woff2", layout_features=["*"], recalc_timestamp=False)
    font = subset.load_font(str(source), options)
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=CHARACTERS)
    subsetter.subset(font)
    subset.save_font(font, str(target), options)
