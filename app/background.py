"""A call that others may take their time to answer, in a thread of its own, so that whoever waits can still be asked to stop."""

import threading
from collections.abc import Callable
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from typing import TypeVar

T = TypeVar("T")


def in_background(call: Callable[[], T], *, name: str, unwanted: Callable[[T], object] = lambda _: None) -> Future[T]:
    """What the call will come to. Cancelling it makes nobody wait any longer: what comes after that is given to ``unwanted``."""
    answer: Future[T] = Future()

    def work() -> None:
        try:
            found = call()
        except BaseException as error:  # noqa: BLE001  # handed to whoever asks for the answer
            with suppress(InvalidStateError):
                answer.set_exception(error)
            return
        try:
            answer.set_result(found)
        except InvalidStateError:
            unwanted(found)

    threading.Thread(target=work, name=name, daemon=True).start()
    return answer
