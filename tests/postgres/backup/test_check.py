"""Stored backups against their manifest: in a directory, in a bucket, encrypted."""

import hashlib
import os
from dataclasses import replace
from pathlib import Path

import psutil
import pyrage
import pytest

from app.backup.check import check
from app.backup.encryption import BackupKeyError
from app.backup.manifest import BackupDamagedError
from app.backup.place import Place
from app.backup.progress import StopAskedError, Tally
from app.backup.s3 import StorageUnreachableError
from app.backup.storage import storage_of
from tests.doubles.databases import Database
from tests.doubles.object_storage import BUCKET, SECRET, ObjectStorage
from tests.postgres.backup.taking import an_order, databases, ended, left_in, restored, taken


@pytest.fixture
def bucket(place: Place, storage_server: ObjectStorage, request: pytest.FixtureRequest) -> Place:
    """A place in the bucket, in a folder of this test's own."""
    return replace(place, url=f"s3://{BUCKET}/{request.node.name[:40]}", s3=storage_server.access)


class StoppedAt(Tally):
    """Asked to stop when so many bytes are done."""

    def __init__(self, limit: int) -> None:
        super().__init__()
        self.limit = limit

    def add(self, size: int) -> None:
        if self.bytes_done > self.limit:
            self.ask_to_stop()
        super().add(size)


def an_identity(folder: Path, name: str = "identities") -> tuple[str, Path]:
    """A new key: what is encrypted to, and the file that opens it."""
    identity = pyrage.x25519.Identity.generate()
    path = folder / name
    path.write_text(f"# made for a test\n{identity}\n")
    return str(identity.to_public()), path


@pytest.mark.parametrize("kind", ["directory", "custom"])
def test_a_backup_is_what_was_written(shop: Database, place: Place, kind: str):
    artifact = taken(shop, place, format=kind)
    checked = ended(check(place, artifact.location, artifact.manifest.sha256))
    assert (checked.entries, checked.manifest) == (artifact.manifest.entries, artifact.manifest)


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (lambda path: (path / "toc.dat").write_bytes(b"nonsense"), r"toc\.dat is not what was written"),
        (lambda path: next(path.glob("*.dat.gz")).unlink(), r"\d+\.dat\.gz is gone"),
        (lambda path: (path / "9999.dat").write_text("more"), r"9999\.dat was not there"),
        (lambda path: path.rename(path.with_name("elsewhere")), "no longer there"),
        (lambda path: path.with_name("b.manifest.json").unlink(), "manifest of backup b is no longer there"),
        (lambda path: path.with_name("b.manifest.json").write_text("{}"), "manifest of the backup was changed"),
    ],
)
def test_a_file_that_was_tampered_with_is_named(shop: Database, place: Place, harm, said: str):
    artifact = taken(shop, place)
    harm(Path(artifact.location))
    with pytest.raises(BackupDamagedError, match=said):
        ended(check(place, artifact.location, artifact.manifest.sha256))


def test_a_single_changed_byte_of_the_rows_is_found_and_never_restored(shop: Database, place: Place):
    artifact = taken(shop, place)
    victim = max(Path(artifact.location).glob("*.dat.gz"), key=lambda path: path.stat().st_size)
    content = bytearray(victim.read_bytes())
    content[len(content) // 2] ^= 1
    victim.write_bytes(content)
    with pytest.raises(BackupDamagedError, match=victim.name):
        ended(check(place, artifact.location, artifact.manifest.sha256))
    with pytest.raises(BackupDamagedError, match=victim.name):
        restored(an_order(shop, place, artifact, f"{shop.name}_new"))
    assert databases(shop, f"{shop.name}_new") == 0


@pytest.mark.parametrize("kind", ["directory", "custom"])
def test_a_bucket_holds_the_same_backup_and_gives_it_back(shop: Database, bucket: Place, kind: str):
    artifact = taken(shop, bucket, format=kind)
    assert artifact.location == f"{bucket.url}/b"
    assert left_in(bucket.directory) == [], "nothing stays on this machine"
    assert ended(check(bucket, artifact.location, artifact.manifest.sha256)).entries == artifact.manifest.entries
    new = f"{shop.name}_new"
    assert restored(an_order(shop, bucket, artifact, new)).rows["public.users"] == 1000
    assert left_in(bucket.directory) == []
    shop.execute(f'DROP DATABASE "{new}"')
    storage, name = storage_of(bucket, artifact.location)
    storage.remove(name)
    assert storage.sizes(name) == {}


def test_a_large_file_goes_in_parts_and_what_is_stopped_leaves_no_part(
    bucket: Place, storage_server: ObjectStorage, tmp_path: Path
):
    storage, _ = storage_of(bucket)
    large, before = tmp_path / "large", storage_server.names()
    large.write_bytes(os.urandom(1 << 20) * 33)
    digest = hashlib.sha256(large.read_bytes()).hexdigest()
    stopped = StoppedAt(24 << 20)
    with pytest.raises(StopAskedError):
        storage.put(large, "b", "{}", stopped)
    assert storage_server.names() == before
    storage.put(large, "b", "{}", Tally())
    assert hashlib.sha256(b"".join(storage.read("b", ""))).hexdigest() == digest
    assert not large.exists()
    storage.remove("b")
    assert storage_server.names() == before


def test_wrong_keys_are_noticed_before_the_dump_and_the_secret_is_not_repeated(shop: Database, bucket: Place):
    wrong = replace(bucket, s3=replace(bucket.s3, secret_access_key="wrong-" + SECRET))
    with pytest.raises(StorageUnreachableError, match="403") as caught:
        taken(shop, wrong)
    assert SECRET not in str(caught.value.as_json()) + repr(wrong)
    assert left_in(bucket.directory) == []


@pytest.mark.parametrize("kind", ["directory", "custom"])
def test_an_encrypted_backup_holds_nothing_readable_and_is_restored_with_its_key(
    shop: Database, place: Place, tmp_path: Path, kind: str
):
    recipient, identities = an_identity(tmp_path)
    sealed = replace(place, recipients=(recipient,), identity_file=identities)
    artifact = taken(shop, sealed, format=kind)
    stored = Path(artifact.location)
    files = [path for path in stored.rglob("*") if path.is_file()] if stored.is_dir() else [stored]
    assert all(path.read_bytes().startswith(b"age-encryption.org/v1") for path in files)
    assert ended(check(sealed, artifact.location, artifact.manifest.sha256)).entries == artifact.manifest.entries
    new = f"{shop.name}_new"
    assert restored(an_order(shop, sealed, artifact, new)).rows["public.users"] == 1000
    shop.execute(f'DROP DATABASE "{new}"')
    assert left_in(place.directory) == ["b", "b.manifest.json"]


def test_a_worker_without_the_key_compares_files_and_says_what_it_can_not_do(shop: Database, place: Place, tmp_path: Path):
    recipient, _ = an_identity(tmp_path)
    sealed = replace(place, recipients=(recipient,))
    artifact = taken(shop, sealed)
    checked = ended(check(sealed, artifact.location, artifact.manifest.sha256))
    assert checked.entries is None
    assert recipient in checked.not_listed


def test_a_wrong_key_is_named_and_an_added_one_helps(shop: Database, place: Place, tmp_path: Path):
    old, old_file = an_identity(tmp_path, "old")
    new, new_file = an_identity(tmp_path, "new")
    artifact = taken(shop, replace(place, recipients=(old,), identity_file=old_file))
    with pytest.raises(BackupKeyError, match=f"encrypted to {old}; the identity file holds the keys of {new}"):
        restored(an_order(shop, replace(place, identity_file=new_file), artifact, f"{shop.name}_new"))
    new_file.write_text(new_file.read_text() + old_file.read_text())
    made = restored(an_order(shop, replace(place, identity_file=new_file), artifact, f"{shop.name}_new"))
    assert made.is_equal
    shop.execute(f'DROP DATABASE "{made.database}"')


def test_something_that_is_no_key_is_refused_before_the_dump(shop: Database, place: Place):
    with pytest.raises(BackupKeyError, match="not an age public key"):
        taken(shop, replace(place, recipients=("AGE-SECRET-KEY-1OOPS",)))


def test_encrypting_and_decrypting_a_large_file_takes_no_memory(tmp_path: Path):
    from app.backup.encryption import decrypt_file, encrypt_file
    from app.backup.progress import Tally

    recipient, identities = an_identity(tmp_path)
    plain, sealed, again = tmp_path / "plain", tmp_path / "sealed", tmp_path / "again"
    plain.write_bytes(bytes(1 << 20) * 64)
    before = psutil.Process().memory_info().rss
    encrypt_file(plain, sealed, [recipient], Tally())
    decrypt_file(sealed, again, Place(directory=tmp_path, identity_file=identities), recipients=[recipient], tally=Tally())
    assert psutil.Process().memory_info().rss - before < 16 << 20
    assert again.stat().st_size == plain.stat().st_size
