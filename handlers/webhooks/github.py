"""GitHub webhooks: releases, tags, images, workflows, deployments; every other event is accepted and says nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from bot.domain.errors import MalformedError
from bot.domain.events import Heard
from bot.domain.releases import DIGEST, PUBLISHED, TAGGED, Release
from bot.domain.services import Catalogue
from bot.domain.signatures import check_hmac
from bot.ports.webhooks import Delivery, Source
from handlers.webhooks import github_runs
from handlers.webhooks.body import json_object, moment, part, text
from handlers.webhooks.names import Names, versioned

NAME = "github"
ACTIONS = frozenset({"published", "released", "prereleased", "edited"})
TAGS = "refs/tags/"
REGISTRY = "ghcr.io"
"""Where container packages lie when the event does not say so."""

Read = Callable[[dict[str, Any], str, Names, Delivery], Heard]
"""Of the body, the repository's full name."""


def source(secret: str, services: Catalogue) -> Source:
    """Webhooks signed with *secret*."""
    names = Names(services)
    return Source(
        NAME,
        lambda delivery: check_hmac(delivery.body, delivery.headers.get("x-hub-signature-256", ""), secret),
        lambda delivery: parse(delivery, names),
        lambda delivery: delivery.headers.get("x-github-delivery", ""),
    )


def parse(delivery: Delivery, names: Names) -> Heard:
    """What the event says, or nothing worth showing.

    Of repositories that nobody listed, as a whole organisation's webhook tells of, only what was released counts.
    """
    body = json_object(delivery, form=True)
    event = delivery.headers.get("x-github-event", "")
    if not event:
        raise MalformedError("X-GitHub-Event: missing")
    read = EVENTS.get(event)
    action = text(body, "action")
    if read is None or (event == "release" and action not in ACTIONS):
        return Heard()
    repo = text(part(body, "repository", required=True), "full_name", "repository.", required=True)
    if event != "release" and not names.listed(repo):
        return Heard()
    return read(body, repo, names, delivery)


def _release(body: dict[str, Any], repo: str, names: Names, delivery: Delivery) -> Heard:
    release = part(body, "release", required=True)
    tag = text(release, "tag_name", "release.", required=True)
    if release.get("draft") is True:
        return Heard()
    told = moment(release, "published_at", "release.") or moment(release, "created_at", "release.")
    return Heard(
        releases=tuple(
            Release(
                service=service,
                version=version,
                stage=PUBLISHED,
                at=min(told or delivery.received_at, delivery.received_at),
                page=text(release, "html_url", "release."),
                notes=text(release, "body", "release."),
                prerelease=release.get("prerelease") is True,
            )
            for service, version in names.versions(repo, tag)
        )
    )


def _push(body: dict[str, Any], repo: str, names: Names, delivery: Delivery) -> Heard:
    """A tag that looks like a version. ``after`` is the tag's own name where it is annotated, never the commit's."""
    tag = text(body, "ref", required=True)
    if not tag.startswith(TAGS) or body.get("deleted") is True or not versioned(tag.removeprefix(TAGS)):
        return Heard()
    commit = text(part(body, "head_commit"), "id", "head_commit.") or text(body, "after")
    moved = commit if body.get("forced") is True else ""
    return Heard(
        releases=tuple(
            Release(service, version, TAGGED, delivery.received_at, commit=commit, moved=moved)
            for service, version in names.versions(repo, tag.removeprefix(TAGS))
        )
    )


def _package(body: dict[str, Any], repo: str, names: Names, delivery: Delivery) -> Heard:
    """A container image under a tag that looks like a version, of a package that is called like its service.

    Others of the same repository (migrations, a worker) have the same tag and another digest: they are no conflict.
    """
    key = "registry_package" if "registry_package" in body else "package"
    package = part(body, key, required=True)
    kinds = {text(package, name, f"{key}.").lower() for name in ("package_type", "ecosystem")}
    version = part(package, "package_version", f"{key}.")
    tag = part(part(version, "container_metadata", f"{key}.package_version."), "tag", f"{key}.container_metadata.")
    name, digest = text(tag, "name", f"{key}.tag."), text(tag, "digest", f"{key}.tag.") or text(version, "version")
    if "container" not in kinds or not versioned(name) or not DIGEST.fullmatch(digest):
        return Heard()
    called = text(package, "name", f"{key}.").rpartition("/")[2].lower()
    services = [(service, told) for service, told in names.versions(repo, name) if called in _called(service, repo)]
    image = _image(package, version, key)
    found = [Release(each, told, "built", delivery.received_at, image, digest) for each, told in services]
    return Heard(releases=tuple(found))


def _called(service: str, repo: str) -> frozenset[str]:
    return frozenset({service.lower(), repo.rpartition("/")[2].lower()})


def _image(package: Mapping[str, Any], version: Mapping[str, Any], key: str) -> str:
    """The image's repository, without tag and digest."""
    place = text(version, "package_url", f"{key}.package_version.").partition("@")[0]
    head, slash, last = place.rpartition("/")
    if slash:
        return f"{head}/{last.partition(':')[0]}"
    owner = text(part(package, "owner", f"{key}."), "login", f"{key}.owner.")
    return f"{REGISTRY}/{owner}/{text(package, 'name', f'{key}.')}".lower()


EVENTS: Mapping[str, Read] = {
    "release": _release,
    "push": _push,
    "package": _package,
    "registry_package": _package,
    "workflow_run": github_runs.workflow_run,
    "deployment": github_runs.deployment,
    "deployment_status": github_runs.deployment_status,
    "deployment_protection_rule": github_runs.protection_rule,
}
