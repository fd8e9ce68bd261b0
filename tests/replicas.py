"""What tests of several replicas share: who owns what, and whether everything stands in both chats, once."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from bot.domain.leases import DUTIES, shares
from tests.department import INCIDENTS, INCIDENTS_TG, Department, until
from tests.promises.alerts import fires
from tests.pult_process import Answer, Pult

LEASES = (*shares(), DUTIES, "telegram")
TAKEOVER = 10.0
"""Seconds until another replica does what a killed one did (the issue's figure)."""


async def settled(*pults: Pult) -> None:
    """Each of them knows all, and every lease has exactly one owner."""

    async def agree() -> bool:
        try:
            told = [await _told(each) for each in pults]
        except aiohttp.ClientError:
            return False
        held = Counter([name for alive, names in told if alive == len(pults) for name in names])
        return held == Counter(LEASES)

    await until("the replicas don't agree", agree)


async def owned(pult: Pult) -> list[str]:
    """The leases that *pult* holds."""
    return (await _told(pult))[1]


async def _told(pult: Pult) -> tuple[float, list[str]]:
    """How many replicas *pult* sees, and what it holds, from one look at its metrics."""
    async with pult.department.session.get(f"{pult.url}/metrics") as answer:
        text = await answer.text()
    alive = re.search(r"^pult_replicas (\S+)$", text, re.MULTILINE)
    return float(alive[1]) if alive else 0.0, re.findall(r'^pult_lease_owner{lease="(.*)"} 1.0$', text, re.MULTILINE)


async def posted(department: Department, names: Iterable[str]) -> dict[str, tuple[int, int]]:
    """How many cards there are of each name, in Slack and in Telegram."""
    slack = [str(m["revisions"]) for m in await department.slack_messages(INCIDENTS) if not m["thread_ts"]]
    telegram = [str(m["revisions"]) for m in await department.telegram_messages(INCIDENTS_TG) if m["reply_to"] is None]
    return {name: (sum(name in m for m in slack), sum(name in m for m in telegram)) for name in names}


async def stand(department: Department, names: Iterable[str]) -> dict[str, tuple[int, int]]:
    """Wait until each name stands in both chats; how often."""

    async def all_of_them() -> dict[str, tuple[int, int]] | None:
        found = await posted(department, names)
        return found if all(min(each) for each in found.values()) else None

    return await until("something was answered 200 and not delivered", all_of_them)


async def once(department: Department, names: Iterable[str]) -> None:
    """Wait until each name stands in both chats, and never twice."""
    names = tuple(names)
    assert await stand(department, names) == dict.fromkeys(names, (1, 1))


@dataclass
class Twins(Pult):
    """Two replicas on one store as if they were one pult: each is spoken to in turn, and they are killed in turn.

    A promise kept by one process is kept by these, too, in the same words.
    """

    turn: int = 0

    def __post_init__(self) -> None:
        other = self.folder / "other"
        other.mkdir()
        self.other = Pult(self.department, other, self.store, fresh=self.fresh)
        super().__post_init__()

    @property
    def living(self) -> list[Pult]:
        return [each for each in (self, self.other) if each.process and each.process.returncode is None]

    def configure(self, **changes: Any) -> None:
        super().configure(**changes)
        self.other.configure(**changes)

    async def start(self, *, ready: bool = True) -> None:
        """Whichever does not run; both, at first, until they have shared the work."""
        first = not self.living
        self.other.arguments, self.other.environ = self.arguments, self.environ
        if self.other not in self.living:
            await self.other.start(ready=ready)
        if self not in self.living:
            await super().start(ready=ready)
        if ready and first:
            await settled(self, self.other)

    async def kill(self) -> None:
        """One of them, the other the next time."""
        self.turn += 1
        if self.turn % 2:
            await super().kill()
        else:
            await self.other.kill()

    async def stop(self) -> int:
        """Both, one after the other as in a rolling update."""
        return max(await super().stop(), await self.other.stop())

    async def post(self, path: str, body: bytes | AsyncIterable[bytes], headers: Mapping[str, str]) -> Answer:
        """To each of those alive in turn."""
        self.turn += 2
        living = self.living or [self]
        chosen = living[self.turn // 2 % len(living)]
        return await (super().post(path, body, headers) if chosen is self else chosen.post(path, body, headers))

    async def metric(self, name: str, **labels: str) -> float:
        """Counters of both together; of gauges the larger."""
        found = [
            await (super(Twins, self).metric(name, **labels) if each is self else each.metric(name, **labels))
            for each in self.living
        ]
        return sum(found) if name.endswith(("_total", "_count")) else max(found, default=0.0)

    def log_text(self) -> str:
        return super().log_text() + (self.other.log_text() if self.other.log.exists() else "")


@dataclass
class Load:
    """Alerts sent to several replicas in turn, each until it was taken, as Alertmanager does."""

    pults: tuple[Pult, ...]
    prefix: str
    pause: float = 0.1
    taken: list[str] = field(default_factory=list)
    refused: int = 0

    async def run(self) -> None:
        number = 0
        while True:
            name, number = f"{self.prefix}{number:04d}", number + 1
            await self._insist(name, number)
            self.taken.append(name)
            await asyncio.sleep(self.pause)

    async def _insist(self, name: str, turn: int) -> None:
        while True:
            pult, turn = self.pults[turn % len(self.pults)], turn + 1
            try:
                answer = await pult.alert(fires(name))
            except (aiohttp.ClientError, TimeoutError):
                self.refused += 1
            else:
                assert answer.status in {200, 503}, answer
                if answer.status == 200:
                    return
                self.refused += 1
            await asyncio.sleep(self.pause)

    async def reached(self, count: int) -> None:
        """Wait until so many more were taken."""
        goal = len(self.taken) + count

        async def enough() -> bool:
            return len(self.taken) >= goal

        await until("nothing is taken any more", enough)


@asynccontextmanager
async def load(*pults: Pult, prefix: str = "Load") -> AsyncIterator[Load]:
    """Send until the block is left."""
    sending = Load(pults, prefix)
    task = asyncio.create_task(sending.run())
    try:
        yield sending
    finally:
        task.cancel()
        await asyncio.wait({task})
        if not task.cancelled() and (error := task.exception()):
            raise error
