"""The script `headgate`, the lock files and the assets: what a bare clone depends on."""

import ast
import hashlib
import importlib.util
import json
import re
import tomllib
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
LOCKS = ("requirements.lock", "requirements-dev.lock")


def _load(path: Path, name: str) -> ModuleType:
    spec = importlib.util.spec_from_loader(name, SourceFileLoader(name, str(path)))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def script() -> ModuleType:
    return _load(ROOT / "headgate", "headgate_script")


@pytest.fixture(scope="module")
def hook() -> ModuleType:
    return _load(ROOT / "static" / "build_assets.py", "build_assets")


def _locked(name: str) -> dict[str, list[Requirement]]:
    text = (ROOT / name).read_text().replace("\\\n", " ")
    found: dict[str, list[Requirement]] = {}
    for line in text.splitlines():
        requirement = Requirement(line.split("--hash")[0].strip())
        found.setdefault(canonicalize_name(requirement.name), []).append(requirement)
    return found


def _version(requirement: Requirement) -> str:
    (specifier,) = requirement.specifier
    assert specifier.operator == "=="
    return specifier.version


def test_the_script_can_be_read_by_a_python_that_is_too_old():
    ast.parse((ROOT / "headgate").read_text(), feature_version=(3, 6))


def test_the_script_imports_nothing_but_the_standard_library(script):
    import sys

    tree = ast.parse((ROOT / "headgate").read_text())
    imported = {alias.name.split(".")[0] for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    imported |= {node.module.split(".")[0] for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert imported <= sys.stdlib_module_names
    assert script.ROOT == ROOT


def test_the_script_may_be_run():
    assert (ROOT / "headgate").stat().st_mode & 0o111
    assert (ROOT / ".ci" / "run").stat().st_mode & 0o111


def test_a_lock_without_the_embedded_servers_keeps_all_other_requirements_with_their_hashes(script):
    text = (ROOT / "requirements.lock").read_text()
    blocks = script.blocks(text)
    assert "".join(blocks) == text
    left = [block for block in blocks if not block.startswith(script.EMBEDDED)]
    assert len(blocks) - len(left) == 2
    assert all("--hash=sha256:" in block for block in left)


@pytest.mark.parametrize("name", LOCKS)
def test_every_requirement_of_a_lock_has_hashes_and_no_registry_is_named(name):
    text = (ROOT / name).read_text()
    for block in text.replace("\\\n", " ").splitlines():
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", block), block[:80]
    assert not re.search(r"https?://|file:|--index|--find-links|--extra-index", text)


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_holds_what_the_project_asks_for(name):
    extras = PROJECT["optional-dependencies"]
    wanted = [*PROJECT["dependencies"], *extras["embedded"], *(extras["dev"] if "dev" in name else [])]
    locked = _locked(name)
    for text in wanted:
        requirement = Requirement(text)
        versions = [_version(found) for found in locked.get(canonicalize_name(requirement.name), [])]
        assert versions, f"{text}: not locked; run `make lock`"
        assert all(requirement.specifier.contains(version) for version in versions), f"{text}: locked at {versions}"


def test_development_uses_the_very_versions_of_production():
    production, development = _locked("requirements.lock"), _locked("requirements-dev.lock")
    for name, requirements in production.items():
        assert {_version(each) for each in requirements} == {_version(each) for each in development[name]}, name


def test_the_built_assets_are_those_of_the_manifest():
    folder = ROOT / "app" / "web" / "_assets"
    manifest = json.loads((folder / "manifest.json").read_text())
    assert set(manifest) == {"vendor.js", "geist.woff2", "geist-mono.woff2"}
    for name, digest in manifest.items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest().startswith(digest), name
    bundle = (folder / "vendor.js").read_text()
    assert bundle.index('version:"2.0.10"') < bundle.index('defineExtension("sse"'), "the extension must come after htmx"
    assert "Open Font License" in (folder / "OFL.txt").read_text() or "OPEN FONT LICENSE" in (folder / "OFL.txt").read_text()


def test_the_build_stops_at_a_file_that_is_not_the_one_that_was_checked(hook, tmp_path, monkeypatch):
    other = tmp_path / "htmx.js"
    other.write_text("alert(1)")
    monkeypatch.setattr(hook, "_located", lambda package, path: other)
    with pytest.raises(RuntimeError, match="not the file that was checked"):
        hook._pinned(*hook.SCRIPTS[0])


def test_what_the_build_brings_in_is_pinned_and_named_in_third_party(hook):
    build = tomllib.loads((ROOT / "pyproject.toml").read_text())["build-system"]["requires"]
    packages = {entry[0] for entry in hook.SCRIPTS} | {entry[1] for entry in hook.FONTS}
    for package in packages:
        assert any(re.match(rf"{package}==[\d.]+$", requirement) for requirement in build), package
    notices = (ROOT / "THIRD-PARTY.md").read_text()
    for name in ("htmx 2.0.10", "Geist", "Geist Mono", "SIL Open Font License 1.1"):
        assert name in notices
