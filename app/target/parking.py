"""A session that one step is done with and the next one may use: a new one costs a login, twenty milliseconds and more."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

from app.target.errors import TargetError
from app.target.knocking import connect_unless
from app.target.session import Target


class Parking:
    """Holds at most one idle session of one target; not for use by several threads at once."""

    def __init__(self, dsn: str, *, is_unwanted: Callable[[], bool] = lambda: False) -> None:
        """``dsn`` holds the password; it is not shown. ``is_unwanted``: somebody asks to stop, so nobody waits for a login."""
        self._dsn, self._is_unwanted = dsn, is_unwanted
        self._idle: Target | None = None

    @contextmanager
    def session(self, purpose: str, *, ends_with_client: bool = True) -> Iterator[Target]:
        """A session under that name; it is kept for the next one unless the block ends with an exception.

        Raises TargetUnreachableError.
        """
        target = self._renewed(purpose, ends_with_client=ends_with_client)
        connect = partial(Target.connect, self._dsn, purpose=purpose, ends_with_client=ends_with_client)
        target = target or connect_unless(self._is_unwanted, connect)
        try:
            yield target
        except BaseException:
            target.close()
            raise
        self.close()
        self._idle = target

    def close(self) -> None:
        """End the idle session."""
        if self._idle is not None:
            self._idle.close()
            self._idle = None

    def _renewed(self, purpose: str, *, ends_with_client: bool) -> Target | None:
        target, self._idle = self._idle, None
        if target is None:
            return None
        try:
            target.renew(purpose=purpose, ends_with_client=ends_with_client)
        except TargetError:
            # it was ended meanwhile: a new one is opened
            target.close()
            return None
        return target
