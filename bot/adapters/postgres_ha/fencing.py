"""The fence around one server: by itself, else by what runs it. Nothing counts that is not seen."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Final

from bot.adapters.postgres_ha import doors
from bot.adapters.postgres_ha.couple import Couple
from bot.adapters.postgres_ha.seen import look
from bot.domain.errors import PultError, TemporaryError, UserError
from bot.ports.clock import Clock
from bot.ports.machines import Machine

log = logging.getLogger(__name__)
STOPPED: Final = 120.0
"""Seconds until a machine that was told to stop must be seen stopped: a pod's grace period, a power-off."""
REFUSED: Final = 15.0
"""Seconds for which an order that is refused is given again."""
STARTED: Final = 120.0
"""Seconds until a server that was started again must answer."""
LOOK_EVERY: Final = 0.5


class Fences:
    """*machines*, by region, in the order in which they are tried."""

    def __init__(self, couple: Couple, machines: Mapping[str, Sequence[Machine]], clock: Clock) -> None:
        self._couple, self._all_machines, self._clock = couple, machines, clock

    async def fence(self, region: str) -> None:
        """TemporaryError, UserError: nothing of it is confirmed, and why."""
        try:
            await self._closed(region)
        except PultError as error:
            log.warning("the database server in %s is not fenced by itself: %s", region, error)
            if not self._machines(region):
                raise
            await self._switched_off(region, str(error))

    async def unfence(self, region: str) -> None:
        """Start what was stopped, open what was closed. TemporaryError: it does not come up."""
        for machine in self._machines(region):
            if await self._is_off(machine):
                await machine.start()
        waited = 0.0
        while await self._couple.glimpsed(region) is None:
            if waited >= STARTED:
                raise TemporaryError(f"the database server in {region} does not answer after {STARTED:g} s")
            await self._clock.sleep(LOOK_EVERY)
            waited += LOOK_EVERY
        await self.open(region)

    async def open(self, region: str) -> None:
        """Take away the fence that the server keeps by itself, if there is one."""
        async with self._couple.talking(region) as talk:
            if (await look(talk)).closed:
                await doors.open_again(talk)

    async def off(self, region: str) -> bool:
        """Whether what runs the server says that nothing of it runs."""
        for machine in self._machines(region):
            if await self._is_off(machine):
                return True
        return False

    async def restart(self, region: str, *, running: bool) -> None:
        """Stop it where it is *running*, and start it: as what, its start script decides."""
        if not self._machines(region):
            raise UserError("Nothing is configured that could start the server in {region}.", region=region)
        for machine in self._machines(region) if running else ():
            if why := await self._stopped(machine):
                raise UserError("The server in {region} does not stop: {why}", region=region, why=why)
        for machine in self._machines(region):
            await machine.start()

    async def examine(self, region: str) -> str:
        """What could stop a server that answers now. UserError: it may not, or it is another one's. Changes nothing."""
        for machine in self._machines(region):
            if why := await machine.allowed():
                raise UserError("The server in {region} can't be stopped: {why}", region=region, why=why)
            if await machine.stopped():
                raise UserError(
                    "What is to stop the server in {region} says that it is off: it is another one.", region=region
                )
        if not self._machines(region):
            return "but nothing is configured that could stop it where it does not answer"
        return "what would stop it sees it run"

    def _machines(self, region: str) -> Sequence[Machine]:
        return self._all_machines.get(region, ())

    async def _closed(self, region: str) -> None:
        """The server's own fence, seen. A standby takes no writes anyway."""
        async with self._couple.talking(region, 2 * doors.CONFIRM) as talk:
            if not (await look(talk)).standby:
                await doors.close(talk, region, self._clock.now(), self._clock)

    async def _switched_off(self, region: str, why: str) -> None:
        reasons = [why]
        for machine in self._machines(region):
            reasons.append(await self._stopped(machine) or await self._answers(region))
            if not reasons[-1]:
                return
        raise UserError(
            "It is not confirmed that the server in {region} takes no more writes: {why}",
            region=region, why="; ".join(reasons),
        )  # fmt: skip

    async def _answers(self, region: str) -> str:
        """Why what is said to be off is not, or an empty string: then it is another one that was stopped."""
        seen = await self._couple.glimpsed(region)
        return "" if seen is None or seen.fenced else "what was stopped is another one: it still answers"

    async def _stopped(self, machine: Machine) -> str:
        """Why it is not seen stopped, or an empty string. A refusal may come from an order that is under way."""
        asked, why, waited = False, "", 0.0
        while waited < (STOPPED if asked else REFUSED):
            try:
                if not asked:
                    await machine.stop()
                    asked = True
                if await machine.stopped():
                    return ""
                why = f"it still runs {STOPPED:g} s after it was told to stop"
            except PultError as error:
                why = str(error)
                if not asked and await self._is_off(machine):
                    return ""
            await self._clock.sleep(LOOK_EVERY)
            waited += LOOK_EVERY
        return why

    async def _is_off(self, machine: Machine) -> bool:
        try:
            return await machine.stopped()
        except PultError:
            return False
