"""What was predicted for each statement of a run and what it took; and what an analysis found besides its report.

Reason: estimates are scored against what happened, and learn from it. The details of an analysis (who blocks, what the data says,
who uses what changes) are read by the pages that show them and by no other, so they stand beside the report and not in it.
A worker of the version before neither reads nor writes them.
Revision 0004, after 0003.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("analyses", sa.Column("details", JSONB(none_as_null=True), nullable=True))
    op.create_table(
        "estimates",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("target_id", sa.BigInteger(), nullable=False),
        sa.Column("run_id", sa.BigInteger(), nullable=False),
        sa.Column("step_id", sa.Text(), nullable=False),
        sa.Column("statement", sa.BigInteger(), nullable=False),
        sa.Column("command", sa.Text(), nullable=False),
        sa.Column("relation", sa.Text(), nullable=False),
        sa.Column("work", sa.Text(), nullable=True),
        sa.Column("table_bytes", sa.BigInteger(), nullable=False),
        sa.Column("low_ms", sa.Double(), nullable=False),
        sa.Column("expected_ms", sa.Double(), nullable=False),
        sa.Column("high_ms", sa.Double(), nullable=False),
        sa.Column("real_ms", sa.Double(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="fk_estimates_run_id"),
        sa.ForeignKeyConstraint(["target_id"], ["targets.id"], name="fk_estimates_target_id"),
        sa.PrimaryKeyConstraint("id", name="pk_estimates"),
        sa.UniqueConstraint("run_id", "step_id", "statement", name="uq_estimates_run_id_step_id_statement"),
    )
    op.create_index("ix_estimates_target_id_at", "estimates", ["target_id", "at"])


def downgrade() -> None:
    """Take back."""
    op.drop_table("estimates")
    op.drop_column("analyses", "details")
