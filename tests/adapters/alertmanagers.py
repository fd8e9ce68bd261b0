"""Alertmanagers for the tests: a real one, the simulator, recorded ones and sick ones."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.adapters.alertmanager.settings import AlertmanagerSettings
from bot.adapters.alertmanager.silencer import AlertmanagerSilencer
from bot.simulator.server import simulator
from bot.simulator.settings import SimulatorSettings
from tests.real import Program

CASES = Path(__file__).parents[1] / "fixtures" / "alertmanager-api"
CONFIG = """
route: {receiver: pult, group_by: [alertname], group_wait: 0s}
receivers: [{name: pult}]
inhibit_rules: [{source_matchers: [alertname=Loud], target_matchers: [alertname=Quiet], equal: [service]}]
"""
UNKNOWN = "11111111-1111-4111-8111-111111111111"


def settings(*urls: str, **more: Any) -> AlertmanagerSettings:
    return AlertmanagerSettings(urls=urls, **more)


def later() -> datetime:
    return datetime.now(UTC) + timedelta(hours=1)


@dataclass
class Bench:
    """One Alertmanager, and a hand that raises alerts in it."""

    url: str
    silencer: AlertmanagerSilencer
    http: aiohttp.ClientSession

    async def fire(self, **labels: str) -> None:
        alert = {"labels": labels, "annotations": {"summary": "5 % of requests fail"}, "generatorURL": "http://prom/g"}
        async with self.http.post(f"{self.url}/api/v2/alerts", json=[alert]) as answer:
            assert answer.status == 200

    async def held(self, name: str, **labels: str) -> Any:
        """The one alert of this name (and these labels), once Alertmanager shows it."""
        async with asyncio.timeout(5):
            while True:
                told = await self.silencer.testimonies()
                held = [(group, each) for one in told for group in one.groups for each in group.alerts]
                wanted = {"alertname": name, **labels}.items()
                found = [(group, each) for group, each in held if wanted <= each.alert.labels.items()]
                if found:
                    return found[0][1]
                await asyncio.sleep(0.02)

    async def silences(self) -> dict[str, Any]:
        async with self.http.get(f"{self.url}/api/v2/silences") as answer:
            return {silence["id"]: silence for silence in await answer.json()}


@asynccontextmanager
async def somewhere(request: pytest.FixtureRequest) -> AsyncIterator[str]:
    if request.param == "real":
        program: Program = request.getfixturevalue("real")
        yield program.url
        return
    async with simulator(SimulatorSettings(port=0)) as running:
        yield f"{running.url}/alertmanager"


@dataclass
class Member:
    """A server that answers everything alike, and counts."""

    url: str
    asked: list[web.Request]


@asynccontextmanager
async def member(status: int, body: bytes, content_type: str = "application/json") -> AsyncIterator[Member]:
    asked: list[web.Request] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append(request)
        return web.Response(status=status, body=body, headers={"Content-Type": content_type})

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    async with TestServer(app) as server:
        yield Member(str(server.make_url("")).rstrip("/"), asked)


def recorded(case: str) -> tuple[int, bytes]:
    told = json.loads((CASES / case / "headers.json").read_bytes())
    body = next((path.read_bytes() for path in (CASES / case).glob("body.*")), b"")
    return told["status"], body


PATHS = ("status", "alerts/groups", "silences")
NOTHING = {"status": b'{"uptime":"2026-03-01T12:00:00.000Z"}', "alerts/groups": b"[]", "silences": b"[]"}


@asynccontextmanager
async def telling(said: dict[str, bytes], slowly: float = 0.0, status: int = 200) -> AsyncIterator[str]:
    """A member that says this by path, each answer after so many seconds."""

    async def answer(request: web.Request) -> web.Response:
        await asyncio.sleep(slowly)
        return web.Response(status=status, body=said[request.match_info["path"]])

    app = web.Application()
    app.router.add_get("/api/v2/{path:.*}", answer)
    async with TestServer(app) as server:
        yield str(server.make_url("")).rstrip("/")
