"""GitHub webhooks: ``ping`` and ``release``; other events are accepted and say nothing yet."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.domain.errors import MalformedError
from bot.domain.events import Heard
from bot.domain.releases import Release
from bot.domain.signatures import check_hmac
from bot.ports.webhooks import Delivery, Source
from handlers.webhooks.body import json_object, text

NAME = "github"
PUBLISHED = frozenset({"published", "released", "prereleased", "edited"})


def source(secret: str, services: Mapping[str, str]) -> Source:
    """Webhooks signed with *secret*; *services* maps ``org/repo`` to the service it builds."""
    return Source(
        NAME,
        lambda delivery: check_hmac(delivery.body, delivery.headers.get("x-hub-signature-256", ""), secret),
        lambda delivery: parse(delivery, services),
        lambda delivery: delivery.headers.get("x-github-delivery", ""),
    )


def parse(delivery: Delivery, services: Mapping[str, str]) -> Heard:
    """A release, or nothing worth showing."""
    body = json_object(delivery, form=True)
    event = delivery.headers.get("x-github-event", "")
    if not event:
        raise MalformedError("X-GitHub-Event: missing")
    if event != "release" or text(body, "action") not in PUBLISHED:
        return Heard()
    return Heard(release=_release(delivery, _part(body, "release"), _part(body, "repository"), services))


def _release(
    delivery: Delivery, release: dict[str, Any], repository: dict[str, Any], services: Mapping[str, str]
) -> Release:
    repo = text(repository, "full_name", "repository.", required=True)
    return Release(
        service=services.get(repo, repo.rpartition("/")[2]),
        version=text(release, "tag_name", "release.", required=True).removeprefix("v"),
        stage="released",
        at=delivery.received_at,
        url=text(release, "html_url", "release."),
        notes=text(release, "body", "release."),
        prerelease=release.get("prerelease") is True,
    )


def _part(body: dict[str, Any], key: str) -> dict[str, Any]:
    part = body.get(key)
    if not isinstance(part, dict):
        raise MalformedError(f"{key}: expected an object")
    return part
