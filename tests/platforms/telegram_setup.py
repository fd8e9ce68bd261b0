"""A strict Bot API server in this process, pult's own Telegram against it, and a clock that the test moves."""

import asyncio
import json
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.domain.cards import Card, Place, Priority
from bot.platforms.telegram import open_telegram
from bot.platforms.telegram.settings import TelegramSettings
from bot.simulator import telegram
from bot.simulator.telegram.trouble import Trouble
from bot.simulator.world import World

FIXTURES = Path(__file__).parent.parent / "fixtures"
START = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
INCIDENTS, OPS, TOPIC = -1001000000001, -1001000000002, 17
ANNA, BORIS, VERA, MALLORY = 1001, 1002, 1004, 6666


class Clock:
    """Both sides' time. ``sleep`` waits for no wall time: it lets others run, and notes how long it would have been."""

    def __init__(self):
        self.at = START
        self.slept = []

    def now(self):
        return self.at

    def forward(self, seconds):
        self.at += timedelta(seconds=seconds)

    async def sleep(self, seconds):
        self.slept.append(seconds)
        await asyncio.sleep(0.01)
        self.forward(seconds)


class Simulated:
    """One world with a Telegram in it."""

    def __init__(self, clock):
        self.clock = clock
        self.app = telegram.application(World(seed=7, clock=clock))
        self.tg = self.app[telegram.TELEGRAM]
        self.base = ""

    def person(self, user):
        return telegram.Person(self.tg, user)

    def standing(self, chat=INCIDENTS):
        """What stands in *chat* of ours."""
        return [m for m in self.tg.standing(chat) if m.author["id"] == 424242]

    def calls(self, method):
        return [call for call in self.tg.calls if call.method == method]

    def fail(self, method, **how):
        self.tg.troubles.add(Trouble.read({"method": method, "mode": "before"} | how))


@asynccontextmanager
async def simulated():
    async with served(Simulated(Clock())) as sim:
        yield sim


@asynccontextmanager
async def served(sim):
    root = web.Application()
    root.add_subapp("/telegram", sim.app)
    async with TestServer(root, host="127.0.0.1") as running:
        sim.base = str(running.make_url("/telegram"))
        yield sim


def settings(base, **more):
    return TelegramSettings(**({"bot_token": "424242:SIM", "api_url": base, "poll": 1.0} | more))


def opened(sim, **more):
    extra = {name: more.pop(name) for name in ("words", "commands", "public_url", "painter") if name in more}
    return open_telegram(settings(sim.base, **more), sim.clock, **extra)


def card(place=f"telegram:{INCIDENTS}", subject="alert:a-7k2f", **more):
    where = Place(place) if isinstance(place, str) else place
    base = {"wanted": 1, "shown": 0, "ref": None, "attempts": 0, "created_at": START, "changed_at": START}
    return Card(subject, where, more.pop("priority", Priority.NORMAL), **(base | more))


def update(name):
    return json.loads((FIXTURES / "telegram-update" / name / "body.json").read_text())


async def until(condition, seconds=10):
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.005)
