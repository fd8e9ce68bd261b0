"""What the department sends to pult: alerts, signed release notices, GitHub deliveries."""

import hashlib
import hmac
import json
import logging
import uuid
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from aiohttp import ClientError, ClientSession, ClientTimeout

from bot.simulator.faults import SERVICES
from bot.simulator.github.state import Forge
from bot.simulator.kubernetes import images
from bot.simulator.settings import Target
from bot.simulator.world import World

_TIMEOUT: Final = ClientTimeout(total=10)
STATUSES: Final = ("built", "scanned", "tested", "staging", "ready", "failed", "released")
EVIDENCE: Final = {"tests": "passed", "trivy": "passed", "e2e": "passed"}
log = logging.getLogger(__name__)

Json = dict[str, Any]


class Outbound:
    """HTTP to the target. Without a target nothing is sent and nothing succeeds."""

    def __init__(self, world: World, session: ClientSession, target: Target) -> None:
        self._world = world
        self._session = session
        self.target = target

    async def post(self, path: str, body: bytes, headers: Mapping[str, str]) -> int | None:
        """The HTTP status, or None when there was no answer."""
        if not self.target.url:
            return None
        try:
            async with self._session.post(
                self.target.url + path, data=body, headers=headers, timeout=_TIMEOUT
            ) as answer:
                await answer.read()
                return answer.status
        except (ClientError, TimeoutError) as error:
            log.debug("no answer from %s%s: %s", self.target.url, path, error)
            return None

    async def release(self, told: Mapping[str, object]) -> tuple[int | None, Json]:
        """Send CI's notice of a release; answers (status, what was sent). ValueError says what is wrong with *told*."""
        notice = _notice(self._world, told)
        body = json.dumps(notice).encode()
        stamp = str(int(self._world.clock.now().timestamp()))
        signature = _hmac(self.target.release_secret, stamp.encode() + b"." + body)
        headers = {
            "Content-Type": "application/json",
            "X-Pult-Timestamp": stamp,
            "X-Pult-Signature": f"sha256={signature}",
        }
        return await self.post("/webhooks/release", body, headers), notice

    async def github(self, event: str, payload: Mapping[str, object]) -> int | None:
        """Send a GitHub delivery signed like GitHub's own."""
        body = json.dumps(payload).encode()
        delivery = str(uuid.UUID(int=self._world.random.getrandbits(128), version=4))
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "GitHub-Hookshot/044aadd",
            "X-GitHub-Event": event,
            "X-GitHub-Delivery": delivery,
            "X-Hub-Signature-256": f"sha256={_hmac(self.target.github_secret, body)}",
        }
        return await self.post("/webhooks/github", body, headers)


def failed(status: int | None) -> bool:
    return status is None or status >= HTTPStatus.MULTIPLE_CHOICES


def _notice(world: World, told: Mapping[str, object]) -> Json:
    """The body of interface.md, ruling 5, completed with what the registry and CI know."""
    service, version, status = str(told.get("service", "")), str(told.get("version", "")), told.get("status", "ready")
    if service not in SERVICES:
        raise ValueError(f"There is no service {service!r}; there are {', '.join(SERVICES)}.")
    if not version:
        raise ValueError("Give the version that was released.")
    if status not in STATUSES:
        raise ValueError(f"status is one of {', '.join(STATUSES)}.")
    known: Json = {
        "service": service,
        "version": version,
        "status": status,
        "image": images.image(service, version),
        "digest": images.digest(service, version),
        "commit": _commit(world, service, version),
        "url": f"https://github.com/dept/{service}/releases/tag/v{version}",
        "evidence": EVIDENCE,
    }
    return known | dict(told)


def _commit(world: World, service: str, version: str) -> str:
    """The commit that the version's tag names; one that nobody has, where there is no such tag."""
    forge = world.github
    repository = forge.repositories.get(f"dept/{service}") if isinstance(forge, Forge) else None
    tagged = repository.history.tags.get(f"v{version}") if repository else None
    return tagged or hashlib.sha256(f"{service}@{version}".encode()).hexdigest()[:40]


def _hmac(secret: str, body: bytes) -> str:
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
