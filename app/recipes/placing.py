"""Where the steps of a recipe go: in their own phases, never before what the statement stood behind, nor behind its sequel."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from app.errors import HeadgateError
from app.plan.model import PHASES, Phase, PhaseName, Step
from app.recipes.draft import Placed
from app.sql.relations import references

#: kinds that everything behind them may depend on
_BARRIERS = frozenset({"gate", "hook", "wait", "backup"})


@dataclass(slots=True, kw_only=True)
class _Touched:
    """The relations that some steps name; ``everything`` where that can't be told, or where one of them is a barrier."""

    names: set[str] = field(default_factory=set)
    everything: bool = False

    def add(self, step: Step) -> None:
        found = _relations(step)
        self.everything |= found is None
        self.names |= found or set()

    def meets(self, step: Step) -> bool:
        found = _relations(step)
        return self.everything or found is None or bool(found & self.names)


def _relations(step: Step) -> frozenset[str] | None:
    """The bare names of the relations in a step, or None where it may depend on anything."""
    if step.kind in _BARRIERS:
        return None
    spec = step.spec
    texts = [str(spec[name]) for name in ("sql", "query", "statement") if name in spec]
    try:
        found = frozenset().union(*(references(text) for text in texts))
    except HeadgateError:
        return None
    names = found | ({str(spec["table"])} if step.kind == "backfill" else frozenset())
    return frozenset(name.rpartition(".")[2].strip('"') for name in names) if names else None


def placed(before: Sequence[Placed], middle: Sequence[Placed], behind: Sequence[Placed]) -> tuple[Phase, ...]:
    """The phases of a plan in which ``middle`` stands between the others.

    A step of the middle waits for those before it that touch the same relations; a step behind it that touches them waits for
    the middle. Everything else stays in the phase that its author gave it.
    """
    touched = _Touched()
    for _, step in middle:
        if step.kind not in _BARRIERS:
            touched.add(step)
    first = max((_order(phase) for phase, step in before if touched.meets(step)), default=0)
    moved = [(PHASES[max(first, _order(phase))], step) for phase, step in middle]
    last = max((_order(phase) for phase, _ in moved), default=0)
    return _phases([*before, *moved, *_behind(behind, touched, last)])


def _behind(behind: Iterable[Placed], touched: _Touched, last: int) -> Iterable[Placed]:
    has_waited = False
    for phase, step in behind:
        own = _order(phase)
        is_barrier = step.kind in _BARRIERS
        waits = own < last and (has_waited if is_barrier else touched.meets(step))
        if waits:
            has_waited = True
            touched.add(step)
        yield PHASES[max(own, last)] if waits else phase, step


def _order(phase: PhaseName) -> int:
    return PHASES.index(phase)


def _phases(steps: Sequence[Placed]) -> tuple[Phase, ...]:
    found = ((name, tuple(step for phase, step in steps if phase == name)) for name in PHASES)
    return tuple(Phase(name=name, steps=members) for name, members in found if members)
