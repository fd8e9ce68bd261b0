"""The Machine port over a virtual machine: switched off and on."""

from __future__ import annotations

from typing import Final

from bot.adapters.digitalocean.client import Api
from bot.domain.errors import TemporaryError

OFF: Final = frozenset({"off", "archive"})
"""Statuses of a machine that runs nothing (digitalocean/openapi, droplets/models/droplet.yml)."""


class Droplet:
    """``power_off`` cuts the power: who is switched off for a fence does not answer any more (droplet_actions.yml)."""

    def __init__(self, api: Api, ident: int) -> None:
        self._api, self._ident = api, ident

    async def stop(self) -> None:
        """See the port. One that is off, or has an action under way, is not asked again."""
        await self._act("power_off", when_off=False)

    async def stopped(self) -> bool:
        """By its own status: an action that is completed says only that it was carried out."""
        return (await self._droplet())["status"] in OFF

    async def start(self) -> None:
        """See the port."""
        await self._act("power_on", when_off=True)

    async def allowed(self) -> str:
        """DigitalOcean does not tell what a token may do: that it shows the machine is all that can be known."""
        await self._droplet()
        return ""

    async def _act(self, kind: str, *, when_off: bool) -> None:
        """A locked machine has an action under way, and refuses another (422): who waits for it looks again."""
        droplet = await self._droplet()
        if (droplet["status"] in OFF) is not when_off:
            return
        if droplet.get("locked"):
            raise TemporaryError("the droplet is busy with another action: try again in a moment")
        await self._api.call(lambda c: c.droplet_actions.post(self._ident, body={"type": kind}))

    async def _droplet(self) -> dict[str, object]:
        answer = await self._api.call(lambda c: c.droplets.get(self._ident))
        droplet = (answer or {}).get("droplet")
        if not isinstance(droplet, dict) or "status" not in droplet:
            raise TemporaryError("DigitalOcean does not answer (no droplet in its answer)")
        return droplet
