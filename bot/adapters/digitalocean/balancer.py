"""The Traffic port over a global load balancer: the regional one with the lowest number gets the requests.

Its address is the same everywhere, so nobody has to forget one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from bot.adapters.digitalocean.client import Api
from bot.domain.errors import TemporaryError, UserError
from bot.domain.phrases import Code

READ_ONLY: Final = frozenset({"id", "ip", "ipv6", "status", "created_at"})
"""What an answer says of itself (digitalocean/openapi, load_balancers/models/load_balancer_base.yml: readOnly)."""
FIRST, SECOND = 1, 2
"""Priorities: a lower value is preferred (…/models/glb_settings.yml)."""


class GlobalBalancer:
    """*targets*: id of the regional load balancer by cluster; *regions*: the cloud's region (slug) by cluster."""

    def __init__(self, api: Api, balancer: str, targets: Mapping[str, str], regions: Mapping[str, str]) -> None:
        self._api, self._balancer, self._targets, self._regions = api, balancer, targets, regions

    async def region(self) -> str:
        """Empty where two are preferred alike, or one that is none of ours."""
        return self._preferred(await self._found())

    async def shift(self, region: str) -> float:
        """Sends everything back as it was read, the priorities apart: what a PUT leaves out is reset."""
        found = await self._found()
        self._served(found, region)
        if self._preferred(found) != region:
            body = _body(found)
            body["glb_settings"] = dict(body.get("glb_settings") or {}) | {"region_priorities": self._ranked(region)}
            await self._api.call(lambda c: c.load_balancers.update(self._balancer, body=body))
            if self._preferred(await self._found()) != region:
                raise TemporaryError("DigitalOcean took the load balancer's new priorities and does not show them yet")
        return 0.0

    async def ttl(self) -> float:
        """Its address never changes."""
        return 0.0

    async def check(self) -> str:
        """What a move will need, by reads alone. UserError: it has no way to one of the regions."""
        found = await self._found()
        for region in self._targets:
            self._served(found, region)
        where = self._preferred(found) or "none of our regions"
        return f"the load balancer prefers {where}; a move needs the scope load_balancer:update"

    def _served(self, found: Mapping[str, Any], region: str) -> None:
        """UserError: it has no way to *region*, whatever its priorities say."""
        target = self._targets.get(region)
        if target is None or region not in self._regions:
            raise UserError("No address is configured for {region}.", region=Code(region))
        if target not in (found.get("target_load_balancer_ids") or ()):
            raise UserError(
                "The global load balancer has no target {target} for {region}. Add it in DigitalOcean.",
                target=Code(target), region=Code(region),
            )  # fmt: skip

    def _ranked(self, region: str) -> dict[str, int]:
        return {slug: FIRST if name == region else SECOND for name, slug in self._ours().items()}

    def _preferred(self, found: Mapping[str, Any]) -> str:
        settings = found.get("glb_settings") or {}
        priorities = settings.get("region_priorities") or {}
        if not isinstance(priorities, dict) or not all(isinstance(each, int) for each in priorities.values()):
            raise TemporaryError("DigitalOcean does not answer (no priorities in its answer)")
        best = [slug for slug, number in priorities.items() if number == min(priorities.values())]
        return next((name for name, slug in self._ours().items() if best == [slug]), "")

    def _ours(self) -> Mapping[str, str]:
        return {name: self._regions[name] for name in self._targets if name in self._regions}

    async def _found(self) -> Mapping[str, Any]:
        answer = await self._api.call(lambda c: c.load_balancers.get(self._balancer))
        found = (answer or {}).get("load_balancer")
        if not isinstance(found, dict):
            raise TemporaryError("DigitalOcean does not answer (no load balancer in its answer)")
        if found.get("type") != "GLOBAL":
            raise UserError("{name} is no global load balancer.", name=Code(self._balancer))
        return found


def _body(found: Mapping[str, Any]) -> dict[str, Any]:
    """What was read, as a PUT takes it: a region is a slug there, and of droplets and tag only one may stand."""
    body = {name: value for name, value in found.items() if name not in READ_ONLY and value not in (None, "", [])}
    region = body.pop("region", None)
    slug = region.get("slug") if isinstance(region, dict) else region
    if slug:
        body["region"] = slug
    if body.get("tag"):
        body.pop("droplet_ids", None)
    return body
