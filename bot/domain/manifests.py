"""Changing one image's digest in a deployment file, and nothing else: formatting, comments and quotes stay.

The file may be a kustomization, Helm values or manifests (``bot/domain/manifests_places.py`` tells them apart).
"""

from __future__ import annotations

from itertools import chain

from bot.domain.errors import UserError
from bot.domain.manifests_places import Place, place_at, places, repository, same
from bot.domain.manifests_yaml import documents, edited
from bot.domain.phrases import Code

__all__ = ["image_digest", "repository", "with_digest"]


def image_digest(text: str, image: str, key: str = "") -> str:
    """The digest that *text* names for the repository *image*, or "" where it names a tag in its place.

    *key*: dotted path of the value, where it is not to be found by the image's name.
    UserError: the image is not there, stands there in several ways, or in one that can't hold a digest.
    """
    return _found(text, image, key)[0].digest


def with_digest(text: str, image: str, digest: str, key: str = "") -> str:
    """*text* with the digest of the repository *image* set, wherever it names it. UserError as ``image_digest``."""
    edits = chain.from_iterable(place.write(digest) for place in _found(text, image, key) if place.write)
    changed = edited(text, edits)
    if any(place.digest != digest for place in _found(changed, image, key)):
        raise UserError("The deployment file writes {image} in a way that pult can't change.", image=Code(image))
    return changed


def _found(text: str, image: str, key: str) -> tuple[Place, ...]:
    found = _keyed(text, image, key) if key else _named(text, image)
    if any(place.shared for place in found):
        raise UserError(
            "The deployment file names {image} behind a YAML anchor that other values share. Write it out there.",
            image=Code(image),
        )
    if any(place.write is None for place in found):
        raise UserError("The deployment file names no digest for {image}.", image=Code(image))
    ways = sorted({place.stands for place in found})
    if len(ways) > 1:
        raise UserError(
            "The deployment file names {image} in several ways: {ways}. The service's gitops.key can say which counts.",
            image=Code(image),
            ways=", ".join(way[:19] or "–" for way in ways),
        )
    return found


def _named(text: str, image: str) -> tuple[Place, ...]:
    """Where the file names *image*; else where it puts a mirror in its place, or names it without its registry."""
    every = tuple(place for document in documents(text) for place in places(document))
    found = (
        tuple(place for place in every if same(place.name, image))
        or tuple(place for place in every if place.of and same(place.of, image))
        or tuple(place for place in every if place.loose and place.name and image.endswith(f"/{place.name}"))
    )
    if not found:
        raise UserError("The deployment file has no image {image}.", image=Code(image))
    return found


def _keyed(text: str, image: str, key: str) -> tuple[Place, ...]:
    found = tuple(place for document in documents(text) if (place := place_at(document, key, image)))
    if not found:
        raise UserError("The deployment file has no image {image} at {key}.", image=Code(image), key=Code(key))
    return found
