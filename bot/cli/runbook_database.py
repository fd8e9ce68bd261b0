"""The database's steps of a move by hand. Pure.

Facts: docs.digitalocean.com/reference/doctl (databases firewalls, databases replica promote), postgresql.org/docs
(pg_promote, pg_rewind, functions of replication).
"""

from __future__ import annotations

from collections.abc import Iterator
from shlex import quote

from bot.cli.runbook_typed import Place, Typed, variable
from bot.domain.failover_course import Course
from bot.domain.phrases import phrase
from config.failover import DatabaseSettings, ServerSettings

FOLLOWERS = "select client_addr, state, replay_lag from pg_stat_replication"
NOWHERE = "192.0.2.1"
"""An address that nobody has (RFC 5737): a fence that trusts nobody. An empty list of rules would let everybody in."""
LAG = (
    "select pg_is_in_recovery(), pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn(), "
    "now() - pg_last_xact_replay_timestamp()"
)


def lag(course: Course, place: Place) -> Iterator[Typed]:
    database = place.move.database
    said = phrase(
        "How far the standby is behind. More than {rpo}, or no answer: whoever is responsible says aloud that so much "
        "may be lost.", rpo=course.rpo,
    )  # fmt: skip
    if database.provider == "postgres":
        yield Typed(said, (f"psql {dsn(course.target)} -c {quote(LAG)}",))
    elif place.prometheus:
        query = quote("query=" + database.lag)
        yield Typed(said, (f"curl -sG {quote(place.prometheus + '/api/v1/query')} --data-urlencode {query}",))
    else:
        yield Typed(said, (f"doctl databases replica list {quote(_managed(place, course.source))}",))


def fence(course: Course, place: Place) -> Iterator[Typed]:
    database = place.move.database
    if database.provider == "digitalocean":
        ident = quote(_managed(place, course.source))
        yield Typed(phrase("Keep the present rules, then let nobody in. Never empty the list: empty is open."), (
            f"doctl databases firewalls list {ident} | tee rules-before.txt",
            f"doctl databases firewalls replace {ident} --rule ip_addr:{NOWHERE}",
            f"doctl databases firewalls list {ident}",
        ))  # fmt: skip
    else:
        yield from _off(server_of(database, course.source), place)
    yield Typed(phrase(
        "Do not go on before it is certain that the old primary takes no writes: the data of two primaries cannot be "
            "put together again."
    ))  # fmt: skip


def promote(course: Course, place: Place) -> Iterator[Typed]:
    database = place.move.database
    if database.provider == "digitalocean":
        source, target = quote(_managed(place, course.source)), quote(_replica(place, course.target))
        yield Typed(phrase("It takes some minutes until it is a cluster of its own; wait for it to be online."), (
            f"doctl databases replica promote {source} {target}", "doctl databases list",
        ))  # fmt: skip
        return
    yield Typed(phrase("Done when the last answer is f."), (
        f"psql {dsn(course.target)} -c {quote('select pg_promote(true, 60)')}",
        f"psql {dsn(course.target)} -Atc {quote('select pg_is_in_recovery()')}",
    ))  # fmt: skip


def rejoin(course: Course, place: Place) -> Iterator[Typed]:
    yield from _follows(course.source, course.target, place)


def rejoin_other(course: Course, place: Place) -> Iterator[Typed]:
    yield from _follows(course.target, course.source, place)


def caught_up(course: Course, place: Place) -> Iterator[Typed]:
    said = phrase("Behind the fence nothing more is written: wait until the standby has everything.")
    if place.move.database.provider == "postgres":
        yield Typed(said, (f"psql {dsn(course.target)} -c {quote(LAG)}",))
    else:
        yield from (Typed(said, each.lines) for each in lag(course, place))


def server_of(database: DatabaseSettings, region: str) -> ServerSettings:
    return next(each for each in database.servers if each.region == region)


def dsn(region: str) -> str:
    """A variable: the page holds no password."""
    return f'"{variable(region)}"'


def _off(server: ServerSettings, place: Place) -> Iterator[Typed]:
    """However it can be made certain; the server itself is asked last."""
    if server.workload:
        kind, namespace, name = server.workload.split("/")
        kubectl = f"kubectl --context {quote(place.contexts[server.region])} -n {quote(namespace)}"
        yield Typed(phrase("Stop the server."), (
            f"{kubectl} scale {kind} {quote(name)} --replicas=0", f"{kubectl} get pods -w",
        ))  # fmt: skip
    if server.droplet:
        yield Typed(phrase("Switch its machine off, also where it does not answer."), (
            f"doctl compute droplet-action power-off {server.droplet} --wait",
            f"doctl compute droplet get {server.droplet} --format Status",
        ))  # fmt: skip
    if server.command:
        yield Typed(phrase("Fence it by the department's own program."), (
            " ".join(map(quote, (*server.command, "fence"))), " ".join(map(quote, (*server.command, "confirm"))),
        ))  # fmt: skip
    refused = quote("select pg_is_in_recovery()")
    yield Typed(phrase("It must not answer any more."), (f"psql {dsn(server.region)} -c {refused}",))


def _follows(primary: str, standby: str, place: Place) -> Iterator[Typed]:
    """The server in *standby* follows the one in *primary*."""
    database = place.move.database
    if database.provider == "digitalocean":
        said = phrase(
            "A managed database that was left cannot follow: a new replica does. Keep the old one until then."
        )
        yield Typed(said, (
            "doctl databases list",
            f"doctl databases replica create DATABASE {quote(_replica(place, standby))} --region "
            f"{quote(place.slugs[standby])}",
            "doctl databases replica list DATABASE",
        ))  # fmt: skip
        return
    yield Typed(phrase("On the old server, stopped; where pg_rewind refuses, take a new base backup."), (
        f'pg_rewind --target-pgdata="$PGDATA" --source-server={dsn(primary)} --write-recovery-conf --progress',
        f'# pg_basebackup --pgdata="$PGDATA" --dbname={dsn(primary)} --write-recovery-conf --wal-method=stream',
        'touch "$PGDATA/standby.signal" && pg_ctl start -D "$PGDATA"',
        f"psql {dsn(primary)} -c {quote(FOLLOWERS)}",
    ))  # fmt: skip


def _managed(place: Place, region: str) -> str:
    """The cluster's id; after a failover it is one that the configuration does not know."""
    return place.move.database.primary if region == place.move.source else "DATABASE"


def _replica(place: Place, region: str) -> str:
    """The standby's name in *region*; the way back has one of its own."""
    name = place.move.database.standby
    return name if region == place.move.target else f"{name}-{region}"
