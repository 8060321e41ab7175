"""Rehearsals that are asked for with a crash test.

Reason: a worker kills its own copies of the plan at every safe point, which takes up to two minutes more, so it is asked for. A worker
of the version before rehearses without it.
Revision 0006, after 0005.
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("rehearsals", sa.Column("crash_test", sa.Boolean(), server_default="false", nullable=False))


def downgrade() -> None:
    """Take back."""
    op.drop_column("rehearsals", "crash_test")
