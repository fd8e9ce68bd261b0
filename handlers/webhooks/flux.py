"""Flux events, as its notification controller sends them with a provider of type ``generic-hmac``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from bot.domain.errors import ForgedError, MalformedError
from bot.domain.events import Heard
from bot.domain.releases import Fate
from bot.domain.services import Catalogue
from bot.domain.sightings import Trouble
from bot.domain.signatures import MAX_AGE, check_named_hmac
from bot.ports.webhooks import Delivery, Source
from handlers.webhooks.body import body_key, json_object, moment, part, text
from handlers.webhooks.gitops import DEGRADED, FAILED, Object
from handlers.webhooks.names import Names

NAME = "flux"
GOOD = frozenset({"ReconciliationSucceeded", "InstallSucceeded", "UpgradeSucceeded", "TestSucceeded"})
"""Reasons that say an object is as git has it, and well (kustomize-controller, helm-controller)."""
FETCHED = frozenset({"NewArtifact", "ArtifactUpToDate", "Succeeded"})
"""Reasons that say a source can be read (source-controller)."""
ILL = frozenset({"HealthCheckFailed", "TestFailed"})
"""Reasons that say it was applied and is not well; every other error says that it was not applied."""
BACK = "RollbackSucceeded"
"""Helm put the release before in its place. Flux calls it information, and the object stays not ready."""


def source(secret: str, services: Catalogue) -> Source:
    """Events signed with *secret*, no older than MAX_AGE by their own time, which is signed along."""
    names = Names(services)

    def authenticate(delivery: Delivery) -> None:
        check_named_hmac(delivery.body, delivery.headers.get("x-signature", ""), secret)
        _check_age(delivery)

    return Source(NAME, authenticate, lambda delivery: parse(delivery, names), body_key)


def parse(delivery: Delivery, names: Names) -> Heard:
    """How one object fares, and what it applied."""
    body = json_object(delivery)
    about = part(body, "involvedObject", required=True)
    place = text(about, "namespace", "involvedObject."), text(about, "name", "involvedObject.", required=True)
    metadata = part(body, "metadata")
    cluster, environment = text(metadata, "cluster", "metadata."), text(metadata, "environment", "metadata.")
    kind = text(about, "kind", "involvedObject.", required=True)
    fluxed = Object(NAME, *place, names.applied(NAME, place, cluster, environment), kind, cluster)
    at = moment(body, "timestamp")
    if at is None:
        raise MalformedError("timestamp: missing")
    reason = text(body, "reason", required=True)
    error = text(body, "severity", required=True) == "error"
    fate = _fate(reason, error=error)
    seen = fluxed.sightings(fate, at, **_names(kind, metadata)) if fate else ()
    told = _troubles(fluxed, at, reason, text(body, "message"), error=error)
    return Heard(sightings=tuple(seen), troubles=tuple(told))


def _check_age(delivery: Delivery) -> None:
    """A body without a readable time passes: parsing says where it is malformed, and 401 would not."""
    try:
        at = moment(json_object(delivery), "timestamp")
    except MalformedError:
        return
    if at and abs((delivery.received_at - at).total_seconds()) > MAX_AGE:
        raise ForgedError("timestamp")


def _fate(reason: str, *, error: bool) -> Fate | None:
    if reason == BACK:
        return Fate.BACK
    if error:
        return Fate.BAD if reason in ILL else None
    return Fate.GOOD if reason in GOOD else None


def _names(kind: str, metadata: Mapping[str, Any]) -> dict[str, Any]:
    """What names the version: the commits, the chart or its application, and what people add themselves.

    ``image``, ``digest`` and ``version`` come from annotations ``event.toolkit.fluxcd.io/…`` of the object, or from
    ``eventMetadata`` of the alert. Revisions read ``main@sha1:<40 hex>``, and of a chart ``1.8.0+<12 hex>``.
    """
    found = {name: text(metadata, name, "metadata.") for name in metadata}
    revisions = [found.get(name, "") for name in ("originRevision", "revision")]
    chart = found.get("appVersion") or found.get("revision", "") if kind == "HelmRelease" else ""
    image, digest = found.get("image", ""), found.get("digest", "")
    return {
        "commits": tuple(each.rpartition(":")[2] for each in revisions if "sha1:" in each),
        "images": tuple(each for each in (image, f"{image}@{digest}" if digest else "") if each),
        "version": (found.get("version") or chart.partition("+")[0]).removeprefix("v"),
    }


def _troubles(fluxed: Object, at: datetime, reason: str, said: str, *, error: bool) -> Iterator[Trouble]:
    if error:
        yield fluxed.fares(DEGRADED if reason in ILL else FAILED, at, fires=True, said=said)
        if reason in ILL:
            yield fluxed.fares(FAILED, at, fires=False)
    elif reason in GOOD | FETCHED:
        yield fluxed.fares(FAILED, at, fires=False)
        yield fluxed.fares(DEGRADED, at, fires=False)
