"""How a step fails besides the database's own refusals."""

from app.errors import HeadgateError


class StepRefusedError(HeadgateError):
    """The step's SQL can't be run so that it takes effect exactly once."""

    status = 422


class BlockedTooLongError(HeadgateError):
    """What stands in the way stayed for longer than the step's patience; nothing was changed."""

    status = 409
    exit_code = 1


class GaveWayTooOftenError(HeadgateError):
    """Others queued behind the step each time it was tried; nothing was changed."""

    status = 409
    exit_code = 1


class IndexInvalidError(HeadgateError):
    """PostgreSQL left the index invalid."""

    status = 409
    exit_code = 1


class CheckFailedError(HeadgateError):
    """A check did not find what the plan expects."""

    status = 409
    exit_code = 1


class HookFailedError(HeadgateError):
    """An address outside did not answer as expected."""

    status = 502
    exit_code = 1


class NotUndoableError(HeadgateError):
    """The step can't be undone by SQL."""

    status = 409
    exit_code = 1
