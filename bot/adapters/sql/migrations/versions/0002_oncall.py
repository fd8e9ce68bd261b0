"""Timers, marks, overrides, storms; and what the history of alerts is counted and searched by."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
compatible_from = "0002"
"""Builds of 0001 don't know what documents may hold since: silences, freezes, storms, deployments."""

DUE = "wanted > shown AND dead = 0"


def upgrade() -> None:
    """Add tables and columns. Groups that are older have no name in the history, and are found by nothing."""
    _groups()
    _timetable()
    _storms()
    _index("cards_unseen", "cards", ["created_at", "subject"], f"{DUE} AND priority = 0 AND shown = 0")
    _forgetting()


def _groups() -> None:
    empty, nought = sa.text("''"), sa.text("0")
    op.add_column("groups", sa.Column("name", sa.Text, nullable=False, server_default=empty))
    op.add_column("groups", sa.Column("service", sa.Text, nullable=False, server_default=empty))
    op.add_column("groups", sa.Column("acked_at", sa.BigInteger))
    op.add_column("groups", sa.Column("pages", sa.Integer, nullable=False, server_default=nought))
    op.add_column("groups", sa.Column("words", sa.Text, nullable=False, server_default=empty))


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False)


def _time(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=False)


def _timetable() -> None:
    key = sa.PrimaryKeyConstraint("kind", "ident", name="timers_pk")
    op.create_table("timers", _text("kind"), _text("ident"), _time("at"), key)
    op.create_index("timers_ripe", "timers", ["at", "kind", "ident"])
    op.create_table("marks", sa.Column("name", sa.Text, primary_key=True), _text("doc"))
    key = sa.PrimaryKeyConstraint("starts", "ends", "doc", name="overrides_pk")
    op.create_table("overrides", _time("starts"), _time("ends"), _text("doc"), key)
    op.create_index("overrides_ends", "overrides", ["ends"])


def _storms() -> None:
    op.create_table(
        "storms",
        sa.Column("id", sa.Text, primary_key=True),
        _text("destination"),
        sa.Column("closed_at", sa.BigInteger),
        _text("doc"),
    )
    raging = sa.text("closed_at IS NULL")
    op.create_index("storms_open", "storms", ["destination"], unique=True, sqlite_where=raging, postgresql_where=raging)
    op.create_table(
        "gathered",
        *[_text(name) for name in ("storm", "group_id", "name", "service", "severity")],
        _time("since"),
        sa.Column("firing", sa.Integer, nullable=False),
        _text("held_by"),
        sa.PrimaryKeyConstraint("storm", "group_id", name="gathered_pk"),
    )


def _forgetting() -> None:
    """What is over, by its age; and new alerts of a destination, counted without a look at their cards."""
    _index("groups_closed", "groups", ["closed_at", "id"], "closed_at IS NOT NULL")
    _index("requests_answered", "requests", ["answered_at"], "answered_at IS NOT NULL")
    _index("storms_closed", "storms", ["closed_at", "id"], "closed_at IS NOT NULL")
    other = "substr(subject, 1, 6) != 'alert:' AND substr(subject, 1, 3) != 'op:'"
    _index("cards_other", "cards", ["created_at", "subject", "destination"], other)
    op.drop_index("cards_recent", "cards")
    op.create_index("cards_recent", "cards", ["destination", "created_at", "subject"])


def _index(name: str, table: str, columns: list[str], where: str) -> None:
    condition = sa.text(where)
    op.create_index(name, table, columns, sqlite_where=condition, postgresql_where=condition)
