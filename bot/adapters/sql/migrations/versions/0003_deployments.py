"""Deployments: which version went where, and what became of it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
compatible_from = "0003"
"""Builds of 0002 don't know what documents may hold since: scans, findings, sightings, bars of progress."""


def upgrade() -> None:
    """Add the table. What was deployed before is not known to it."""
    op.create_table(
        "deployments",
        sa.Column("id", sa.Text, primary_key=True),
        *[sa.Column(name, sa.Text, nullable=False) for name in ("service", "environment", "version")],
        *[sa.Column(name, sa.BigInteger, nullable=False) for name in ("began_at", "at")],
        sa.Column("doc", sa.Text, nullable=False),
    )
    op.create_index("deployments_of", "deployments", ["service", "at", "id"])
    op.create_index("deployments_in", "deployments", ["service", "environment", "at", "id"])
    op.create_index("deployments_version", "deployments", ["service", "version", "began_at", "id"])
