"""The generic signed release webhook (interface.md, rulings 5, 6 and 30)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from bot.domain.errors import MalformedError
from bot.domain.events import Heard
from bot.domain.releases import DIGEST, STAGES, Fate, Release
from bot.domain.services import Catalogue
from bot.domain.sightings import Sighting
from bot.domain.signatures import check_stamped
from bot.ports.webhooks import Delivery, Source
from handlers.webhooks.body import json_object, part, text
from handlers.webhooks.proofs import proofs

NAME = "release"
NOTES = 125_000
"""Characters of notes that are kept: what GitHub takes at most for a release."""
LONGEST = 200
"""Characters of a service's or a version's name: a tag of an image has 128 at most (OCI distribution spec)."""


def source(secret: str, services: Catalogue) -> Source:
    """Any pipeline that signs with *secret*. The same signed request again is the same delivery."""
    return Source(
        NAME,
        lambda delivery: check_stamped(delivery.body, delivery.headers, secret, delivery.received_at),
        lambda delivery: parse(delivery, services),
        _key,
    )


def parse(delivery: Delivery, services: Catalogue) -> Heard:
    """What the pipeline says of one version of one service, true when it was signed."""
    body = json_object(delivery)
    stage = text(body, "status", required=True)
    if stage not in STAGES:
        raise MalformedError(f"status: expected one of {', '.join(STAGES)}")
    digest = text(body, "digest")
    if digest and not DIGEST.fullmatch(digest):
        raise MalformedError("digest: expected sha256: and 64 hexadecimal digits")
    service, found = _name(body, "service"), proofs(part(body, "evidence"))
    if "/" in service:
        raise MalformedError("service: expected a name without /")
    release = Release(
        service=service,
        version=_name(body, "version"),
        stage=stage,
        at=_signed_at(delivery),
        image=text(body, "image"),
        digest=digest,
        commit=text(body, "commit"),
        url=text(body, "url"),
        environment=text(body, "environment"),
        notes=text(body, "notes")[:NOTES],
        evidence=found.evidence,
        results=found.results,
        scan=found.scan,
        migrations=_flag(body, "migrations"),
    )
    return Heard(releases=(release,), sightings=_seen(release, services))


def _name(body: Mapping[str, Any], key: str) -> str:
    """What a card and a row are called by: no longer than anybody would read."""
    name = text(body, key, required=True)
    name = name.removeprefix("v") if key == "version" else name
    if not name.strip() or len(name) > LONGEST:
        raise MalformedError(f"{key}: expected a name of {LONGEST} characters at most")
    return name


def _seen(release: Release, services: Catalogue) -> tuple[Sighting, ...]:
    """A pipeline that deploys by itself says where the version is."""
    service = services.find(release.service)
    if service is None or release.stage not in {"staging", "released"}:
        return ()
    before = [each.name for each in service.environments if each not in service.production]
    alone = before[0] if release.stage == "staging" and len(before) == 1 else ""
    name = release.environment or alone
    if name not in {each.name for each in service.environments}:
        return ()
    return (Sighting(service.name, name, Fate.GOOD, release.at, release.version),)


def _signed_at(delivery: Delivery) -> datetime:
    """When the sender signed it: words that overtake one another on the way are put in order by that."""
    stamp = delivery.headers.get("x-pult-timestamp", "")
    return min(datetime.fromtimestamp(int(stamp), UTC), delivery.received_at) if stamp else delivery.received_at


def _flag(body: Mapping[str, Any], key: str) -> bool | None:
    value = body.get(key)
    if value is not None and not isinstance(value, bool):
        raise MalformedError(f"{key}: expected true or false")
    return value


def _key(delivery: Delivery) -> str:
    stamp = delivery.headers.get("x-pult-timestamp", "")
    return sha256(stamp.encode() + b"." + delivery.body).hexdigest()
