"""The schema. Times are microseconds since 1970 in UTC; documents are JSON text (bot.domain.codec)."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    and_,
    func,
    literal_column,
    not_,
    text,
)

REVISION = "0005"
"""The migration that this build needs; the newest in migrations/versions."""

ZERO, ONE = literal_column("0", Integer), literal_column("1", Integer)
"""Written out, never bound: a partial index serves only a condition that repeats its own."""

EMPTY, NOUGHT = text("''"), text("0")
NO_LIST = text("'[]'")
"""What a column holds in rows that are older than itself."""

metadata = MetaData()


def begins(column: Column[str], text: str) -> ColumnElement[bool]:
    """Not by LIKE, whose meaning in SQLite is a setting and in PostgreSQL, for an index, a matter of collation."""
    head = func.substr(column, ONE, literal_column(str(len(text)), Integer))
    return head == literal_column(f"'{text}'", Text)


events = Table(
    "events",
    metadata,
    Column("received_at", BigInteger, nullable=False),
    Column("id", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    PrimaryKeyConstraint("received_at", "id", name="events_pk"),  # ids are random: inserts stay at the end
)
KEYED = events.c.key != literal_column("''", Text)
Index("events_key", events.c.source, events.c.key, unique=True, sqlite_where=KEYED, postgresql_where=KEYED)

groups = Table(
    "groups",
    metadata,
    Column("id", Text, primary_key=True),
    Column("key", Text, nullable=False),
    Column("episode", Integer, nullable=False),
    Column("opened_at", BigInteger, nullable=False),
    Column("closed_at", BigInteger),
    Column("doc", Text, nullable=False),
    Column("name", Text, nullable=False, server_default=EMPTY),
    Column("service", Text, nullable=False, server_default=EMPTY),
    Column("acked_at", BigInteger),
    Column("pages", Integer, nullable=False, server_default=NOUGHT),
    Column("words", Text, nullable=False, server_default=EMPTY),
    UniqueConstraint("key", "episode", name="groups_key"),
)
"""The last five are drawn out of the document: what history is counted and searched by. So is ``closed_at``, from which
``opened_at`` is as far away as its alerts lasted by their sender's word, which comes with the sender's next flush.
"""
OPEN = groups.c.closed_at.is_(None)
Index("groups_open", groups.c.opened_at, groups.c.id, sqlite_where=OPEN, postgresql_where=OPEN)
Index("groups_recent", groups.c.opened_at, groups.c.id)
CLOSED = groups.c.closed_at.is_not(None)
Index("groups_closed", groups.c.closed_at, groups.c.id, sqlite_where=CLOSED, postgresql_where=CLOSED)

cards = Table(
    "cards",
    metadata,
    Column("subject", Text, nullable=False),
    Column("destination", Text, nullable=False),
    Column("place", Text, nullable=False),
    Column("priority", Integer, nullable=False),
    Column("wanted", Integer, nullable=False),
    Column("shown", Integer, nullable=False),
    Column("ref", Text),
    Column("attempts", Integer, nullable=False),
    Column("error", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("changed_at", BigInteger, nullable=False),
    Column("not_before", BigInteger),
    Column("dead", Integer, nullable=False),
    Column("parent", Text, nullable=False),
    PrimaryKeyConstraint("subject", "destination", name="cards_pk"),
)
DUE = and_(cards.c.wanted > cards.c.shown, cards.c.dead == ZERO)
Index(
    "cards_due",
    cards.c.destination,
    cards.c.priority,
    cards.c.changed_at,
    cards.c.subject,
    sqlite_where=DUE,
    postgresql_where=DUE,
)
UNSEEN = and_(DUE, cards.c.priority == ZERO, cards.c.shown == ZERO)
Index("cards_unseen", cards.c.created_at, cards.c.subject, sqlite_where=UNSEEN, postgresql_where=UNSEEN)
"""Pages that nobody has seen yet: asked for every few seconds, hence not to be sought among all that is due."""
HELD = and_(DUE, cards.c.not_before.is_not(None))
Index("cards_held", cards.c.destination, cards.c.not_before, sqlite_where=HELD, postgresql_where=HELD)
Index("cards_recent", cards.c.destination, cards.c.created_at, cards.c.subject)
"""With the subject, so that counting a destination's new alerts reads no card."""
OTHER = and_(not_(begins(cards.c.subject, "alert:")), not_(begins(cards.c.subject, "op:")))
Index(
    "cards_other",
    cards.c.created_at,
    cards.c.subject,
    cards.c.destination,
    sqlite_where=OTHER,
    postgresql_where=OTHER,
)
"""What is forgotten by its own age, the oldest first. Alerts' cards go with their groups, operations' stay: intake
does not pay for this index."""

messages = Table(
    "messages", metadata, Column("subject", Text, primary_key=True), Column("doc", Text, nullable=False)
)  # fmt: skip

requests = Table(
    "requests",
    metadata,
    Column("id", Text, primary_key=True),
    Column("received_at", BigInteger, nullable=False),
    Column("answered_at", BigInteger),
    Column("doc", Text, nullable=False),
    Column("owner", Text, nullable=False, server_default=EMPTY),
)
UNANSWERED = requests.c.answered_at.is_(None)
Index(
    "requests_unanswered",
    requests.c.received_at,
    requests.c.id,
    sqlite_where=UNANSWERED,
    postgresql_where=UNANSWERED,
)
ANSWERED = requests.c.answered_at.is_not(None)
Index("requests_answered", requests.c.answered_at, sqlite_where=ANSWERED, postgresql_where=ANSWERED)

operations = Table(
    "operations",
    metadata,
    Column("id", Text, primary_key=True),
    Column("state", Text, nullable=False),
    Column("live", Integer, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("doc", Text, nullable=False),
)
LIVE = operations.c.live == ONE
Index("operations_live", operations.c.created_at, operations.c.id, sqlite_where=LIVE, postgresql_where=LIVE)
Index("operations_recent", operations.c.created_at, operations.c.id)

approvals = Table(
    "approvals",
    metadata,
    Column("operation", Text, nullable=False),
    Column("person", Text, nullable=False),
    Column("verdict", Text, nullable=False),
    Column("plan_hash", Text, nullable=False),
    Column("platform", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("reason", Text, nullable=False),
    PrimaryKeyConstraint("operation", "person", "verdict", "plan_hash", name="approvals_pk"),
)

releases = Table(
    "releases",
    metadata,
    Column("service", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("doc", Text, nullable=False),
    PrimaryKeyConstraint("service", "version", name="releases_pk"),
)
Index("releases_recent", releases.c.at, releases.c.service, releases.c.version)
Index("releases_of", releases.c.service, releases.c.at, releases.c.version)

deployments = Table(
    "deployments",
    metadata,
    Column("id", Text, primary_key=True),
    Column("service", Text, nullable=False),
    Column("environment", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("began_at", BigInteger, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("doc", Text, nullable=False),
)
IN_ORDER = deployments.c.at, deployments.c.id
Index("deployments_of", deployments.c.service, *IN_ORDER)
Index("deployments_in", deployments.c.service, deployments.c.environment, *IN_ORDER)
Index(
    "deployments_version", deployments.c.service, deployments.c.version, deployments.c.began_at, deployments.c.id
)  # fmt: skip

audit = Table(
    "audit",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("at", BigInteger, nullable=False),
    Column("person", Text, nullable=False),
    Column("platform", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("target", Text, nullable=False),
    Column("result", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("previous", Text, nullable=False),
    Column("hash", Text, nullable=False),
)

timers = Table(
    "timers",
    metadata,
    Column("kind", Text, nullable=False),
    Column("ident", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    PrimaryKeyConstraint("kind", "ident", name="timers_pk"),
)
Index("timers_ripe", timers.c.at, timers.c.kind, timers.c.ident)

marks = Table("marks", metadata, Column("name", Text, primary_key=True), Column("doc", Text, nullable=False))

overrides = Table(
    "overrides",
    metadata,
    Column("starts", BigInteger, nullable=False),
    Column("ends", BigInteger, nullable=False),
    Column("doc", Text, nullable=False),
    PrimaryKeyConstraint("starts", "ends", "doc", name="overrides_pk"),
)
Index("overrides_ends", overrides.c.ends)

storms = Table(
    "storms",
    metadata,
    Column("id", Text, primary_key=True),
    Column("destination", Text, nullable=False),
    Column("closed_at", BigInteger),
    Column("doc", Text, nullable=False),
)
RAGING = storms.c.closed_at.is_(None)
Index("storms_open", storms.c.destination, unique=True, sqlite_where=RAGING, postgresql_where=RAGING)
CALM = storms.c.closed_at.is_not(None)
Index("storms_closed", storms.c.closed_at, storms.c.id, sqlite_where=CALM, postgresql_where=CALM)

gathered = Table(
    "gathered",
    metadata,
    Column("storm", Text, nullable=False),
    Column("group_id", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("service", Text, nullable=False),
    Column("severity", Text, nullable=False),
    Column("since", BigInteger, nullable=False),
    Column("firing", Integer, nullable=False),
    Column("held_by", Text, nullable=False),
    PrimaryKeyConstraint("storm", "group_id", name="gathered_pk"),
)

pulse = Table(
    "pulse",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("beats", BigInteger, nullable=False),
)

leases = Table(
    "leases",
    metadata,
    Column("name", Text, primary_key=True),
    Column("owner", Text, nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
)

replicas = Table(
    "replicas",
    metadata,
    Column("boot", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("leaving", Integer, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("trouble", Text, nullable=False),
    Column("unreached", Text, nullable=False, server_default=NO_LIST),
)
