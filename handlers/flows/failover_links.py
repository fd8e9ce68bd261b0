"""The settings by which services find the database: switched, then read anew by whoever reads them, in order."""

from __future__ import annotations

from bot.domain.errors import TemporaryError, UserError
from bot.domain.failover_course import Switch
from bot.domain.phrases import Code, Phrase, phrase
from bot.domain.services import NO_TOOL, Environment
from bot.ports.cluster import Workload
from bot.ports.flows import Did, Say
from bot.ports.gitops import GitOps
from handlers.flows.failover_tools import LOOK_EVERY, PATIENCE, Leg, Tools, did, listed
from handlers.flows.rollouts import watch


class Links:
    """Each place of the region that takes over."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools

    async def switch(self, leg: Leg, say: Say) -> Did:
        """One place after the other, and its readers before the next place. UserError: one does not come back."""
        address = await leg.estate.database.address(leg.course.target)
        told: list[Phrase] = []
        for link in leg.course.links:
            if link.was == address:
                told.append(phrase("{place} is so already", place=link.named))
                continue
            await leg.estate.connections.switch(link.place, address, leg.operation)
            await self._read_anew(leg, link, say)
            names = ", ".join(service for service, _ in link.readers)
            told.append(phrase("{place} is switched, {names} restarted", place=link.named, names=names or "–"))
        return did(listed(told), address=address)

    async def rehearse(self, leg: Leg, _: Say) -> Phrase:
        """Whether it may be written, and what it holds now. UserError: it may not."""
        connections, found, closed = leg.estate.connections, list[Phrase](), list[Phrase]()
        for link in leg.course.links:
            if why := await connections.allowed(link.place):
                closed.append(phrase("{place}: {why}", place=link.named, why=why))
            else:
                now = await connections.reads(link.place)
                found.append(phrase("{place} holds {address}", place=link.named, address=Code(now)))
        if closed:
            raise UserError("pult may not switch: {closed}.", closed=listed(closed))
        return phrase("may be switched: {found}", found=listed(found))

    async def _read_anew(self, leg: Leg, link: Switch, say: Say) -> None:
        """Git's change has to come to the cluster first; a restart that was ordered already is not ordered again."""
        cluster, clock = self._tools.cluster, self._tools.clock
        for service, environment in link.readers:
            await say(phrase("{place}: {service} is restarted", place=link.named, service=service))
            if not link.place.secret:
                await self._synced(leg, service, environment, say)
            target = Workload.of(environment)
            await cluster.restart(target, leg.operation, clock.now())
            await watch(cluster, clock, target, say)

    async def _synced(self, leg: Leg, service: str, environment: Environment, say: Say) -> None:
        """UserError: its tool says that it can't be applied, or does not get there."""
        tool, clock = self._tools.gitops, self._tools.clock
        if tool is None or environment.gitops.tool == NO_TOOL:
            return
        token, ends = f"{leg.operation}-{say.since:%H%M%S}", clock.now() + PATIENCE
        await tool.ask(environment, "", token)
        while not await self._applied(tool, environment, token, say):
            if clock.now() >= ends:
                raise UserError("{service} is not applied after {time}.", service=service, time=PATIENCE)
            await clock.sleep(LOOK_EVERY)

    async def _applied(self, tool: GitOps, environment: Environment, token: str, say: Say) -> bool:
        try:
            found = await tool.progress(environment, "", token)
        except TemporaryError:
            return False
        if found.stuck is not None:
            raise UserError("It can't be applied: {why}", why=found.stuck)
        if found.doing is not None:
            await say(found.doing)
        return found.synced or found.done
