"""``POST /webhooks/{source}``: 200 only after the event is committed; refusals in the order of ruling 19."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from aiohttp import web

from bot.domain.errors import ForgedError, MalformedError, OverloadedError, UnavailableError
from bot.domain.events import Heard
from bot.engine.intake import Accepted, Intake
from bot.engine.meters import Meters
from bot.ports.clock import Clock
from bot.ports.webhooks import Delivery, Source

log = logging.getLogger(__name__)
BODY_MAX = 4 * 1024 * 1024
"""Bytes (interface.md, section 3)."""
RETRY_AFTER = 5
"""Seconds a sender should wait after 503."""


CANARY = "canary"
"""It measures the way through the store: kept, it would come out too late to say anything."""


class Keeper(Protocol):
    """What webhooks need of the spool."""

    @property
    def active(self) -> bool: ...
    async def keep(self, source: Source, received: Delivery, heard: Heard, *, still: bool) -> bool: ...


@dataclass(frozen=True)
class Refused:
    """An answer other than 200: HTTP status, the word for the metric, and what to say."""

    status: int
    result: str
    error: str


class Webhooks:
    """Authenticates, parses, hands over to the intake."""

    def __init__(
        self, sources: Mapping[str, Source], intake: Intake, clock: Clock, meters: Meters, spool: Keeper | None = None
    ) -> None:
        self._sources, self._intake, self._clock, self._meters = sources, intake, clock, meters
        self._spool = spool

    async def handle(self, request: web.Request) -> web.Response:
        """One delivery."""
        name = request.match_info["source"]
        source = self._sources.get(name)
        if source is None:
            return web.json_response({"status": "refused", "error": "no such webhook"}, status=404)
        try:
            answer, result = await self._accept(source, request)
        except web.HTTPRequestEntityTooLarge:
            answer, result = _refusal(Refused(413, "too_large", f"over {BODY_MAX} bytes")), "too_large"
        self._meters.received.labels(name, result).inc()
        return answer

    async def _accept(self, source: Source, request: web.Request) -> tuple[web.Response, str]:
        body = await request.read()
        headers = {name.lower(): ", ".join(request.headers.getall(name)) for name in request.headers}
        delivery = Delivery(headers, body, self._clock.now(), request.remote or "")
        try:
            source.authenticate(delivery)
            heard = source.parse(delivery)
            accepted = await self._taken(source, delivery, heard)
        except (ForgedError, MalformedError, UnavailableError) as error:
            refused = _refused(error)
            log.warning("webhook refused", extra={"source": source.name, "result": refused.result, "error": str(error)})
            return _refusal(refused), refused.result
        status = "duplicate" if accepted.duplicate else "accepted"
        return web.json_response({"status": status, "event": accepted.event}), status

    async def _taken(self, source: Source, delivery: Delivery, heard: Heard) -> Accepted:
        """UnavailableError: it is not in the store. Perhaps it is in the spool, but that is no reason to say 200."""
        if self._spool and self._spool.active and await self._kept(source, delivery, heard, still=True):
            raise UnavailableError("the store is away; it is kept in the spool")
        try:
            return await self._intake.accept(source.name, source.key(delivery), heard, delivery.body)
        except OverloadedError:
            raise
        except UnavailableError:
            await self._kept(source, delivery, heard, still=False)
            raise

    async def _kept(self, source: Source, delivery: Delivery, heard: Heard, *, still: bool) -> bool:
        if self._spool is None or source.name == CANARY:
            return False
        try:
            return await self._spool.keep(source, delivery, heard, still=still)
        except UnavailableError as error:
            log.warning("not even the spool takes it", extra={"source": source.name, "error": str(error)})
            return False


def _refused(error: ForgedError | MalformedError | UnavailableError) -> Refused:
    match error:
        case ForgedError():
            return Refused(401, "unauthorized", "no or bad credentials")
        case MalformedError():
            return Refused(400, "malformed", str(error))
        case UnavailableError():
            return Refused(503, "unavailable", "it can't be committed now; send it again")


def _refusal(refused: Refused) -> web.Response:
    headers = {"Retry-After": str(RETRY_AFTER)} if refused.status == 503 else None
    return web.json_response({"status": "refused", "error": refused.error}, status=refused.status, headers=headers)
