"""Replicas say which chat platforms they can't reach, so that another one that can does their work."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
compatible_from = "0004"


def upgrade() -> None:
    """Add the column. A replica of the build before, still running meanwhile, says nothing: it reaches everything."""
    op.add_column("replicas", sa.Column("unreached", sa.Text, nullable=False, server_default=sa.text("'[]'")))
