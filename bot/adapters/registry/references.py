"""What an image's name means: which registry, which repository, which tag or digest. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from bot.domain.errors import UserError
from bot.domain.phrases import Code

HUB: Final = "docker.io"
"""What a name without a registry means: distribution/reference."""
DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}")
_HOST: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]*(:[0-9]{1,5})?")
_NAME: Final = re.compile(
    r"(?P<name>[a-z0-9]+(?:(?:[._]|__|-+|/)[a-z0-9]+)*)(?::(?P<tag>\w[\w.-]{0,127}))?(?:@(?P<digest>sha256:[0-9a-f]{64}))?"
)
"""Of one registry: opencontainers/distribution-spec, "Pulling manifests"; other hash functions are not supported."""


@dataclass(frozen=True)
class Reference:
    """``host`` as names begin with it; ``wanted`` is the digest if there is one, else the tag."""

    host: str
    name: str
    wanted: str

    @property
    def digest(self) -> str:
        """The digest that was asked for, or ""."""
        return self.wanted if DIGEST.fullmatch(self.wanted) else ""


def reference(image: str) -> Reference:
    """Of ``host/name:tag`` or ``…@sha256:…``. UserError: no registry could have such an image."""
    first, slash, rest = image.partition("/")
    given = bool(slash) and (first == "localhost" or any(mark in first for mark in ".:"))
    host, path = (first, rest) if given else (HUB, image)
    match = _NAME.fullmatch(path)
    if match is None or not _HOST.fullmatch(host):
        raise UserError("{image} is no name of an image.", image=Code(image[:120]))
    name = f"library/{match['name']}" if host == HUB and "/" not in match["name"] else match["name"]
    return Reference(host, name, match["digest"] or match["tag"] or "latest")
