"""Make a run's backfills slower or faster while they run."""

from app.actions import wording
from app.actions.moving import held, note
from app.actions.work import Work
from app.errors import MovedMeanwhileError
from app.review.policy import PROFILES
from app.run.states import ACTIVE
from app.store.events import notify
from app.store.tables.runs import Run


def change_speed(work: Work, *, run_id: int, profile: str | None = None, max_rate: int | None = None) -> Run:
    """Change the profile, or the most rows a second (0 lifts the limit); what is not given stays.

    Raises NotFoundError, NotAllowedError, InvalidInputError, MovedMeanwhileError where the run has ended.
    """
    run = held(work, run_id)
    if profile is not None and profile not in PROFILES:
        raise wording.refused("profile", f"The profiles are {', '.join(PROFILES)}.")
    if max_rate is not None and max_rate < 0:
        raise wording.refused("max_rate", "It has to be a whole number of rows a second.")
    if run.state not in ACTIVE:
        raise MovedMeanwhileError(f"Run {run.id} is {run.state.words}: there is nothing to speed up.")
    options = dict(run.options)
    if profile is not None:
        options["profile"] = profile
    if max_rate is not None:
        options["max_rate"] = max_rate or None
    if options != run.options:
        note(work, run, "change_speed", before=run.options, after=options)
        run.options = options
        work.session.flush()
        notify(work.session, run.id)
    return run
