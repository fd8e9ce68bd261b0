"""``pult check``: the doctor. Tries each dependency and permission; one line each; changes nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from functools import partial
from tempfile import TemporaryDirectory

import aiohttp
import click

from bot.adapters.clock import SystemClock
from bot.adapters.sql import SqlStore, open_store, status
from bot.adapters.sql.schema import REVISION
from bot.cli import permissions
from bot.compose import Parts, open_parts
from bot.domain.errors import PultError, UserError
from bot.domain.policy import too_few, vacant
from bot.domain.redact import redact
from bot.domain.services import NO_TOOL
from config.department import Department, department
from config.settings import Settings

DEADLINE = 20.0
SKEW = 30.0
"""Seconds our clock may differ from another's: signatures die at 300, so warn long before."""
BIND = "bind the role in deploy/ to pult's service account"


@dataclass(frozen=True)
class Finding:
    """One line of the report. ``verdict``: ok, warn or fail; ``mend`` says how, where something is wrong."""

    name: str
    verdict: str
    text: str
    mend: str = ""

    def __str__(self) -> str:
        return redact(f"{self.verdict:4}  {self.name}: {self.text}" + (f" → {self.mend}" if self.mend else ""))


Examination = Callable[[], Awaitable[str]]


def check(settings: Settings, *, send_test: bool) -> int:
    """Print every finding; 1 when one failed."""
    return asyncio.run(_check(settings, send_test=send_test))


async def _check(settings: Settings, *, send_test: bool) -> int:
    failed = False
    async with AsyncExitStack() as stack:
        async for finding in _findings(settings, stack, send_test=send_test):
            click.echo(str(finding))
            failed = failed or finding.verdict == "fail"
    return int(failed)


async def _findings(settings: Settings, stack: AsyncExitStack, *, send_test: bool) -> AsyncGenerator[Finding, None]:
    yield Finding("configuration", "ok", "it is complete")
    try:
        older, instead = await _older(settings.store.url.get_secret_value(), stack)
        parts = await stack.enter_async_context(open_parts(settings, instead))
    except PultError as error:
        yield Finding("store", "fail", str(error), "see [store] url")
        return
    for name, examine, mend in _examinations(parts):
        yield older if older and name == "store" else await _examined(name, examine, mend)
    for cluster in settings.clusters:
        async for finding in _permissions(parts, cluster.name):
            yield finding
    for finding in (*await _replicas(parts), *await _costs(parts), await _clock(settings), *_missing(settings)):
        yield finding
    if send_test:
        for name, examine, mend in parts.samples():
            yield await _examined(name, examine, mend)


async def _older(url: str, stack: AsyncExitStack) -> tuple[Finding | None, SqlStore | None]:
    """Where opening the store would migrate it: what to say of that, and an empty one to take in its place."""
    if not url.startswith("sqlite:"):
        return None, None
    found = await asyncio.to_thread(status, url)
    if found.serves() or found.newer or not found.revision:
        return None, None
    folder = stack.enter_context(TemporaryDirectory())
    text = f"it has schema {found.revision}; a start of this version brings it to {REVISION}"
    instead = await stack.enter_async_context(open_store(f"sqlite:///{folder}/pult.db"))
    return Finding("store", "warn", text, "back it up before, see docs/backup.md"), instead


def _examinations(parts: Parts) -> Iterator[tuple[str, Examination, str]]:
    yield "store", parts.store_takes_commits, "see [store] url; is the disk full?"
    for name, chat in parts.chats.items():
        section = "[[pagers]]: url" if name == "webhook" else f"[{name}]: token, scopes, address"
        yield name, chat.check, f"see {section}"
    for name, examine in parts.checks():
        yield name, examine, f"see [{name}]: address, token"
    yield from parts.moving.checks
    if parts.witnesses and (pair := parts.department.failover):
        for witness in pair.witnesses:
            name = f"failover.witnesses {witness.name}"
            yield name, partial(parts.witnesses.check, witness.name), "see [[failover.witnesses]], failover status"
    every = (e.gitops for service in parts.department.services for e in service.environments)
    files = dict.fromkeys((each.repo, each.path, each.branch) for each in every if each.tool != NO_TOOL)
    for place in files if parts.forge else ():
        yield f"github {place[0]}", partial(_readable, parts, *place), "see gitops: repo, path, branch"


async def _replicas(parts: Parts) -> list[Finding]:
    """Whether the store can serve as many as there are to be, and whether they are there."""
    wanted = parts.settings.server.replicas
    if not parts.store.shared:
        if wanted == 1:
            return []
        text, mend = f"SQLite serves one replica, and there are to be {wanted}", "take PostgreSQL, see docs/replicas.md"
        return [Finding("replicas", "fail", text, mend)]
    try:
        alive = [each.name for each in await parts.store.read(lambda tx: tx.replicas())]
    except PultError:
        return []  # the store's own line says so
    text = f"{len(alive)} alive" + (f": {', '.join(alive)}" if alive else "")
    if len(alive) >= wanted:
        return [Finding("replicas", "ok", text)]
    return [Finding("replicas", "warn", f"{text}; there are to be {wanted}", "look at the missing one's log")]


async def _examined(name: str, examine: Examination, mend: str) -> Finding:
    try:
        async with asyncio.timeout(DEADLINE):
            return Finding(name, "ok", await examine())
    except TimeoutError:
        return Finding(name, "fail", f"no answer in {DEADLINE:g} s", mend)
    except PultError as error:
        return Finding(name, "fail", str(error), mend)


async def _permissions(parts: Parts, cluster: str) -> AsyncGenerator[Finding, None]:
    """The verbs that commands need, in each namespace that services of this cluster use."""
    name = f"cluster {cluster}"
    version = await _examined(name, lambda: parts.cluster.version(cluster), "see [[clusters]]: kubeconfig, context")
    yield version
    if version.verdict != "ok":
        return
    services = parts.department.services
    for namespace, verbs in permissions.needed(services, cluster).items():
        if lacking := await _lacking(parts, cluster, namespace, verbs):
            yield Finding(f"{name}/{namespace}", "fail", f"pult may not {lacking}", BIND)
        else:
            yield Finding(f"{name}/{namespace}", "ok", "every verb that commands use is allowed")
    for place, namespace, verbs, spoilt, mend in _wishes(parts, cluster):
        if lacking := await _lacking(parts, cluster, namespace, verbs):
            yield Finding(f"{name}{place}", "warn", f"{spoilt}: pult may not {lacking}", mend)


Wish = tuple[str, str, tuple[permissions.Permission, ...], str, str]
"""Where, in which namespace, the verbs, what goes wrong without them, and how to mend that."""


def _wishes(parts: Parts, cluster: str) -> Iterator[Wish]:
    """What some of pult does without."""
    for each in permissions.namespaces(parts.department.services, cluster):
        yield f"/{each}", each, permissions.LOOKS, "cards can't say all that changed", BIND
        if parts.department.failover is not None:
            yield f"/{each}", each, permissions.MOVES, "a failover can't raise what an autoscaler keeps at least", BIND
    pending = "why pods are pending is told by the scheduler's words only"
    yield " nodes", "", permissions.SEES, pending, "bind pult-see in deploy/, or leave it so"
    nodes = "cordon, uncordon and drain do not work"
    yield " nodes", "", permissions.DRAINS, nodes, "bind pult-drain in deploy/, or leave it so"
    watched = {place.namespace for place in parts.department.watch.places if place.cluster == cluster}
    for each in sorted(watched):
        mend = f"{BIND}, or set watch.enabled = false"
        yield f"/{each}", each, permissions.WATCHES, "trouble there is not seen", mend


async def _lacking(parts: Parts, cluster: str, namespace: str, verbs: Iterable[permissions.Permission]) -> str:
    return ", ".join(
        [f"{verb} {what}" for verb, what in verbs if not await _may(parts, cluster, namespace, verb, what)]
    )


async def _readable(parts: Parts, repo: str, path: str, branch: str) -> str:
    """Whether the file that names an image is where it is said to be."""
    assert parts.forge is not None
    await parts.forge.read(repo, path, branch)
    return f"{path} on {branch} can be read"


async def _costs(parts: Parts) -> list[Finding]:
    """What ``cost`` would have to leave out; nothing where no source of costs is configured."""
    try:
        async with asyncio.timeout(DEADLINE):
            spend = await parts.costing.costs.spend()
    except UserError:
        return []
    except (PultError, TimeoutError) as error:
        return [Finding("cost", "warn", str(error) or f"no answer in {DEADLINE:g} s", "see docs/cost.md")]
    if not spend.unknown:
        return [Finding("cost", "ok", f"{len(spend.days)} days are known, and everything in them has a price")]
    return [Finding("cost", "warn", each.plain(), "see docs/cost.md") for each in spend.unknown]


async def _may(parts: Parts, cluster: str, namespace: str, verb: str, what: str) -> bool:
    try:
        return await parts.cluster.may(cluster, namespace, verb, what)
    except PultError:
        return False


async def _clock(settings: Settings) -> Finding:
    """Our clock beside the Date header of something else that is configured."""
    for url in _addresses(settings):
        there = await _date(url)
        if there is not None:
            skew = abs((SystemClock().now() - there).total_seconds())
            mend = "set the clock by NTP: signatures older than 300 s are refused"
            if skew > SKEW:
                return Finding("clock", "warn", f"{skew:.0f} s off from {url}", mend)
            return Finding("clock", "ok", f"within {SKEW:g} s of {url}")
    return Finding("clock", "warn", "nothing tells the time to compare with", "configure a chat or GitHub")


def _addresses(settings: Settings) -> Iterator[str]:
    for section in (settings.github, settings.slack, settings.telegram, settings.digitalocean):
        if section is not None:
            yield section.api_url


async def _date(url: str) -> datetime | None:
    try:
        timeout = aiohttp.ClientTimeout(total=5)
        async with aiohttp.ClientSession(timeout=timeout) as session, session.get(url) as answer:
            return parsedate_to_datetime(answer.headers["Date"])
    except (aiohttp.ClientError, TimeoutError, KeyError, ValueError):
        return None


def _missing(settings: Settings) -> Iterator[Finding]:
    """What works without, but less well."""
    if settings.slack is None and settings.telegram is None:
        yield Finding("chats", "warn", "neither Slack nor Telegram is configured", "add [slack] or [telegram]")
    if settings.webhooks.alertmanager is None:
        yield Finding("webhooks", "warn", "Alertmanager's webhook is refused", "add [webhooks.alertmanager]")
    if settings.server.heartbeat_url is None:
        yield Finding("heartbeat", "warn", "nobody watches pult itself", "set server.heartbeat_url")
    yield from _policy(department(settings))


def _policy(known: Department) -> Iterator[Finding]:
    """What would be found out when somebody has to press."""
    if not tuple(known.people):
        yield Finding("people", "warn", "nobody is listed, so nobody may do anything", "add [[people]]")
        return
    for action, most, able in too_few(known.policy, known.people):
        text = f"up to {most} must press, and only {able} may (the proposer not counted under four eyes)"
        yield Finding(f"policy.{action}", "warn", text, "give more people its roles, or ask for fewer")
    for action, role in vacant(known.policy, known.people):
        yield Finding(f"policy.{action}", "warn", f"nobody has the role {role}", "see [[people]]: roles")
