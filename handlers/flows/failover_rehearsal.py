"""What a drill does at the steps that nobody can take half: it looks whether they could be taken."""

from __future__ import annotations

from bot.domain.errors import UserError
from bot.domain.phrases import Phrase, phrase
from bot.ports.flows import Say
from handlers.flows.failover_tools import Leg


class Rehearsal:
    """Reads alone."""

    async def fence(self, leg: Leg, _: Say) -> Phrase:
        """Whether there is anything to fence, and somebody who could."""
        now = await leg.estate.database.replication(leg.course.way)
        if now.fenced:
            return phrase("fenced already")
        if not now.reachable:
            raise UserError("{primary} does not answer, so its fence could not be confirmed.", primary=now.primary)
        return phrase("would be fenced")

    async def promote(self, leg: Leg, _: Say) -> Phrase:
        """The standby that would be promoted, and under which address it would be found."""
        now = await leg.estate.database.replication(leg.course.way)
        if now.promoted:
            return phrase("promoted already")
        address = await leg.estate.database.address(leg.course.target)
        return phrase("{standby} would be promoted, at {address}", standby=now.standby, address=address)
