"""The words that columns may hold, where no package below the store has them: each becomes a CHECK."""

from enum import StrEnum


class PlanState(StrEnum):
    """Where a plan stands in its review."""

    DRAFT = "draft"
    IN_REVIEW = "in_review"
    APPROVED = "approved"
    REJECTED = "rejected"
    ARCHIVED = "archived"


class Verdict(StrEnum):
    """What a reviewer decided about one revision."""

    APPROVE = "approve"
    REQUEST_CHANGES = "request_changes"


class JobKind(StrEnum):
    """Work that a worker does once."""

    TEST_TARGET = "test_target"
    ANALYSE = "analyse"
    REHEARSE = "rehearse"
    BACKUP = "backup"
    VERIFY_BACKUP = "verify_backup"
    RESTORE = "restore"
    NAME_SESSIONS = "name_sessions"
    SWAP_DATABASE = "swap_database"
    SNAPSHOT_SCHEMA = "snapshot_schema"
    TAKE_METRICS = "take_metrics"
    END_SESSION = "end_session"


class JobState(StrEnum):
    """Where such work stands."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class BackupState(StrEnum):
    """Where a backup stands; a deleted one keeps its row as evidence that it was there."""

    QUEUED = "queued"
    RUNNING = "running"
    CANCELLING = "cancelling"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    DELETING = "deleting"
    DELETED = "deleted"


class BackupFormat(StrEnum):
    """The format of pg_dump; only ``directory`` is written in parallel."""

    DIRECTORY = "directory"
    CUSTOM = "custom"


class RestoreState(StrEnum):
    """Where a restore stands; once it is done, its database may be put in the place of the target's, and back."""

    QUEUED = "queued"
    RUNNING = "running"
    CANCELLING = "cancelling"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    SWAPPING = "swapping"
    SWAPPED = "swapped"
    SWAPPING_BACK = "swapping_back"


class RestorePurpose(StrEnum):
    """What a restore is for: a database to keep beside the old one, or the proof that it can be done, dropped at once."""

    BESIDE = "beside"
    PROOF = "proof"


class Direction(StrEnum):
    """Which way a run goes."""

    FORWARD = "forward"
    ROLLBACK = "rollback"


class Ask(StrEnum):
    """What a person asked of a run that a worker drives; an aborted run is cancelled, and then rolled back."""

    PAUSE = "pause"
    CANCEL = "cancel"
    ABORT = "abort"


class HandoverState(StrEnum):
    """How the control of a run changed hands: asked for, handed over, declined, or taken with a reason."""

    ASKED = "asked"
    HANDED = "handed"
    DECLINED = "declined"
    TAKEN = "taken"


class EndingOutcome(StrEnum):
    """What came of the wish to end a session on a target."""

    QUEUED = "queued"
    ENDED = "ended"
    GONE = "gone"
    REFUSED = "refused"


class Window(StrEnum):
    """When figures were taken: before the run, at the end of a window of the watch, or on request."""

    BEFORE = "before"
    HOUR = "1h"
    DAY = "24h"
    WEEK = "1w"
    NOW = "now"


class ItemState(StrEnum):
    """Where an item of the monitoring checklist stands."""

    PENDING = "pending"
    PASSED = "passed"
    FAILED = "failed"
    UNKNOWN = "unknown"
    OVERRIDDEN = "overridden"


class VerificationState(StrEnum):
    """How a verification ended."""

    PASSED = "passed"
    FAILED = "failed"
    UNKNOWN = "unknown"


#: States of a job, an analysis, a rehearsal or a backup in which it is still to come or under way.
OPEN = (JobState.QUEUED, JobState.RUNNING)
