"""How long the chaos tests are: the short form of the gate, or the long one of `./headgate chaos`."""

import os
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")

#: what `./headgate chaos` sets; 0 in the short form
LONG = int(os.environ.get("HEADGATE_CHAOS_ROUNDS", "0"))


def rounds(short: int) -> int:
    """So many rounds, or the long form's."""
    return LONG or short


def some(items: Sequence[T], short: int) -> Sequence[T]:
    """All of them in the long form, else so many that are spread evenly, the first and the last among them."""
    if LONG or len(items) <= short:
        return items
    return [items[number * (len(items) - 1) // (short - 1)] for number in range(short)]
