"""Releases that the department's pipelines report."""

from __future__ import annotations

from bot.simulator.kubernetes import images
from tests.pult_process import Pult


async def released(pult: Pult, service: str, version: str) -> None:
    """A signed notice with the digest, accepted."""
    body = {
        "service": service,
        "version": version,
        "status": "ready",
        "image": images.image(service, version),
        "digest": images.digest(service, version),
    }
    assert (await pult.release(body)).status == 200
