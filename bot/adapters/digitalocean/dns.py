"""The Traffic port over one record of a DigitalOcean zone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from bot.adapters.digitalocean.client import Api
from bot.domain.errors import TemporaryError, UserError
from bot.domain.phrases import Code

USUAL_TTL: Final = 1800
"""Seconds: of a record that names none (digitalocean/openapi, domains/models/domain.yml)."""


class DnsTraffic:
    """``addresses`` maps a cluster's name to what the record holds when traffic goes there."""

    def __init__(self, api: Api, domain: str, record: int, addresses: Mapping[str, str]) -> None:
        self._api, self._domain, self._record, self._addresses = api, domain, record, addresses

    async def region(self) -> str:
        """Whose address the record holds."""
        return self._whose(await self._found())

    async def shift(self, region: str) -> float:
        """Point the record at *region*, and see that it does."""
        address = self._addresses.get(region)
        if address is None:
            raise UserError("No address is configured for {region}.", region=Code(region))
        found = await self._found()
        if found["data"] != address:
            body = {"type": found["type"], "data": address}
            await self._api.call(lambda c: c.domains.patch_record(self._domain, self._record, body=body))
            found = await self._found()
            if found["data"] != address:
                raise TemporaryError("DigitalOcean took the record's new address and does not show it yet")
        return _ttl(found)

    async def ttl(self) -> float:
        """The record's own."""
        return _ttl(await self._found())

    async def check(self) -> str:
        """What a move will need, by reads alone. UserError: there is no such record."""
        found = await self._found()
        where = self._whose(found) or "none of our regions"
        return f"the record points at {where}, for {_ttl(found):g} s at a time; a move needs the scope domain:update"

    def _whose(self, found: Mapping[str, Any]) -> str:
        return next((region for region, address in self._addresses.items() if address == found["data"]), "")

    async def _found(self) -> Mapping[str, Any]:
        answer = await self._api.call(lambda c: c.domains.get_record(self._domain, self._record))
        record = (answer or {}).get("domain_record")
        if not isinstance(record, dict) or not {"type", "data"} <= record.keys():
            raise TemporaryError("DigitalOcean does not answer (no record in its answer)")
        return record


def _ttl(found: Mapping[str, Any]) -> float:
    given = found.get("ttl")
    return float(given) if isinstance(given, int | float) and given > 0 else USUAL_TTL
