"""A simulated GitHub to speak to, a wire that loses answers, and a GitHub that answers as it is told."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.adapters.clock import SystemClock
from bot.adapters.github.forge import GithubForge, open_forge
from bot.adapters.github.settings import GithubSettings
from bot.simulator.github.state import Forge, Repository
from bot.simulator.github.surface import TOKEN
from bot.simulator.server import Simulation, simulator
from bot.simulator.settings import SimulatorSettings

REPO, PATH = "dept/api", "deploy/production/kustomization.yaml"


def settings(url: str, **more: Any) -> GithubSettings:
    return GithubSettings(api_url=url, **({"token": TOKEN} | more))


@dataclass
class Naps:
    """The present, and sleep that takes no time but is counted."""

    slept: list[float] = field(default_factory=list)

    def now(self) -> datetime:
        return SystemClock().now()

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await asyncio.sleep(0)


@dataclass
class Wire:
    """Between pult and GitHub. The work is done, but of writes to a path that ends in *lost* the answers never arrive.

    A connection that breaks under a PUT makes aiohttp send it once more by itself: *once* lets that one through.
    """

    to: str
    http: aiohttp.ClientSession
    lost: str = ""
    once: bool = False
    writes: list[tuple[str, str]] = field(default_factory=list)

    async def carry(self, request: web.Request) -> web.Response:
        headers = {name: value for name, value in request.headers.items() if name not in {"Host", "Accept-Encoding"}}
        url = f"{self.to}{request.path_qs}"
        async with self.http.request(request.method, url, data=await request.read(), headers=headers) as answer:
            body = await answer.read()
        if request.method != "GET":
            self.writes.append((request.method, request.path))
            if self.lost and request.path.endswith(self.lost) and request.transport is not None:
                request.transport.abort()
                self.lost = "" if self.once else self.lost
        kept = {name: value for name, value in answer.headers.items() if name not in {"Content-Length", "Connection"}}
        return web.Response(status=answer.status, body=body, headers=kept)


@dataclass
class Bench:
    simulation: Simulation
    forge: GithubForge
    url: str
    wire: Wire
    clock: Naps

    @property
    def github(self) -> Forge:
        assert isinstance(self.simulation.world.github, Forge)
        return self.simulation.world.github

    @property
    def repo(self) -> Repository:
        return self.github.repository(REPO)


@asynccontextmanager
async def simulated(speed: float = 1.0) -> AsyncIterator[Bench]:
    """The adapter, the wire, and the simulated GitHub behind it."""
    async with simulator(SimulatorSettings(port=0, speed=speed)) as running, aiohttp.ClientSession() as http:
        wire = Wire(running.url, http)
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", wire.carry)
        async with TestServer(app) as server:
            url, clock = str(server.make_url("/github/")), Naps()
            async with open_forge(settings(url), clock) as forge:
                yield Bench(running, forge, url, wire, clock)


Told = tuple[int, Any, dict[str, str]]


@dataclass
class Script:
    """Answers for every path, or for one, or for a method of one; of a list one after the other, the last for ever."""

    answers: dict[str, Told | list[Told]] = field(default_factory=dict)
    asked: list[tuple[str, str, str]] = field(default_factory=list)
    bodies: list[Any] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append((request.method, request.path, request.headers.get("Authorization", "")))
        raw = await request.read()
        self.bodies.append(json.loads(raw) if raw else None)
        names = (f"{request.method} {request.path}", request.path, "*")
        told = next(self.answers[name] for name in names if name in self.answers)
        if isinstance(told, list):
            told = told.pop(0) if len(told) > 1 else told[0]
        status, body, headers = told
        text = body if isinstance(body, str) else json.dumps(body)
        return web.Response(status=status, text=text, headers={"Content-Type": "application/json"} | headers)


@asynccontextmanager
async def scripted(script: Script, **more: Any) -> AsyncIterator[GithubForge]:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", script.answer)
    async with TestServer(app) as server, open_forge(settings(str(server.make_url("")), **more), Naps()) as forge:
        yield forge
