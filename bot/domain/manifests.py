"""Changing one image digest in a deployment file, and nothing else: formatting and comments stay.

The file is a kustomization. Its ``images`` entries may have their keys in any order (``kustomize edit`` sorts them),
and other lists (``replicas``) name the same workloads, so only ``images`` is looked at.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from bot.domain.errors import UserError
from bot.domain.phrases import Code

_IMAGES = re.compile(r"^images:[ \t\r]*(?:#.*)?$", re.MULTILINE)
_NEXT = re.compile(r"^(?:---|[^\s#-])", re.MULTILINE)
_ENTRY = re.compile(r"^[ \t]*-[ \t]", re.MULTILINE)
_NAME = re.compile(r"^[ \t-]*(?:name|newName):[ \t]*[\"']?(?P<name>[^\s\"'#]+)", re.MULTILINE)
_DIGEST = re.compile(r"^(?P<key>[ \t-]*digest:[ \t]*[\"']?)(?P<digest>sha256:[0-9a-f]{64})", re.MULTILINE)


def repository(image: str) -> str:
    """*image* without its tag and digest; a port of the registry stays."""
    name = image.partition("@")[0]
    head, colon, tag = name.rpartition(":")
    return head if colon and "/" not in tag else name


def image_digest(text: str, image: str) -> str:
    """The digest that a kustomization's ``images`` entry for *image* names. UserError: there is none."""
    return _found(text, image)["digest"]


def with_digest(text: str, image: str, digest: str) -> str:
    """*text* with the digest of *image* replaced. UserError: the file has no such entry."""
    found = _found(text, image)
    return text[: found.start("digest")] + digest + text[found.end("digest") :]


def _found(text: str, image: str) -> re.Match[str]:
    """Where the digest of the entry for *image* stands."""
    start, end = _entry(text, image)
    found = _DIGEST.search(text, start, end)
    if found is None:
        raise UserError("The deployment file names no digest for {image}.", image=Code(image))
    return found


def _entry(text: str, image: str) -> tuple[int, int]:
    """Where the entry named *image* begins and ends; else the one named as its last part."""
    entries = list(_entries(text))
    for wanted in (image, image.rpartition("/")[2]):
        for start, end, names in entries:
            if wanted in names:
                return start, end
    raise UserError("The deployment file has no image {image}.", image=Code(image))


def _entries(text: str) -> Iterator[tuple[int, int, frozenset[str]]]:
    images = _IMAGES.search(text)
    if images is None:
        return
    after = _NEXT.search(text, images.end())
    end = after.start() if after else len(text)
    starts = [entry.start() for entry in _ENTRY.finditer(text, images.end(), end)]
    for at, until in pairwise([*starts, end]):
        yield at, until, frozenset(found["name"] for found in _NAME.finditer(text, at, until))
