"""Connecting while somebody may ask to stop: a target that does not answer is left standing, not waited for to the timeout."""

import time
from collections.abc import Callable
from concurrent.futures import wait

from app.background import in_background
from app.target.errors import TargetUnreachableError
from app.target.session import Target

#: a target that is well answers in less, so that who is asked to stop still lets go of it in good order
HEARD_AFTER_SECONDS = 1.0
_LOOK_SECONDS = 0.1


def connect_unless(is_unwanted: Callable[[], bool], connect: Callable[[], Target]) -> Target:
    """The session that ``connect`` opens.

    Raises what it raises, and TargetUnreachableError where somebody asks to stop before the target has answered.
    """
    opening = in_background(connect, name="connect", unwanted=Target.close)
    heard_from = time.monotonic() + HEARD_AFTER_SECONDS
    while not opening.done():
        wait([opening], timeout=_LOOK_SECONDS)
        if not opening.done() and time.monotonic() >= heard_from and is_unwanted() and opening.cancel():
            raise TargetUnreachableError(
                "The target had not answered yet when it was asked to stop.",
                kind="timeout",
                hint="Nothing was sent to it.",
            )
    return opening.result()
