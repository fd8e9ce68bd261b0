"""A console served over HTTP with everything behind it faked: an asker with a book of answers, a list of cards."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from aiohttp import web
from yarl import URL

from bot.domain.cards import Card, Place, Priority
from bot.domain.messages import Message, Paragraph
from bot.domain.people import Directory, Person
from bot.domain.phrases import English, phrase, verbatim
from bot.domain.requests import Request
from bot.edge.console import Console
from bot.edge.console_parts import ConsoleParts
from bot.edge.server import serve
from bot.platforms.console.hub import Broadcast
from bot.platforms.console.transport import PAGE, ConsoleChat, Drawings
from bot.ports.commands import Call, Command, Reply
from bot.ports.console import Answer, Standing

NOON = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)


def digest(token: str) -> str:
    return sha256(token.encode()).hexdigest()


PEOPLE = (
    Person("anna", roles=frozenset({"sre"}), token_hash=digest("token-anna")),
    Person("boris", roles=frozenset({"sre"}), token_hash=digest("token-boris"), locale="ru"),
    Person("chen", roles=frozenset({"sre", "lead"}), token_hash=digest("token-chen")),
    Person("vera", roles=frozenset({"viewer"}), token_hash=digest("token-vera")),
)


async def _never(_: Call) -> Reply:
    raise AssertionError("the console runs no command itself")


def command(usage: str, about: str, *examples: str) -> Command:
    return Command((usage.split(" ", maxsplit=1)[0],), usage, verbatim(about), _never, examples=examples)


COMMANDS = (
    command("help [command]", "what you can ask, with examples"),
    command("status [service]", "one screen of what matters now", "status", "status api"),
    command("alerts [filter]", "what is firing now", "alerts", "alerts critical"),
    command("alert <id>", "one alert with its labels"),
    command("slo [service] [window]", "how a service does against its promise", "slo api", "slo api 7d"),
    command("restart <service> [pod]", "restart its pods one by one", "restart api"),
    command("releases [service]", "versions in each environment"),
    command("ops", "operations running, waiting, and the latest"),
    command("approve <op>", "approve a plan"),
)


class Russian(English):
    """Enough of a second language to see which one was used."""

    locale = "ru"

    def translate(self, text: str) -> str:
        return {"You asked {text}": "Вы спросили {text}", "High error rate": "Много ошибок"}.get(text, text)


@dataclass
class SteadyClock:
    """Time moves when a test says so; nobody is woken before."""

    at: datetime = NOON
    real: bool = False
    _ticks: list[asyncio.Future[None]] = field(default_factory=list)

    def now(self) -> datetime:
        return datetime.now(UTC) if self.real else self.at

    async def sleep(self, seconds: float) -> None:
        if self.real:
            await asyncio.sleep(seconds)
            return
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._ticks.append(woken)
        await woken

    def tick(self, by: timedelta) -> None:
        self.at += by
        ticks, self._ticks = self._ticks, []
        for woken in ticks:
            if not woken.done():
                woken.set_result(None)


@dataclass
class House:
    """The faked rest of pult."""

    clock: SteadyClock = field(default_factory=SteadyClock)
    hub: Broadcast = field(default_factory=Broadcast)
    standing: list[Standing] = field(default_factory=list)
    asked: list[Request] = field(default_factory=list)
    answers: dict[str, Answer] = field(default_factory=dict)
    trouble: Exception | None = None
    hold: asyncio.Event | None = None
    on_ask: Callable[[Request], None] | None = None
    console: Console | None = None

    async def ask(self, request: Request) -> Answer:
        self.asked.append(request)
        if self.hold is not None:
            await self.hold.wait()
        if self.trouble is not None:
            raise self.trouble
        if self.on_ask is not None:
            self.on_ask(request)
        default = Answer(True, Message(phrase("You asked {text}", text=request.text)))
        return self.answers.get(request.text, default)

    async def snapshot(self) -> Sequence[tuple[str, int, datetime, Message]]:
        return list(self.standing)

    async def show(self, subject: str, message: Message, revision: int = 1, **place: str) -> None:
        """As delivery does: a card on the console."""
        at = self.clock.now()
        where = Place("console:ops", **place)
        card = Card(subject, where, Priority.NORMAL, revision, revision - 1, None, 0, at, at)
        await ConsoleChat(self.hub).post(card, message, English())

    def parts(self, **changes: object) -> ConsoleParts:
        given: dict[str, object] = {
            "asker": self.ask, "snapshot": self.snapshot, "hub": self.hub, "drawing": Drawings(),
            "words": lambda locale, _zone: Russian() if locale == "ru" else English(),
            "directory": Directory(PEOPLE), "clock": self.clock, "page": PAGE, "version": "0.1.0", "commands": COMMANDS,
        }  # fmt: skip
        return ConsoleParts(**{**given, **changes})  # type: ignore[arg-type]

    @asynccontextmanager
    async def open(self, **changes: object) -> AsyncGenerator[URL]:
        """The console on a free port of the loopback, served as in production."""
        app = web.Application(client_max_size=4 * 1024 * 1024)
        self.console = Console(self.parts(**changes))
        app.add_routes(self.console.routes())
        app.on_shutdown.append(self.console.close)
        async with serve(app, "127.0.0.1", 0, drain=1.0) as address:
            yield URL(address)


def said(text: str) -> Message:
    return Message(phrase("High error rate"), blocks=(Paragraph(verbatim(text)),))
