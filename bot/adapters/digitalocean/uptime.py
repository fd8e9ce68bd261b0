"""What DigitalOcean's uptime checks see of a region, from several places of the world."""

from __future__ import annotations

from bot.adapters.digitalocean.client import NONSENSE, Api
from bot.domain.failover import Sight


class UptimeChecks:
    """One witness for each check."""

    def __init__(self, api: Api) -> None:
        self._api = api

    async def sight(self, check: str) -> Sight:
        """Lost, or up, where a strict majority of the check's places says so. UserError, TemporaryError: no answer.

        Places that are still looking have no vote, but count: one that is left of four is no majority. A check that
        is switched off tells what it saw last, so it says nothing.
        """
        settings = await self._api.call(lambda c: c.uptime.get_check(check))
        state = await self._api.call(lambda c: c.uptime.get_check_state(check))
        try:
            enabled = settings["check"].get("enabled") is True
            said = [place["status"] for place in state["state"]["regions"].values()]
        except NONSENSE:
            return Sight.UNKNOWN
        if not enabled:
            return Sight.UNKNOWN
        if said.count("DOWN") * 2 > len(said):
            return Sight.LOST
        return Sight.UP if said.count("UP") * 2 > len(said) else Sight.UNKNOWN
