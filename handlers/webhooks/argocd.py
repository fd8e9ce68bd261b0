"""Argo CD notifications, as the template in docs/integrations.md writes them: Argo CD itself has no fixed body."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.domain.errors import MalformedError
from bot.domain.events import Heard
from bot.domain.releases import Fate
from bot.domain.services import NAMESPACES, Catalogue
from bot.domain.sightings import Trouble
from bot.domain.signatures import check_token
from bot.ports.webhooks import Delivery, Source
from handlers.webhooks.body import body_key, json_object, moment, part, text
from handlers.webhooks.gitops import DEGRADED, FAILED, Object
from handlers.webhooks.names import Names

NAME = "argocd"
FINAL = {"Succeeded": True, "Failed": False, "Error": False}
"""Phases of an operation that is over: whether it applied everything."""


@dataclass(frozen=True)
class _Told:
    """What the body says, as far as it says it."""

    phase: str
    health: str
    message: str
    commits: tuple[str, ...]
    images: tuple[str, ...]
    at: datetime
    url: str


def source(token: str, services: Catalogue) -> Source:
    """Whoever shows *token*."""
    names = Names(services)
    return Source(
        NAME,
        lambda delivery: check_token(delivery.headers, token),
        lambda delivery: parse(delivery, names),
        body_key,
    )


def parse(delivery: Delivery, names: Names) -> Heard:
    """How one Application fares. Needed are its name, and its health or what its operation came to."""
    body = json_object(delivery)
    namespace = text(body, "namespace") or NAMESPACES[NAME]
    name, cluster = text(body, "app", required=True), text(body, "cluster")
    stops = names.applied(NAME, (namespace, name), cluster, text(body, "environment"))
    told = _told(body, delivery)
    application = Object(NAME, namespace, name, stops, cluster=cluster)
    fate = _fate(told)
    seen = application.sightings(fate, told.at, told.commits, told.images) if fate else ()
    return Heard(sightings=tuple(seen), troubles=tuple(_troubles(application, told)))


def _told(body: dict[str, Any], delivery: Delivery) -> _Told:
    operation = part(body, "operation")
    sync = part(part(operation, "operation", "operation."), "sync", "operation.operation.")
    phase, health = text(operation, "phase", "operation."), text(body, "health")
    if not (phase or health):
        raise MalformedError("health, operation.phase: expected at least one of them, as pult's template writes it")
    if sync.get("dryRun") is True:
        phase = ""
    result = part(operation, "syncResult", "operation.")
    at = moment(operation, "finishedAt", "operation.") or moment(operation, "startedAt", "operation.")
    return _Told(
        phase=phase,
        health=health,
        message=text(operation, "message", "operation."),
        commits=tuple(_revisions(body, result)),
        images=tuple(each for each in _list(body, "images") if isinstance(each, str)),
        at=min(at or delivery.received_at, delivery.received_at),
        url=text(body, "url"),
    )


def _revisions(body: dict[str, Any], result: dict[str, Any]) -> Iterator[str]:
    """What was applied; of an application with several sources, each one's."""
    applied = text(result, "revision", "operation.syncResult.")
    several = _list(result, "revisions") or _list(body, "revisions")
    found = [applied or text(body, "revision"), *(each for each in several if isinstance(each, str))]
    yield from dict.fromkeys(each for each in found if each)


def _list(data: dict[str, Any], key: str) -> list[Any]:
    value = data.get(key)
    if value is not None and not isinstance(value, list):
        raise MalformedError(f"{key}: expected a list")
    return value or []


def _fate(told: _Told) -> Fate | None:
    """Applied says nothing of health: what runs well is both."""
    if FINAL.get(told.phase) is False:
        return None
    match told.health:
        case "Healthy" if told.phase in {"", "Succeeded"}:
            return Fate.GOOD
        case "Degraded" if told.phase == "Succeeded":
            return Fate.BAD
        case _ if told.phase in {"Running", "Succeeded"}:
            return Fate.RUNNING
        case _:
            return None


def _troubles(application: Object, told: _Told) -> Iterator[Trouble]:
    """A respect that the body does not judge (an operation under way, a health that is coming) stays as it was."""
    applied = FINAL.get(told.phase)
    if applied is not None:
        yield application.fares(FAILED, told.at, fires=not applied, said=told.message, url=told.url)
    if told.health in {"Healthy", "Degraded"}:
        yield application.fares(DEGRADED, told.at, fires=told.health == "Degraded", url=told.url)
