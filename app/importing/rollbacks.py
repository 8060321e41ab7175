"""A migration's written way back, shared out to the steps that the migration became."""

import json
from collections.abc import Sequence
from typing import Any

from app.importing.pieces import Piece, statements_of
from app.importing.source import Script
from app.plan.model import Grade, Rollback, Step
from app.plan.undo import ASSUMED_GRADE
from app.sql.split import Statement, split

#: parts of a tree that say the same thing in another way, or where it stands
_INCIDENTAL = frozenset({"location", "missing_ok", "behavior", "concurrent"})


def share_way_back(down: Script, pieces: Sequence[Piece], steps: Sequence[Step], derived: Sequence[Rollback]) -> list[Rollback]:
    """One rollback for each step, together the whole down script.

    Where each statement of the script is what Headgate would derive for one of the steps, it goes to that step. Otherwise the
    script undoes all of them at once, when the first one is undone.
    """
    back = list(statements_of(down))
    if len(pieces) == 1:
        return [_whole(down, back, derived[0])]
    shared = _shared(back, derived)
    if shared is not None:
        return [_written(own, rollback) for own, rollback in zip(shared, derived, strict=True)]
    grade, reason = _worst(derived)
    first = Rollback(grade=grade, sql=down.text.strip() + "\n", reason=reason)
    rest = Rollback(grade="lossless", reason=f"{down.file} undoes it together with step {steps[0].id}.")
    return [first, *[rest] * (len(pieces) - 1)]


def _whole(down: Script, back: Sequence[Statement], derived: Rollback) -> Rollback:
    if not back:
        return Rollback(grade="lossless", reason=f"{down.file} says that nothing has to be done.")
    if derived.sql is None:
        return Rollback(grade=ASSUMED_GRADE, sql=down.text.strip() + "\n")
    return Rollback(grade=derived.grade, sql=down.text.strip() + "\n", reason=derived.reason)


def _shared(back: Sequence[Statement], derived: Sequence[Rollback]) -> list[list[Statement]] | None:
    """The down statements by step, or None where one of them fits no step."""
    offers = [{_shape(inverse.node) for inverse in split(rollback.sql or "")} for rollback in derived]
    shared: list[list[Statement]] = [[] for _ in derived]
    for statement in back:
        owner = next((index for index, offer in enumerate(offers) if _shape(statement.node) in offer), None)
        if owner is None:
            return None
        shared[owner].append(statement)
    return shared


def _written(own: Sequence[Statement], derived: Rollback) -> Rollback:
    if not own:
        return Rollback(grade="lossless", reason="The way back in the migration does nothing about it.")
    sql = "".join(f"{statement.text};\n" for statement in own)
    return Rollback(grade=derived.grade, sql=sql, reason=derived.reason)


def _worst(derived: Sequence[Rollback]) -> tuple[Grade, str]:
    """The grade of the whole way back: what can't be kept by one of the steps is lost by all."""
    lost = [rollback for rollback in derived if rollback.grade == "irreversible" and rollback.sql is not None]
    if lost:
        return "irreversible", lost[0].reason
    return ASSUMED_GRADE, ""


def _shape(node: Any) -> str:
    return json.dumps(_bare(node), sort_keys=True)


def _bare(node: Any) -> Any:
    if isinstance(node, dict):
        return {key: _bare(value) for key, value in node.items() if key not in _INCIDENTAL}
    return [_bare(item) for item in node] if isinstance(node, list) else node
