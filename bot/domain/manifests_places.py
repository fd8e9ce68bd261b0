"""Where a deployment file names images: kustomizations, Helm values, manifests, and these inside one another.

What a place is, is told from its own shape, so a HelmRelease's values or a kustomization's inline chart need no rule
of their own. An object's name and status (``metadata``, ``status``) name no image to run.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from bot.domain.errors import UserError
from bot.domain.manifests_yaml import Edit, Items, Mapping, Scalar, Value, walked
from bot.domain.phrases import Code
from bot.domain.releases import DIGEST

_SKIPPED = frozenset({"metadata", "status"})
_ENTRY = frozenset({"name", "newName", "newTag", "digest", "tagSuffix"})
"""Keys of an ``images`` entry: kubernetes-sigs/kustomize api/types/image.go."""
_VALUES = (("spec", "values"), ("spec", "source", "helm", "valuesObject"))
"""Where a manifest carries Helm values: Flux's HelmRelease, Argo CD's Application."""
_HUB = ("docker.io/", "index.docker.io/", "library/")
"""What a reference to Docker Hub may leave out: distribution/reference."""
_REFERENCE = re.compile(r"(?P<name>[^\s@]+?)(?P<tag>:[\w.-]+)?(?P<digest>@sha256:[0-9a-f]{64})?")


@dataclass(frozen=True)
class Place:
    """One place that names an image.

    ``stands``: what it names now, the digest, else the tag, else "". ``loose``: the registry may be said elsewhere.
    ``shared``: it stands behind a YAML anchor. ``write`` makes the edit that sets a digest, None where there is none.
    ``of``: the image that a kustomization replaces by this one (a mirror, say).
    """

    name: str
    stands: str
    write: Callable[[str], tuple[Edit, ...]] | None
    shared: bool
    loose: bool = False
    of: str = ""

    @property
    def digest(self) -> str:
        """The digest it names, or ""."""
        return self.stands if DIGEST.fullmatch(self.stands) else ""


def repository(image: str) -> str:
    """*image* without its tag and digest; a port of the registry stays."""
    name = image.partition("@")[0]
    head, colon, tag = name.rpartition(":")
    return head if colon and "/" not in tag else name


def places(document: Value) -> Iterator[Place]:
    """Every place of *document*."""
    for key, value in walked(document, "", _SKIPPED):
        yield from _of(key, value)


def place_at(document: Value, key: str, image: str) -> Place | None:
    """The place of *image* at the dotted path *key*, from the top or from the Helm values that a manifest carries."""
    path = tuple(key.split("."))
    for find in (_there, _new):
        for start in ((), *_VALUES):
            found = find(document, (*start, *path), image)
            if found is not None:
                return found
    return None


def same(name: str, image: str) -> bool:
    """Whether both name one repository; Docker Hub may be left out."""
    return _short(name) == _short(image)


def _short(name: str) -> str:
    for prefix in _HUB:
        name = name.removeprefix(prefix)
    return name


def _there(document: Value, path: tuple[str, ...], image: str) -> Place | None:
    match _down(document, path):
        case Scalar() as found if not found.value or DIGEST.fullmatch(found.value):
            return Place(image, found.value, _digest(found), found.shared)
        case Scalar() as found:
            place = _reference(found)
            return place if place is not None and same(place.name, image) else None
        case Mapping() as found:
            return next(_of(path[-1], found), None)
        case _:
            return None


def _new(document: Value, path: tuple[str, ...], image: str) -> Place | None:
    """Where the table is there and the key is not: it is said to stand there, so the chart knows it."""
    holder = _down(document, path[:-1]) if len(path) > 1 else None
    if not isinstance(holder, Mapping) or path[-1] in holder.values:
        return None
    return Place(image, "", _adding(holder, path[-1]), holder.shared)


def _down(value: Value, path: tuple[str, ...]) -> Value | None:
    found: Value | None = value
    for step in path:
        match found:
            case Mapping():
                found = found.values.get(step)
            case Items() if step.isdecimal() and int(step) < len(found.values):
                found = found.values[int(step)]
            case _:
                return None
    return found


def _of(key: str, value: Value) -> Iterator[Place]:
    listed, single = key.lower().endswith("images"), key.lower().endswith("image")
    match value:
        case Scalar() if listed:
            found = _reference(value)
            if found is not None:
                yield found
        case Mapping() if key == "images" and "name" in value.values and value.values.keys() <= _ENTRY:
            yield _entry(value)
        case Mapping() if _parts(value, "repository"):
            yield _values(value, "repository")
        case Mapping() if single and _parts(value, "name"):
            yield _values(value, "name")
        case Mapping():
            yield from _images(value)
        case Scalar() | Items():
            pass


def _parts(found: Mapping, name: str) -> bool:
    """Whether an image is named in parts: *name*, and tag or digest."""
    return bool(found.text(name)) and bool(found.scalar("tag") or found.scalar("digest"))


def _images(found: Mapping) -> Iterator[Place]:
    """Its keys ``image``, ``proxyImage`` and so on; ``image`` may have its tag or digest beside it."""
    image = found.text("image")
    parted = bool(image) and repository(image) == image and _parts(found, "image")
    if parted:
        yield _values(found, "image")
    for key, value in found.values.items():
        if isinstance(value, Scalar) and key.lower().endswith("image") and not (parted and key == "image"):
            place = _reference(value)
            if place is not None:
                yield place


def _reference(found: Scalar) -> Place | None:
    """``repository:tag`` or ``repository@sha256:…`` in one value. A digest makes the tag mean nothing, so it goes."""
    match = _REFERENCE.fullmatch(found.value)
    if match is None:
        return None
    name = match["name"]
    rest = found.value[len(name) :]

    def write(digest: str) -> tuple[Edit, ...]:
        return (found.replaced(f"{name}@{digest}"),)

    return Place(name, rest.rpartition("@")[2].removeprefix(":"), write, found.shared)


def _entry(found: Mapping) -> Place:
    """An entry of ``images``. As ``kustomize edit set image`` does, a digest takes the place of a tag."""
    digest, tag, of = found.scalar("digest"), found.scalar("newTag"), found.text("name")
    name, loose = found.text("newName") or of, not found.text("newName")
    if digest is not None:
        return Place(name, digest.value, _digest(digest), _any(found, digest), loose, of)
    if tag is None:
        return Place(name, "", _adding(found, "digest"), found.shared, loose, of)
    key = found.keys["newTag"]

    def write(new: str) -> tuple[Edit, ...]:
        return key.replaced("digest"), tag.replaced(new)

    return Place(name, tag.value.rpartition("@")[2], write, _any(found, tag), loose, of)


def _values(found: Mapping, name: str) -> Place:
    """An image in parts, as Helm charts take it. Without a ``digest`` nobody knows whether the chart has such a key."""
    whole = "/".join(part for part in (found.text("registry"), found.text(name)) if part)
    digest, tag = found.scalar("digest"), found.scalar("tag")
    if digest is not None:
        stands = digest.value or found.text("tag")
        return Place(whole, stands, _digest(digest), _any(found, digest), loose=True)
    assert tag is not None
    pinned = tag.value.rpartition("@")[2]
    if pinned == tag.value:
        return Place(whole, tag.value, None, _any(found, tag), loose=True)
    return Place(whole, pinned, lambda new: (tag.replaced(new, pinned),), _any(found, tag), loose=True)


def _any(*values: Mapping | Scalar) -> bool:
    return any(value.shared for value in values)


def _digest(found: Scalar) -> Callable[[str], tuple[Edit, ...]] | None:
    """What is neither a digest nor empty, nobody knows how to write."""
    if found.value and not DIGEST.fullmatch(found.value):
        return None
    return lambda new: (found.replaced(new),)


def _adding(holder: Mapping, name: str) -> Callable[[str], tuple[Edit, ...]]:
    def write(digest: str) -> tuple[Edit, ...]:
        edit = holder.added(name, digest)
        if edit is None:
            raise UserError("The deployment file has an empty table where {key} is to stand.", key=Code(name))
        return (edit,)

    return write
