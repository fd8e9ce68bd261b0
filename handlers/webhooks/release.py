"""The generic signed release webhook (interface.md, rulings 5, 6 and 30)."""

from __future__ import annotations

from hashlib import sha256

from bot.domain.errors import MalformedError
from bot.domain.events import Heard
from bot.domain.releases import DIGEST, STAGES, Release
from bot.domain.signatures import check_stamped
from bot.ports.webhooks import Delivery, Source
from handlers.webhooks.body import json_object, text, texts

NAME = "release"


def source(secret: str) -> Source:
    """Any pipeline that signs with *secret*. The same signed request again is the same delivery."""
    return Source(
        NAME,
        lambda delivery: check_stamped(delivery.body, delivery.headers, secret, delivery.received_at),
        parse,
        _key,
    )


def parse(delivery: Delivery) -> Heard:
    """What the pipeline says of one version of one service."""
    body = json_object(delivery)
    stage = text(body, "status", required=True)
    if stage not in STAGES:
        raise MalformedError(f"status: expected one of {', '.join(STAGES)}")
    digest = text(body, "digest")
    if digest and not DIGEST.fullmatch(digest):
        raise MalformedError("digest: expected sha256: and 64 hexadecimal digits")
    release = Release(
        service=text(body, "service", required=True),
        version=text(body, "version", required=True).removeprefix("v"),
        stage=stage,
        at=delivery.received_at,
        image=text(body, "image"),
        digest=digest,
        commit=text(body, "commit"),
        url=text(body, "url"),
        environment=text(body, "environment"),
        notes=text(body, "notes"),
        evidence=texts(body, "evidence"),
    )
    return Heard(release=release)


def _key(delivery: Delivery) -> str:
    stamp = delivery.headers.get("x-pult-timestamp", "")
    return sha256(stamp.encode() + b"." + delivery.body).hexdigest()
