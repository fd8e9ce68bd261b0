"""An operation of a move run as the engine runs it: each step and pause is written by the real ledger."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta

import handlers
from bot.adapters.words import Languages
from bot.compose.core import LOCALES
from bot.domain.cards import Place, Wish, subject
from bot.domain.codec import encode
from bot.domain.errors import UserError
from bot.domain.messages import StepMark
from bot.domain.operations import Choice, Operation, State, StepReport
from bot.domain.phrases import Phrase, Words
from bot.engine.ledger import Ledger
from bot.engine.meters import Meters
from bot.ports.flows import Did, Say
from tests.handlers.department import SERVICES
from tests.handlers.fakes import FakeSay
from tests.handlers.moving import Moving

TAKES = {
    "freeze": 0.4, "lag": 0.3, "capacity": 34.0, "fence": 2.1, "promote": 21.5, "connections": 18.2, "shift": 1.3,
    "verify": 12.6, "report": 0.2, "rejoin": 44.0, "caught-up": 1.8, "rejoin-other": 51.0,
}  # fmt: skip
"""Seconds that each step takes besides what it waits for in the fakes."""


def words(moving: Moving, locale: str) -> Words:
    return Languages(LOCALES, moving.clock).words(locale, "Europe/Moscow")


@dataclass
class Recorded:
    """*choices*: what a person does at a failed step, after how long, and what is called then."""

    moving: Moving
    ident: str
    choices: Mapping[str, tuple[Choice, timedelta, Callable[[], None]]] = field(default_factory=dict)
    locale: str = "en"
    began: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        turned = handlers.turning(SERVICES, words(self.moving, self.locale))
        self.ledger = Ledger(self.moving.store, self.moving.clock, Meters("test"), turned)

    @property
    def operation(self) -> str:
        return self.ident

    @property
    def begun(self) -> set[str]:
        return self.began

    async def run(self, where: str = "slack:C0OPS") -> Operation:
        """From approved to its end; its card stands in *where*."""
        found = await self.moving.department.operation(self.ident)
        assert found.state is not State.WAITING, "it is not approved"
        now = self.moving.clock.now()
        wish = Wish(subject("op", self.ident), Place(where))
        await self.moving.store.write(lambda tx: tx.show(wish, now))
        await self.ledger.begin(self.ident)
        self.plan = found.plan
        self.started = self.moving.clock.now()
        flow = handlers.flows(self.moving.department.ports)[found.plan.action]
        try:
            state, said = State.SUCCEEDED, await flow.run(self)
        except UserError as error:
            state, said = State.FAILED, error.phrase
        await self.ledger.end(self.ident, str(state), encode(said))
        return await self.moving.department.operation(self.ident)

    async def step(self, name: str, work: Callable[[Say], Awaitable[Phrase | Did]], title: Phrase | None = None) -> str:
        self.began.add(name)
        while True:
            since = await self.ledger.started(self.ident, name)
            report = StepReport(name, StepMark.RUNNING, None, since, title=title)
            await self.ledger.report(self.ident, report)
            self.moving.clock.at += timedelta(seconds=TAKES.get(name.rpartition("there-")[2].removeprefix("back-"), 1))
            try:
                did = await work(FakeSay(since, []))
            except UserError as error:
                if not await self._goes_on(report, error):
                    return ""
                continue
            said, value = (did.said, did.value) if isinstance(did, Did) else (did, "")
            done = replace(report, mark=StepMark.DONE, said=said, ended_at=self.moving.clock.now(), value=value)
            await self.ledger.report(self.ident, done)
            return value

    async def _goes_on(self, report: StepReport, error: UserError) -> bool:
        """Whether it is tried again, after a person's pause."""
        now = self.moving.clock.now()
        failed = replace(report, mark=StepMark.FAILED, said=error.phrase, ended_at=now)
        await self.ledger.report(self.ident, failed)
        choice, after, mends = self.choices[report.name]
        await self.ledger.pause(self.ident, (Choice.RETRY, Choice.SKIP, Choice.ABORT))
        self.moving.clock.at += after
        mends()
        await self.ledger.resume(self.ident)
        if choice is Choice.ABORT:
            raise UserError("Ended at a failed step by a person. What was done before it stays done.")
        if choice is Choice.SKIP:
            await self.ledger.skip(self.ident, report.name)
        return choice is Choice.RETRY


async def approved(moving: Moving, text: str, after: timedelta = timedelta(seconds=74)) -> str:
    """The id of what *text* proposes, once somebody else has approved it."""
    made = await moving.department.proposed("anna", text)
    moving.clock.at += after
    await moving.department.say("chen", f"approve {made.id}")
    return made.id


def nothing() -> None:
    """Time alone mends it."""
