"""A drill's own step: do the people who would be called answer?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from bot.domain.contacts import CONTACT, Roll, rolled
from bot.domain.errors import UserError
from bot.domain.phrases import Phrase, phrase
from bot.domain.plans import PlannedStep
from bot.ports.clock import Clock
from bot.ports.flows import Did, Run, Say
from bot.ports.store import Store
from handlers.alerting import contacts
from handlers.alerting.rules import Rules
from handlers.flows.failover_tools import LOOK_EVERY, did

AS_A_RULE = timedelta(minutes=5)
"""For a plan that was made before the setting was taken away."""


def planned(answer: timedelta) -> PlannedStep:
    """The step, as it stands in a drill's plan."""
    return PlannedStep(CONTACT, phrase("Whoever would be called presses a button within {time}", time=answer),
                       skippable=True)  # fmt: skip


@dataclass(frozen=True)
class Contacting:
    """``answer``: how long people have. The question stands in the store, so that a crash asks nobody twice."""

    store: Store
    clock: Clock
    rules: Rules
    answer: timedelta | None

    async def step(self, running: Run, say: Say) -> Did:
        """UserError: nobody would be called, or not everybody answered; tried again, only those are asked again."""
        ident, answer = running.operation, self.answer or AS_A_RULE
        roll = await self.store.write(lambda tx: contacts.begin(tx, self.rules, ident, say.since, answer))
        if not roll.people:
            raise UserError("Nobody is on call now, so nobody would be called.")
        shown = ""
        while roll.waiting and self.clock.now() < roll.until:
            if (so_far := _so_far(roll)).plain() != shown:
                shown = so_far.plain()
                await say(so_far)
            await self.clock.sleep(LOOK_EVERY)
            roll = await self.store.read(lambda tx: tx.mark(rolled(ident)))
        now = self.clock.now()
        roll = await self.store.write(lambda tx: contacts.close(tx, ident, now))
        return _ended(roll)


def _so_far(roll: Roll) -> Phrase:
    names = ", ".join(each.person for each in roll.waiting)
    count = sum(each.answered is not None for each in roll.people)
    return phrase("{n} answered; waiting for {names} until {until}", n=count, names=names, until=roll.until)


def _ended(roll: Roll) -> Did:
    if missing := ", ".join(each.person for each in roll.waiting):
        raise UserError("These did not answer in time: {names}.", names=missing)
    figures = {each.person: None if each.took is None else each.took.total_seconds() for each in roll.people}
    said = phrase("answered: {names}", names=", ".join(each.person for each in roll.prompt) or "–")
    if spared := ", ".join(each.person for each in roll.spared):
        said = phrase("{said}; not asked in their quiet hours: {names}", said=said, names=spared)
    return did(said, answered=figures)
