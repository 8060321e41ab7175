"""One step: pumps its events into the journal, and stops at safe points."""

from collections.abc import Callable
from dataclasses import dataclass

from app.run.events import Gauge, StatementFinished, StatementStarted
from app.run.journal import Ask, Journal
from app.steps.protocol import Done, StepRun, Waiting


@dataclass(frozen=True, slots=True, kw_only=True)
class Stopped:
    """The step was left at a safe point; the ledger says where it goes on."""

    #: None: the slice's time is over
    ask: Ask | None


#: Said inside a transaction: to stop there costs the unit's work, which only a person may ask for.
_INSIDE_A_UNIT = (StatementStarted, StatementFinished)


def drive(
    run: StepRun, journal: Journal, *, is_over: Callable[[], bool], confirm: Callable[[], None], is_one_unit: bool = False
) -> Done | Waiting | Stopped:
    """Run the step until it is done, waits, or has to stop.

    ``confirm`` raises LeaseLostError once the run belongs to somebody else. ``is_one_unit``: what it did is lost when it stops,
    so the end of a slice does not stop it. Raises what the step and the journal raise.
    """
    try:
        while True:
            item = next(run)
            confirm()
            if isinstance(item, Gauge):
                journal.gauge(item)
            else:
                journal.record(item)
            ask = journal.asked()
            if ask is not None:
                return Stopped(ask=ask)
            if is_over() and not is_one_unit and not isinstance(item, _INSIDE_A_UNIT):
                return Stopped(ask=None)
    except StopIteration as end:
        outcome: Done | Waiting = end.value
        return outcome
    finally:
        # what the step holds open is rolled back and closed here, not when somebody collects garbage
        run.close()
