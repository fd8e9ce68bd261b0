"""The first schema."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
compatible_from = "0001"

DUE = sa.text("wanted > shown AND dead = 0")
HELD = sa.text("wanted > shown AND dead = 0 AND not_before IS NOT NULL")


def upgrade() -> None:
    """Create every table."""
    _facts()
    _cards()
    _work()
    _audit()


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False)


def _number(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer, nullable=False)


def _time(name: str, *, optional: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=optional)


def _id() -> sa.Column[str]:
    return sa.Column("id", sa.Text, primary_key=True)


def _index(
    name: str, table: str, columns: list[str], where: sa.TextClause | None = None, *, unique: bool = False
) -> None:
    op.create_index(name, table, columns, unique=unique, sqlite_where=where, postgresql_where=where)


def _facts() -> None:
    body = sa.Column("body", sa.LargeBinary, nullable=False)
    key = sa.PrimaryKeyConstraint("received_at", "id", name="events_pk")
    op.create_table("events", _time("received_at"), _text("id"), _text("source"), _text("key"), body, key)
    _index("events_key", "events", ["source", "key"], sa.text("key != ''"), unique=True)
    op.create_table(
        "groups",
        _id(),
        _text("key"),
        _number("episode"),
        _time("opened_at"),
        _time("closed_at", optional=True),
        _text("doc"),
        sa.UniqueConstraint("key", "episode", name="groups_key"),
    )
    _index("groups_open", "groups", ["opened_at", "id"], sa.text("closed_at IS NULL"))
    _index("groups_recent", "groups", ["opened_at", "id"])
    op.create_table(
        "releases",
        _text("service"),
        _text("version"),
        _time("at"),
        _text("doc"),
        sa.PrimaryKeyConstraint("service", "version", name="releases_pk"),
    )
    _index("releases_recent", "releases", ["at", "service", "version"])
    _index("releases_of", "releases", ["service", "at", "version"])


def _cards() -> None:
    op.create_table(
        "cards",
        _text("subject"),
        _text("destination"),
        _text("place"),
        _number("priority"),
        _number("wanted"),
        _number("shown"),
        sa.Column("ref", sa.Text),
        _number("attempts"),
        _text("error"),
        _time("created_at"),
        _time("changed_at"),
        _time("not_before", optional=True),
        _number("dead"),
        _text("parent"),
        sa.PrimaryKeyConstraint("subject", "destination", name="cards_pk"),
    )
    _index("cards_due", "cards", ["destination", "priority", "changed_at", "subject"], DUE)
    _index("cards_held", "cards", ["destination", "not_before"], HELD)
    _index("cards_recent", "cards", ["destination", "created_at"])
    op.create_table("messages", sa.Column("subject", sa.Text, primary_key=True), _text("doc"))


def _work() -> None:
    op.create_table("requests", _id(), _time("received_at"), _time("answered_at", optional=True), _text("doc"))
    _index("requests_unanswered", "requests", ["received_at", "id"], sa.text("answered_at IS NULL"))
    op.create_table("operations", _id(), _text("state"), _number("live"), _time("created_at"), _text("doc"))
    _index("operations_live", "operations", ["created_at", "id"], sa.text("live = 1"))
    _index("operations_recent", "operations", ["created_at", "id"])
    op.create_table(
        "approvals",
        *[_text(name) for name in ("operation", "person", "verdict", "plan_hash", "platform")],
        _time("at"),
        _text("reason"),
        sa.PrimaryKeyConstraint("operation", "person", "verdict", "plan_hash", name="approvals_pk"),
    )


def _audit() -> None:
    op.create_table(
        "audit",
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        _time("at"),
        *[_text(name) for name in ("person", "platform", "action", "target", "result", "detail", "previous", "hash")],
    )
    beats = sa.Column("beats", sa.BigInteger, nullable=False)
    op.create_table("pulse", sa.Column("id", sa.Integer, primary_key=True, autoincrement=False), beats)
