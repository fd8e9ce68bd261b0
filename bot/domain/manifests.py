"""Changing one image digest in a deployment file, and nothing else: formatting and comments stay."""

from __future__ import annotations

import re

from bot.domain.errors import UserError
from bot.domain.phrases import Code

_ENTRY = re.compile(r"^(?P<indent>\s*)-\s+name:\s*[\"']?(?P<name>[^\s\"'#]+)", re.MULTILINE)
_DIGEST = re.compile(r"(?P<key>\bdigest:\s*[\"']?)sha256:[0-9a-f]{64}")


def image_digest(text: str, image: str) -> str:
    """The digest that a kustomization's ``images`` entry for *image* names. UserError: there is none."""
    start, end = _entry(text, image)
    found = _DIGEST.search(text, start, end)
    if found is None:
        raise UserError("The deployment file names no digest for {image}.", image=Code(image))
    return found[0].rpartition("sha256:")[1] + found[0].rpartition("sha256:")[2]


def with_digest(text: str, image: str, digest: str) -> str:
    """*text* with the digest of *image* replaced. UserError: the file has no such entry."""
    start, end = _entry(text, image)
    changed, count = _DIGEST.subn(lambda found: found["key"] + digest, text[start:end], count=1)
    if not count:
        raise UserError("The deployment file names no digest for {image}.", image=Code(image))
    return text[:start] + changed + text[end:]


def _entry(text: str, image: str) -> tuple[int, int]:
    """Where the list entry named *image* (whole, or its last part) begins and ends."""
    entries = list(_ENTRY.finditer(text))
    for at, entry in enumerate(entries):
        if entry["name"] in {image, image.rpartition("/")[2]}:
            return entry.start(), entries[at + 1].start() if at + 1 < len(entries) else len(text)
    raise UserError("The deployment file has no image {image}.", image=Code(image))
