"""Why an image can't be pulled, from what the kubelet and the registry say. Plain text in, a phrase out; pure.

Words of containerd and CRI-O with what registries answer: opencontainers/distribution-spec (error codes), Docker Hub's
"toomanyrequests". Which of them a kubelet passes on depends on its version, so the events are read as well.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from bot.domain.phrases import Code, Phrase, phrase

FAILING: Final = frozenset({
    "ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "ImageInspectError",
    "RegistryUnavailable", "SignatureValidationFailed",
})  # fmt: skip
"""kubernetes/kubernetes pkg/kubelet/images/types.go."""
_SIGNS: Final[tuple[tuple[str, tuple[str, ...]], ...]] = (
    ("limited", ("toomanyrequests", "429 too many requests", "pull rate limit", "pull qps exceeded")),
    ("either", ("may require 'docker login'", "repository does not exist or may require authorization")),
    ("refused", (
        "unauthorized", "authentication required", "403 forbidden", "no basic auth credentials", "access denied",
        "401 ", "denied: ", "insufficient_scope", "authorization failed",
    )),
    ("platform", ("no match for platform", "no matching manifest", "exec format error")),
    ("missing", ("not found", "manifest unknown", "manifest_unknown", "name unknown", "code = notfound", "404 ")),
    ("trust", ("x509:", "certificate signed by unknown", "signature")),
    ("full", ("no space left on device",)),
    ("away", (
        "no such host", "i/o timeout", "connection refused", "dial tcp", "tls handshake timeout", "eof",
        "network is unreachable", "context deadline exceeded", "500 internal", "502 bad", "503 service",
        "registryunavailable",
    )),
)  # fmt: skip
"""In order, the telling ones first: a registry that refuses may add "not found", or the address it was asked at."""


def words(image: str, reason: str, told: Iterable[str]) -> Phrase:
    """*reason* is the container's, *told* what was said of it: its message, and its events."""
    said = " ".join((reason, *told)).replace(image, "").lower()
    if reason == "InvalidImageName":
        return phrase("its image's name is no valid one: {image}", image=Code(image))
    if reason == "ErrImageNeverPull":
        return phrase("its image is not on the node, and its policy forbids to pull it: {image}", image=Code(image))
    sign = next((name for name, marks in _SIGNS if any(mark in said for mark in marks)), "")
    return _WORDS.get(sign, _unknown)(image)


def _unknown(image: str) -> Phrase:
    return phrase("its image can't be pulled: {image}", image=Code(image))


_WORDS: Final[dict[str, Callable[[str], Phrase]]] = {
    "limited": lambda image: phrase("the registry limits how often images are pulled: {image}", image=Code(image)),
    "either": lambda image: phrase(
        "its image does not exist, or the cluster's credentials may not pull it: {image}", image=Code(image)
    ),
    "refused": lambda image: phrase(
        "the registry refuses the cluster's credentials for its image: {image}", image=Code(image)
    ),
    "missing": lambda image: phrase("its image is not in the registry: {image}", image=Code(image)),
    "platform": lambda image: phrase("its image is not built for the node's processor: {image}", image=Code(image)),
    "trust": lambda image: phrase("its image comes from a registry that the node does not trust: {image}",
                                  image=Code(image)),
    "full": lambda image: phrase("the node has no disk space left for its image: {image}", image=Code(image)),
    "away": lambda image: phrase("the registry does not answer when its image is pulled: {image}", image=Code(image)),
}  # fmt: skip
