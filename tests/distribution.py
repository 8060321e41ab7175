"""How the suite is dealt out to its processes: a file at a time, the long ones first, and files of one started product together."""

from collections.abc import Sequence

import pytest
from xdist.scheduler import LoadScopeScheduling

#: files whose tests share a product that takes long to start, and would run on beside all others
ONE_STAGE = {
    "the journeys' product": ("tests/journey/test_control.py", "tests/journey/test_gates.py", "tests/journey/test_kinds.py"),
    "the disturbed product": ("tests/chaos/test_processes.py", "tests/chaos/test_networks.py"),
}
ONE_STAGE["the journeys' product"] += ("tests/journey/test_story.py",)
_STAGE_OF = {file: stage for stage, files in ONE_STAGE.items() for file in files}
#: what takes long although it has few tests, so that none of it is left for one process at the end
LONG_FIRST = ("tests/chaos/", "tests/journey/", "tests/browser/", "tests/postgres/backup/", "tests/postgres/recipes/")


def work_of(nodeid: str) -> str:
    """The piece of work that a test belongs to: its file, or the product that its file shares with others."""
    file = nodeid.split("::", 1)[0]
    return _STAGE_OF.get(file, file)


class ByStage(LoadScopeScheduling):
    """Pieces of work in the order of the collection, whoever is free takes the next."""

    def _split_scope(self, nodeid: str) -> str:
        return work_of(nodeid)


def in_order(items: Sequence[pytest.Item]) -> list[pytest.Item]:
    """The tests with each piece of work in one row: the long kinds first, then those of many tests before those of few."""
    pieces: dict[str, list[pytest.Item]] = {}
    for item in items:
        pieces.setdefault(work_of(item.nodeid), []).append(item)
    ordered = sorted(pieces.values(), key=lambda piece: (_rank(piece[0].nodeid), -len(piece)))
    return [item for piece in ordered for item in piece]


def _rank(nodeid: str) -> int:
    return next((rank for rank, folder in enumerate(LONG_FIRST) if nodeid.startswith(folder)), len(LONG_FIRST))
