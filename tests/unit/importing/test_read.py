"""Folders and uploads: what is recognised, in which order, and what is refused with which way out."""

import hashlib
import io
import zipfile
from pathlib import Path

import pytest

from app.importing import read
from app.importing.read import read_folder, read_upload
from app.importing.source import ImportRefusedError


def refused(files: dict[str, bytes], tool: str | None = None) -> ImportRefusedError:
    with pytest.raises(ImportRefusedError) as caught:
        read_upload(files, tool)
    assert caught.value.hint, "every refusal says the way out"
    return caught.value


def pairs(files: dict[str, bytes]) -> list[tuple[str, str, str | None]]:
    imported = read_upload(files)
    return [(item.name, item.up.file, item.down.file if item.down else None) for item in imported.migrations]


def sql(*names: str) -> dict[str, bytes]:
    return {name: f"SELECT '{name}';\n".encode() for name in names}


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["001_x.up.sql", "001_x.down.sql"], ("001_x", "001_x.up.sql", "001_x.down.sql")),
        (["001_x.sql", "001_x.down.sql"], ("001_x", "001_x.sql", "001_x.down.sql")),
        (["001_x.sql", "001_x_rollback.sql"], ("001_x", "001_x.sql", "001_x_rollback.sql")),
        (["001_x.sql", "001_x_undo.sql"], ("001_x", "001_x.sql", "001_x_undo.sql")),
        (["001_x.sql", "001_x-revert.SQL"], ("001_x", "001_x.sql", "001_x-revert.SQL")),
        (["001_x_up.sql", "001_x_down.sql"], ("001_x", "001_x_up.sql", "001_x_down.sql")),
        (["up/001_x.sql", "down/001_x.sql"], ("001_x", "up/001_x.sql", "down/001_x.sql")),
        (["m/001_x/up.sql", "m/001_x/down.sql"], ("001_x", "m/001_x/up.sql", "m/001_x/down.sql")),
        (["V1__x.sql", "U1__x.sql"], ("V1__x", "V1__x.sql", "U1__x.sql")),
        (["schema.sql"], ("schema", "schema.sql", None)),
        (["0007_clean_up.sql"], ("0007_clean_up", "0007_clean_up.sql", None)),
    ],
)
def test_the_usual_spellings_of_pairs_are_known(names: list[str], expected: tuple[str, str, str | None]) -> None:
    assert pairs(sql(*names)) == [expected]


@pytest.mark.parametrize(
    "names",
    [
        ["1_a.sql", "2_b.sql", "10_c.sql"],
        ["V1__a.sql", "V1.9__b.sql", "V1.10__c.sql", "V2__d.sql", "R__a.sql", "R__b.sql"],
        ["20240101_a.up.sql", "20240102_b.up.sql"],
        ["a/2_x.sql", "b/1_x.sql"],
    ],
)
def test_files_run_in_the_order_of_their_numbers(names: list[str]) -> None:
    imported = read_upload(sql(*reversed(names)))
    assert [item.up.file for item in imported.migrations] == names
    assert [item.position for item in imported.migrations] == list(range(1, len(names) + 1))


@pytest.mark.parametrize(
    ("text", "transactional"),
    [
        ("-- migrate:up\nSELECT 1;\n\n-- migrate:down\nSELECT 2;\n", None),
        ("-- migrate:up transaction:false\nSELECT 1;\n\n-- migrate:down\nSELECT 2;\n", False),
        ("-- +goose Up\nSELECT 1;\n\n-- +goose Down\nSELECT 2;\n", None),
        ("-- +goose NO TRANSACTION\n-- +goose Up\nSELECT 1;\n\n-- +goose Down\nSELECT 2;\n", False),
        ("-- Up Migration\nSELECT 1;\n\n-- Down Migration\nSELECT 2;\n", None),
    ],
)
def test_sections_of_one_file_are_its_two_ways(text: str, transactional: bool | None) -> None:
    (migration,) = read_upload({"1_x.sql": text.encode()}).migrations
    assert "SELECT 1" in migration.up.text
    assert "SELECT 2" not in migration.up.text
    assert migration.down is not None
    assert migration.down.in_place().splitlines()[text.splitlines().index("SELECT 2;")] == "SELECT 2;"
    assert migration.transactional is transactional


def test_an_empty_down_section_is_no_way_back() -> None:
    (migration,) = read_upload({"1_x.sql": b"-- migrate:up\nSELECT 1;\n-- migrate:down\n-- nothing\n"}).migrations
    assert migration.down is None


def test_prisma_is_known_by_its_lock_file_or_its_layout() -> None:
    files = {
        "prisma/migrations/migration_lock.toml": b'provider = "postgresql"\n',
        "prisma/migrations/20240201000000_b/migration.sql": b"SELECT 2;",
        "prisma/migrations/20240101000000_a/migration.sql": b"SELECT 1;",
        "prisma/migrations/20240101000000_a/down.sql": b"SELECT -1;",
        "prisma/migrations/20240101000000_a/notes.sql": b"SELECT 0;",
        "prisma/schema.prisma": b"model A {}",
    }
    imported = read_upload(files)
    assert imported.tool == "prisma"
    assert [item.name for item in imported.migrations] == ["20240101000000_a", "20240201000000_b"]
    assert imported.migrations[0].down is not None
    assert set(imported.not_recognised) == {
        "prisma/migrations/migration_lock.toml",
        "prisma/migrations/20240101000000_a/notes.sql",
        "prisma/schema.prisma",
    }
    assert read_upload({"20240101000000_a/migration.sql": b"SELECT 1;"}).tool == "prisma"
    assert read_upload({"20240101000000_a/migration.sql": b"SELECT 1;"}, "sql").tool == "sql"


def test_the_checksum_is_of_the_bytes_in_the_repository() -> None:
    windows = read_upload({"20240101000000_a/migration.sql": b"SELECT 1;\r\n"}).migrations[0]
    unix = read_upload({"20240101000000_a/migration.sql": b"SELECT 1;\n"}).migrations[0]
    assert windows.checksum != unix.checksum
    assert windows.checksum == hashlib.sha256(b"SELECT 1;\r\n").hexdigest()


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        ({}, "no files"),
        ({"a.md": b"", "LICENSE": b""}, "None of the 2 files is a migration: a.md (it ends in .md); LICENSE"),
        ({"1.sql": b"SELECT 1;\n -- caf\xe9"}, "1.sql is not UTF-8: the byte at offset 17 is 0xe9"),
        ({"1.sql": b"\xff\xfeS\x00"}, "UTF-16"),
        ({"1.sql": b"PGDMP\x00\x01"}, "NUL byte at offset 5"),
        ({"versions/1a2b_x.py": b"revision = '1'\ndown_revision = None\n"}, "migration of Alembic"),
        ({"app/migrations/0001_initial.py": b"class Migration(migrations.Migration): pass"}, "migration of Django"),
        ({"db/migrate/20240101000000_x.rb": b"class X"}, "migration of Rails"),
        ({"1700000000000-x.ts": b"export class X"}, "JavaScript or TypeScript"),
        ({"1_x_down.sql": b"SELECT 1;"}, "A way back without its migration"),
        ({"1_x.sql": b"SELECT 1;", "1_x.up.sql": b"SELECT 1;", "1_x.down.sql": b""}, "are the same migration"),
        ({"1_x.sql": b"-- migrate:up\n-- migrate:down\nSELECT 1;", "1_x.down.sql": b"SELECT 1;"}, "holds its own way back"),
        ({"1_x.sql": b"-- migrate:down\nSELECT 1;"}, "no way forward"),
        ({"1_x.sql": b"-- migrate:up\n-- migrate:up\n"}, "two sections for up, the second in line 2"),
        ({"m/migration_lock.toml": b'provider = "mysql"', "m/20240101000000_a/migration.sql": b""}, "are for mysql"),
        ({"m/migration_lock.toml": b"", "m/20240101000000_a/x.sql": b""}, "has no migration.sql"),
        ({"../../etc/x.sql": b"SELECT 1;", "b.sql": b""}, "'../../etc/x.sql' is not accepted"),
        ({"/etc/x.sql": b"SELECT 1;", "b.sql": b""}, "is not accepted"),
        ({"C:\\x.sql": b"SELECT 1;", "b.sql": b""}, "is not accepted"),
        ({"a.zip": b"PK\x03\x04 broken"}, "no zip archive that can be read"),
    ],
)
def test_what_is_no_import_is_refused_with_a_way_out(files: dict[str, bytes], sentence: str) -> None:
    assert sentence in refused(files).message


def test_a_tool_that_is_not_known_is_refused_with_the_nearest() -> None:
    assert "prisma" in (refused(sql("1.sql"), "prism").hint or "")
    assert "no migration of prisma" in refused(sql("1.sql"), "prisma").message


def packed(files: dict[str, bytes]) -> dict[str, bytes]:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return {"upload.zip": buffer.getvalue()}


def test_a_zip_is_read_like_the_folder_that_it_holds() -> None:
    imported = read_upload(packed({**sql("m/1.up.sql", "m/1.down.sql"), "__MACOSX/m/._1.up.sql": b"\x00", ".git/x.sql": b"x"}))
    assert imported.recognised == ("m/1.down.sql", "m/1.up.sql")


def test_a_zip_with_names_that_leave_the_folder_is_refused() -> None:
    assert "is not accepted" in refused(packed({"../x.sql": b"SELECT 1;"})).message


def test_a_zip_bomb_is_refused_before_it_is_unpacked() -> None:
    bomb = packed({f"{number}.sql": b" " * (9 * 1024 * 1024) for number in range(6)})
    assert len(bomb["upload.zip"]) < 100_000
    assert "larger than 50 MiB together" in refused(bomb).message


def test_a_zip_that_lies_about_its_sizes_is_refused_while_it_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read, "_check_limits", lambda count, total: None)
    assert "larger than 10 MiB" in refused(packed({"1.sql": b" " * (11 * 1024 * 1024)})).message


def test_uploads_have_limits() -> None:
    assert "1.sql is larger than 10 MiB" in refused({"1.sql": b" " * (10 * 1024 * 1024 + 1)}).message
    assert "larger than 50 MiB together" in refused({f"{number}.sql": b" " * (9 * 1024 * 1024) for number in range(6)}).message
    assert "more than 10000 files" in refused({f"{number}.sql": b"" for number in range(10_001)}).message


def test_a_folder_is_read_without_hidden_and_foreign_folders(tmp_path: Path) -> None:
    for name in ("m/1_a.up.sql", "m/1_a.down.sql", ".git/x.sql", "node_modules/p/y.sql", "big.bin"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("SELECT 1;")
    imported = read_folder(tmp_path)
    assert imported.recognised == ("m/1_a.down.sql", "m/1_a.up.sql")
    assert set(imported.not_recognised) == {"big.bin"}
    assert read_folder(tmp_path / "m" / "1_a.up.sql").migrations[0].name == "1_a"


def test_an_empty_and_a_missing_folder_are_named(tmp_path: Path) -> None:
    with pytest.raises(ImportRefusedError, match="is empty"):
        read_folder(tmp_path)
    with pytest.raises(ImportRefusedError, match="There is no folder"):
        read_folder(tmp_path / "nope")
