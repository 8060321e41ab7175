"""Which release of the shop's application is live."""

from app.embedded.traffic import RELEASE_SECONDS, Release


def test_the_new_release_follows_the_column_after_some_seconds():
    release = Release()
    release.notice(has_role=True, at=100.0)
    assert not release.writes_role(100.0 + RELEASE_SECONDS - 0.1)
    assert release.writes_role(100.0 + RELEASE_SECONDS)


def test_the_old_release_is_back_at_once_when_the_column_goes():
    release = Release()
    release.notice(has_role=True, at=100.0)
    release.notice(has_role=False, at=200.0)
    assert not release.writes_role(300.0)


def test_seeing_the_column_again_does_not_start_the_wait_anew():
    release = Release()
    release.notice(has_role=True, at=100.0)
    release.notice(has_role=True, at=104.0)
    assert release.writes_role(105.0)
