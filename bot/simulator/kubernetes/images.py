"""The department's container images: which versions exist and what their digests are."""

from hashlib import sha256
from typing import Final

REGISTRY: Final = "registry.example/dept"

VERSIONS: Final = {
    "api": ("1.7.2", "1.8.0", "1.8.1"),
    "bots": ("3.2.0", "3.2.1"),
    "worker": ("2.4.0", "2.4.1"),
    "web": ("5.0.3", "5.1.0"),
}
"""Versions that can be pulled, oldest first."""

PRODUCTION: Final = {"api": "1.7.2", "bots": "3.2.0", "worker": "2.4.0", "web": "5.0.3"}
STAGING: Final = {"api": "1.8.0", "bots": "3.2.1", "worker": "2.4.1", "web": "5.1.0"}

BAD_RATIO: Final = 0.08
"""Share of requests a bad version fails."""


def digest(service: str, version: str) -> str:
    """``sha256:`` and 64 hex digits; a pure function, so that every part of the simulator agrees."""
    return digest_of(f"{service}:{version}".encode())


def digest_of(content: bytes) -> str:
    """Of what a registry holds under it."""
    return "sha256:" + sha256(content).hexdigest()


def image(service: str, version: str) -> str:
    return f"{REGISTRY}/{service}@{digest(service, version)}"


_BAD: Final = {"api": (image("api", "1.8.1"),)}
"""Images that fail requests wherever they run."""
_KNOWN: Final = {image(service, version): version for service, versions in VERSIONS.items() for version in versions}


def version_of(reference: str) -> str | None:
    """The version behind an image reference, or None when the registry does not have it."""
    return _KNOWN.get(reference)


def bad(service: str, reference: str) -> bool:
    """Whether this image of the service fails requests."""
    return reference in _BAD.get(service, ())


def exists(reference: str) -> bool:
    return reference in _KNOWN
