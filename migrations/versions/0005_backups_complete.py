"""Backups that are cancelled, checked, proven and deleted; restores that are proofs, or are swapped in.

Reason: a worker of the version before writes none of the new columns and knows none of the new words; all have defaults, and only
newer pages ask for what they mean. Going back turns the new words into the nearest of the old ones.
Revision 0005, after 0004.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

KINDS = ("test_target", "analyse", "rehearse", "backup", "restore", "snapshot_schema", "take_metrics", "end_session")
NEW_KINDS = (
    "test_target",
    "analyse",
    "rehearse",
    "backup",
    "verify_backup",
    "restore",
    "name_sessions",
    "swap_database",
    "snapshot_schema",
    "take_metrics",
    "end_session",
)
BACKUP = ("queued", "running", "done", "failed", "deleted")
NEW_BACKUP = ("queued", "running", "cancelling", "done", "failed", "cancelled", "deleting", "deleted")
RESTORE = ("queued", "running", "done", "failed")
NEW_RESTORE = (
    "queued",
    "running",
    "cancelling",
    "done",
    "failed",
    "cancelled",
    "swapping",
    "swapped",
    "swapping_back",
)
OPEN = "state IN ('queued', 'running')"
NEW_OPEN = "state IN ('queued', 'running', 'cancelling')"


def words(table: str, column: str, known: tuple[str, ...]) -> None:
    """Replace the CHECK of the words that a column may hold."""
    op.drop_constraint(op.f(f"ck_{table}_{column}_is_known"), table, type_="check")
    listed = ", ".join(f"'{word}'" for word in known)
    op.create_check_constraint(op.f(f"ck_{table}_{column}_is_known"), table, f'"{column}" IN ({listed})')


def open_ones(is_open: str) -> None:
    """Replace the indexes that let one be open at a time."""
    op.drop_index("uq_backups_requested", "backups")
    op.drop_index("uq_restores_open", "restores")
    where = sa.text(f"run_id IS NULL AND {is_open}")
    op.create_index("uq_backups_requested", "backups", ["target_id"], unique=True, postgresql_where=where)
    where = sa.text(is_open)
    op.create_index("uq_restores_open", "restores", ["backup_id", "new_database"], unique=True, postgresql_where=where)


def upgrade() -> None:
    """Apply."""
    op.add_column("backups", sa.Column("attempt", sa.BigInteger(), server_default="0", nullable=False))
    op.add_column("backups", sa.Column("cancelled_by", sa.BigInteger(), nullable=True))
    op.create_foreign_key("fk_backups_cancelled_by", "backups", "people", ["cancelled_by"], ["id"])
    op.add_column("backups", sa.Column("checked", JSONB(none_as_null=True), nullable=True))
    op.add_column("backups", sa.Column("proven_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("backups", sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("restores", sa.Column("purpose", sa.Text(), server_default="beside", nullable=False))
    op.create_check_constraint(op.f("ck_restores_purpose_is_known"), "restores", "\"purpose\" IN ('beside', 'proof')")
    op.add_column("restores", sa.Column("progress", JSONB(none_as_null=True), nullable=True))
    op.add_column("restores", sa.Column("attempt", sa.BigInteger(), server_default="0", nullable=False))
    op.add_column("restores", sa.Column("cancelled_by", sa.BigInteger(), nullable=True))
    op.create_foreign_key("fk_restores_cancelled_by", "restores", "people", ["cancelled_by"], ["id"])
    op.add_column("restores", sa.Column("set_aside", sa.Text(), nullable=True))
    op.add_column("restores", sa.Column("sessions", JSONB(none_as_null=True), nullable=True))
    op.add_column("restores", sa.Column("swap", JSONB(none_as_null=True), nullable=True))
    op.add_column("restores", sa.Column("swapped_at", sa.DateTime(timezone=True), nullable=True))
    words("jobs", "kind", NEW_KINDS)
    words("backups", "state", NEW_BACKUP)
    words("restores", "state", NEW_RESTORE)
    open_ones(NEW_OPEN)


def downgrade() -> None:
    """Take back."""
    op.execute("DELETE FROM jobs WHERE kind IN ('verify_backup', 'name_sessions', 'swap_database')")
    op.execute("UPDATE backups SET state = 'failed' WHERE state IN ('cancelling', 'cancelled')")
    op.execute("UPDATE backups SET state = 'deleted' WHERE state = 'deleting'")
    op.execute("UPDATE restores SET state = 'failed' WHERE state IN ('cancelling', 'cancelled')")
    op.execute("UPDATE restores SET state = 'done' WHERE state IN ('swapping', 'swapped', 'swapping_back')")
    op.execute("DELETE FROM restores WHERE purpose = 'proof'")
    open_ones(OPEN)
    words("restores", "state", RESTORE)
    words("backups", "state", BACKUP)
    words("jobs", "kind", KINDS)
    for column in ("swapped_at", "swap", "sessions", "set_aside", "cancelled_by", "attempt", "progress", "purpose"):
        op.drop_column("restores", column)
    for column in ("deleted_at", "proven_at", "checked", "cancelled_by", "attempt"):
        op.drop_column("backups", column)
