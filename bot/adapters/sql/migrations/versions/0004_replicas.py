"""Replicas: who is alive, who holds which lease, and who took a request."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
compatible_from = "0004"
"""Builds of 0003 don't know what documents may hold since, and would not look whether they may run."""


def upgrade() -> None:
    """Add the tables and the column. Requests from before belong to nobody who lives: the next start answers them."""
    op.create_table(
        "leases",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("owner", sa.Text, nullable=False),
        *[sa.Column(name, sa.BigInteger, nullable=False) for name in ("epoch", "expires_at")],
    )
    op.create_table(
        "replicas",
        sa.Column("boot", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("leaving", sa.Integer, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.Column("trouble", sa.Text, nullable=False),
    )
    op.add_column("requests", sa.Column("owner", sa.Text, nullable=False, server_default=sa.text("''")))
