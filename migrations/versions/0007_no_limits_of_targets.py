"""A column that nothing ever read or wrote: targets.limits.

Reason: limits belong to the environment, whose rules are reviewed and kept with each run, and to a step; a third place would only
hide which one holds. A worker of the version before selects the column and fails on the new schema: stop the workers, then migrate.
Revision 0007, after 0006.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.drop_column("targets", "limits")


def downgrade() -> None:
    """Take back."""
    op.add_column("targets", sa.Column("limits", JSONB(none_as_null=True), server_default="{}", nullable=False))
