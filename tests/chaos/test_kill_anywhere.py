"""The engine is killed between any two messages to the target, and at any instant, again and again, forward and back."""

import random
import sys

import pytest

from tests.chaos.driver import killed_after, killed_at_message, next_holder
from tests.chaos.rounds import rounds
from tests.chaos.stages import assert_like, new_order, undo_order

pytestmark = [pytest.mark.chaos, pytest.mark.skipif(sys.platform != "linux", reason="forks a driver and reads /proc")]

#: lives grow with the deaths before them: the first holders die while they take the run, later ones get further on any machine
FIRST_MESSAGES, MORE_MESSAGES = 20, 15
FIRST_SECONDS, MORE_SECONDS = 0.05, 0.04


def at_a_message(order, dice, kills) -> bool:
    return killed_at_message(order, dice.randint(1, FIRST_MESSAGES + kills * MORE_MESSAGES))


def at_an_instant(order, dice, kills) -> bool:
    return killed_after(order, dice.random() * (FIRST_SECONDS + kills * MORE_SECONDS))


WAYS = {"between messages": at_a_message, "at any instant": at_an_instant}


@pytest.mark.parametrize("seed", range(rounds(1)))
@pytest.mark.parametrize("way", WAYS)
def test_a_run_and_its_rollback_get_there_exactly_once_however_their_holders_die(database, calm, way, seed):
    dice = random.Random(seed)  # noqa: S311  # a round can be played again
    forward = new_order(database)
    for order, expected in ((forward, calm.done), (undo_order(forward), calm.undone)):
        kills = 0
        while WAYS[way](order, dice, kills):
            kills += 1
            order = next_holder(order)  # noqa: PLW2901  # the next one goes on with the same run
            assert kills < 200, "each holder gets a little further"
        assert kills > 1
        assert_like(database, expected)
