"""From a version as people type it to one immutable digest, on which everybody who knows it agrees."""

from __future__ import annotations

import asyncio
import difflib
import re
from dataclasses import dataclass, replace

from bot.domain.errors import TemporaryError, UserError
from bot.domain.manifests import repository as named
from bot.domain.phrases import Code
from bot.domain.releases import Release
from bot.domain.services import Service
from bot.ports.forge import Forge
from handlers.commands.evidence_case import Sources
from handlers.commands.evidence_forge import GITHUB

KNOWN = 200
"""Latest releases among which the nearest to an unknown version are looked for."""
NEAREST = 3
SAYABLE = re.compile(r"\w[\w.+-]{0,127}", re.ASCII)
"""What a tag of an image may be (OCI distribution spec), and the + of a build (semver.org)."""
SHA = re.compile(r"[0-9a-f]{7,40}")


@dataclass(frozen=True)
class Tagged:
    """What the registry has under the version's tags, by tag. ``silent``: it did not answer."""

    digests: dict[str, str]
    silent: bool = False


async def resolve(sources: Sources, service: Service, version: str, repository: str) -> Release:
    """The release, with its image and digest. UserError: there is none, it failed, or two sources disagree.

    *repository*: of the image that runs, where the release's own is not known.
    """
    known = await sources.store.read(lambda tx: tx.release(service.name, version))
    if known is not None:
        _whole(known)
    image = named(known.image if known else "") or repository
    async with asyncio.TaskGroup() as tasks:
        tagged = tasks.create_task(_tagged(sources, image, version))
        commit = tasks.create_task(_commit(sources, service, version, known))
    if known is None and not tagged.result().digests and not any(commit.result()):
        raise await _unheard(sources, service, version)
    digest = _agreed(service, version, known.digest if known else "", tagged.result())
    found = known or Release(service.name, version, "built", sources.clock.now())
    _sayable(found)
    return replace(found, image=image, digest=digest, commit=_one(service, version, commit.result()))


def _sayable(release: Release) -> None:
    """Its name goes into commits, and into the inputs of workflows, which many put into a shell as they are."""
    if not SAYABLE.fullmatch(release.version):
        raise UserError(
            "{version} is no name that pult passes on to git and to workflows: letters, digits and . _ + - only.",
            version=Code(release.version[:40]),
        )


def _whole(release: Release) -> None:
    if release.stage == "failed":
        raise UserError("The pipeline of {service} {version} failed.", service=release.service, version=release.version)
    if release.disputed:
        told = release.conflict or release.moved
        raise UserError(
            "Two things were reported for {service} {version}: {one} and {other}. Release it anew as another version.",
            service=release.service, version=release.version,
            one=Code(release.digest if release.conflict else release.commit), other=Code(told),
        )  # fmt: skip


async def _tagged(sources: Sources, image: str, version: str) -> Tagged:
    registry = sources.registry
    if registry is None or not image:
        return Tagged({}, silent=True)

    async def look(tag: str) -> str | None:
        """Its digest, empty where there is no such tag; None where the registry does not answer."""
        try:
            return await sources.ask("registry", lambda: registry.digest(f"{image}:{tag}"))
        except UserError:
            return ""
        except TemporaryError:
            return None

    async with asyncio.TaskGroup() as tasks:
        asked = {tag: tasks.create_task(look(tag)) for tag in (version, f"v{version}")}
    found = {tag: task.result() for tag, task in asked.items()}
    return Tagged({tag: digest for tag, digest in found.items() if digest}, None in found.values())


def _agreed(service: Service, version: str, told: str, tagged: Tagged) -> str:
    """The one digest. UserError: several, or none."""
    for tag, digest in tagged.digests.items():
        first = told or next(iter(tagged.digests.values()))
        if digest != first:
            raise UserError(
                "{service} {version} is not one image: {told} was told, and the registry's tag {tag} is {digest}. "
                "Somebody moved the tag; release it anew under another version.",
                service=service.name, version=version, told=Code(first), tag=Code(tag), digest=Code(digest),
            )  # fmt: skip
    if told:
        return told
    if tagged.digests:
        return next(iter(tagged.digests.values()))
    if tagged.silent:
        raise UserError(
            "{service} {version} has no image digest yet; its pipeline has to report one.",
            service=service.name,
            version=version,
        )
    raise UserError(
        "{service} {version} has no image: no pipeline reported one, and the registry has no tag of that name.",
        service=service.name,
        version=version,
    )


async def _commit(sources: Sources, service: Service, version: str, known: Release | None) -> tuple[str, str]:
    """The commit that the version's tag names, and the one that its pipeline told, as GitHub has it, else as told."""
    told = known.commit if known and SHA.fullmatch(known.commit) else ""
    forge, repo = sources.forge, service.repo
    if forge is None or not repo:
        return "", told
    async with asyncio.TaskGroup() as tasks:
        tag = tasks.create_task(_tag(sources, forge, repo, version))
        own = tasks.create_task(_there(sources, forge, repo, told))
    tagged, there = tag.result(), own.result()
    return (tagged, there) if there or tagged else ("", told)


def _one(service: Service, version: str, found: tuple[str, str]) -> str:
    """The one commit. UserError: the tag is at another one; a commit that GitHub does not have can't be compared."""
    tagged, told = found
    if tagged and told and tagged != told:
        raise UserError(
            "{service} {version} was built from commit {told}, and its tag is at {tagged}. Somebody moved the tag; "
            "release it anew under another version.",
            service=service.name, version=version, told=Code(told[:12]), tagged=Code(tagged[:12]),
        )  # fmt: skip
    return told or tagged


async def _tag(sources: Sources, forge: Forge, repo: str, version: str) -> str:
    for ref in (f"tags/v{version}", f"tags/{version}"):
        found = await _there(sources, forge, repo, ref)
        if found:
            return found
    return ""


async def _there(sources: Sources, forge: Forge, repo: str, ref: str) -> str:
    """The whole sha of *ref*, empty where the repository has none or nobody answers."""
    if not ref:
        return ""
    found = await sources.tried(GITHUB, lambda: forge.resolve(repo, ref))
    return found.sha if found else ""


async def _unheard(sources: Sources, service: Service, version: str) -> UserError:
    known = await sources.store.read(lambda tx: tx.releases(service.name, KNOWN))
    versions = [release.version for release in known]
    near = difflib.get_close_matches(version, versions, NEAREST, 0.5) or versions[:NEAREST]
    if not near:
        return UserError(
            "pult has not heard of {service} {version}, nor of any other version of it.",
            service=service.name, version=Code(version[:40]),
        )  # fmt: skip
    return UserError(
        "pult has not heard of {service} {version}. The nearest it knows: {versions}.",
        service=service.name, version=Code(version[:40]), versions=", ".join(near),
    )  # fmt: skip
