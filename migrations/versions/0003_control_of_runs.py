"""Who drives a run and how that changed hands, sessions that were ended for a run, and limits of a single target.

Reason: one person drives a run, others ask for it or take it with a reason that is reviewed; an operator may end the session in
the way; a target may need shorter limits than its environment. A worker of the version before works on beside it, and knows
neither the new ask nor the new job: it leaves an aborted run cancelled.
Revision 0003, after 0002.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

JOBS = ("test_target", "analyse", "rehearse", "backup", "restore", "snapshot_schema", "take_metrics")


def upgrade() -> None:
    """Apply."""
    op.add_column("targets", sa.Column("limits", JSONB(none_as_null=True), server_default="{}", nullable=False))
    op.add_column("runs", sa.Column("driver_id", sa.BigInteger(), nullable=True))
    op.execute("UPDATE runs SET driver_id = created_by")
    op.alter_column("runs", "driver_id", nullable=False)
    op.create_foreign_key("fk_runs_driver_id", "runs", "people", ["driver_id"], ["id"])
    _words("runs", "asked", ("pause", "cancel", "abort"))
    _words("jobs", "kind", (*JOBS, "end_session"))
    op.create_table(
        "handovers",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("run_id", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("driver_id", sa.BigInteger(), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("answer", sa.Text(), server_default="", nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("review", sa.Text(), server_default="", nullable=False),
        sa.Column("reviewed_by", sa.BigInteger(), nullable=True),
        sa.Column("reviewed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "\"state\" IN ('asked', 'handed', 'declined', 'taken')", name=op.f("ck_handovers_state_is_known")
        ),
        sa.ForeignKeyConstraint(["driver_id"], ["people.id"], name="fk_handovers_driver_id"),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name="fk_handovers_person_id"),
        sa.ForeignKeyConstraint(["reviewed_by"], ["people.id"], name="fk_handovers_reviewed_by"),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="fk_handovers_run_id"),
        sa.PrimaryKeyConstraint("id", name="pk_handovers"),
    )
    op.create_index(
        "uq_handovers_open_ask", "handovers", ["run_id", "person_id"], unique=True, postgresql_where=sa.text("state = 'asked'")
    )
    op.create_index(
        "ix_handovers_to_review", "handovers", ["run_id"], postgresql_where=sa.text("state = 'taken' AND reviewed_at IS NULL")
    )
    op.create_table(
        "session_endings",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("run_id", sa.BigInteger(), nullable=False),
        sa.Column("pid", sa.BigInteger(), nullable=False),
        sa.Column("backend_start", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sentence", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("asked_by", sa.BigInteger(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("outcome", sa.Text(), server_default="queued", nullable=False),
        sa.Column("told", sa.Text(), server_default="", nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "\"outcome\" IN ('queued', 'ended', 'gone', 'refused')", name=op.f("ck_session_endings_outcome_is_known")
        ),
        sa.ForeignKeyConstraint(["asked_by"], ["people.id"], name="fk_session_endings_asked_by"),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="fk_session_endings_run_id"),
        sa.PrimaryKeyConstraint("id", name="pk_session_endings"),
        sa.UniqueConstraint("run_id", "pid", "backend_start", name="uq_session_endings_run_id_pid_backend_start"),
    )


def downgrade() -> None:
    """Take back."""
    op.drop_table("session_endings")
    op.drop_table("handovers")
    op.execute("DELETE FROM jobs WHERE kind = 'end_session'")
    _words("jobs", "kind", JOBS)
    op.execute("UPDATE runs SET asked = 'cancel' WHERE asked = 'abort'")
    _words("runs", "asked", ("pause", "cancel"))
    op.drop_column("runs", "driver_id")
    op.drop_column("targets", "limits")


def _words(table: str, column: str, words: tuple[str, ...]) -> None:
    name = op.f(f"ck_{table}_{column}_is_known")
    op.drop_constraint(name, table)
    op.create_check_constraint(name, table, f"\"{column}\" IN ({', '.join(repr(word) for word in words)})")
