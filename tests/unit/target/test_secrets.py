import base64

import pytest

from app.settings import Settings
from app.target.secrets import SecretKeyError, load_keys, new_key, open_sealed, parse_keys, rotate, seal

DSN = "postgresql://app:s3cr3t-pass@db.example:5432/shop"


def test_what_is_sealed_opens_again_in_its_own_context_only():
    keys = parse_keys([new_key("a")])
    blob = seal(keys, DSN, "target:1")
    assert open_sealed(keys, blob, "target:1") == DSN
    with pytest.raises(SecretKeyError):
        open_sealed(keys, blob, "target:2")


def test_the_blob_does_not_show_the_text_and_never_repeats():
    keys = parse_keys([new_key("a")])
    first, second = seal(keys, DSN, "x"), seal(keys, DSN, "x")
    assert first != second
    assert b"s3cr3t" not in base64.urlsafe_b64decode(first.rsplit(":", 1)[1])


def test_a_changed_blob_is_refused():
    keys = parse_keys([new_key("a")])
    head, body = seal(keys, DSN, "x").rsplit(":", 1)
    raw = bytearray(base64.urlsafe_b64decode(body))
    raw[-1] ^= 1
    with pytest.raises(SecretKeyError, match="does not open"):
        open_sealed(keys, f"{head}:{base64.urlsafe_b64encode(bytes(raw)).decode()}", "x")


def test_rotation_seals_with_the_newest_key_and_the_old_one_still_opens_until_then():
    old = new_key("old")
    blob = seal(parse_keys([old]), DSN, "x")
    both = parse_keys([new_key("new"), old])
    rotated = rotate(both, blob, "x")
    assert rotated.startswith("hg1:new:")
    assert open_sealed(both, rotated, "x") == open_sealed(both, blob, "x") == DSN
    assert rotate(both, rotated, "x") == rotated


def test_a_missing_key_is_named():
    blob = seal(parse_keys([new_key("old")]), DSN, "x")
    with pytest.raises(SecretKeyError, match="'old'"):
        open_sealed(parse_keys([new_key("new")]), blob, "x")


@pytest.mark.parametrize("line", ["nokey", "a:", "a:short", "a:" + base64.b64encode(b"x" * 31).decode(), ":" + "A" * 44])
def test_a_bad_line_is_refused_by_its_number_and_not_shown(line):
    with pytest.raises(SecretKeyError, match="Key 2") as caught:
        parse_keys(["# comment", line])
    assert caught.value.line == 2


def test_two_keys_of_one_name_are_refused():
    with pytest.raises(SecretKeyError, match="Two keys"):
        parse_keys([new_key("a"), new_key("a")])


def test_the_file_wins_over_the_variable(tmp_path):
    path = tmp_path / "keys"
    path.write_text(new_key("from-file") + "\n")
    assert load_keys(Settings(secret_key_file=path, secret_keys=new_key("other"))).newest.id == "from-file"
    assert load_keys(Settings(secret_key_file=None, secret_keys=new_key("other"))).newest.id == "other"


def test_no_key_at_all_says_which_variable_to_set():
    with pytest.raises(SecretKeyError) as caught:
        load_keys(Settings(secret_key_file=None, secret_keys=None))
    assert "HEADGATE_SECRET_KEY_FILE" in caught.value.hint


def test_a_missing_key_file_is_named(tmp_path):
    with pytest.raises(SecretKeyError, match="nowhere"):
        load_keys(Settings(secret_key_file=tmp_path / "nowhere"))


def test_a_key_does_not_show_its_secret():
    keys = parse_keys([new_key("a")])
    assert str(keys.newest.secret) not in repr(keys)
    assert "secret" not in repr(keys)
