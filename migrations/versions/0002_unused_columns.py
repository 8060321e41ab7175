"""Two columns that nothing ever wrote: targets.fidelity and jobs.lease_until.

Reason: a job is held by its advisory lock alone, and how far an environment resembles the next one is never kept. A worker of the
version before selects both columns and fails on the new schema: stop the workers, then migrate.
Revision 0002, after 0001.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.drop_column("targets", "fidelity")
    op.drop_column("jobs", "lease_until")


def downgrade() -> None:
    """Take back."""
    op.add_column("jobs", sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True))
    op.add_column("targets", sa.Column("fidelity", JSONB(none_as_null=True), nullable=True))
