"""The data folder: one holder, private files, values that stay."""

import base64
import stat

import pytest

from app.embedded.folder import DataFolder, FolderHeldError, FolderUnusableError, kept_address


def test_the_second_holder_is_told_who_has_it(tmp_path):
    first, second = DataFolder(tmp_path / "data"), DataFolder(tmp_path / "data")
    first.hold(address="http://localhost:8000")
    with pytest.raises(FolderHeldError, match=r"in use by process \d+ \(http://localhost:8000\)") as refused:
        second.hold(address="http://localhost:8001")
    assert refused.value.exit_code == 2
    first.release()
    second.hold(address="http://localhost:8001")
    second.release()


def test_the_sealing_key_is_made_once_and_private(tmp_path):
    file = DataFolder(tmp_path / "data").secret_key_file()
    content = file.read_text()
    name, key = content.strip().split(":")
    assert name == "k1"
    assert len(base64.b64decode(key)) == 32
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert DataFolder(tmp_path / "data").secret_key_file().read_text() == content


def test_ports_and_passwords_stay_the_same(tmp_path):
    folder, again = DataFolder(tmp_path / "data"), DataFolder(tmp_path / "data")
    assert folder.port("postgres") == again.port("postgres")
    assert folder.password("author") == again.password("author") != folder.password("approver")
    assert {stat.S_IMODE(file.stat().st_mode) for file in (tmp_path / "data" / "kept").iterdir()} == {0o600}


def test_a_folder_that_cannot_be_made_is_refused_in_a_sentence_and_not_with_a_traceback(tmp_path):
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(FolderUnusableError, match=r"data directory .* can't be used") as refused:
            DataFolder(path)
        assert refused.value.exit_code == 2
        assert "--data-dir" in (refused.value.hint or "")


def test_what_the_folder_keeps_leads_to_the_embedded_database(tmp_path):
    assert kept_address(tmp_path, database="headgate") is None
    folder = DataFolder(tmp_path)
    port, password = folder.port("postgres"), folder.password("headgate")
    assert kept_address(tmp_path, database="headgate") == f"postgresql://headgate:{password}@127.0.0.1:{port}/headgate"
