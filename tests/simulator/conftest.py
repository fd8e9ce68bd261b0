"""Fixtures of the tests of the simulator's core."""

from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.simulator.server import Simulation, simulator
from bot.simulator.settings import SimulatorSettings, Target
from bot.simulator.world import World
from tests.simulator.world_parts import HandClock, Receiver


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def world(clock: HandClock) -> World:
    return World(clock=clock)


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    found = Receiver()
    app = web.Application()
    app.router.add_post("/{path:.*}", found.take)
    async with TestServer(app) as server:
        found.url = str(server.make_url("")).rstrip("/")
        yield found


@pytest.fixture
async def simulation(receiver: Receiver) -> AsyncIterator[Simulation]:
    """Everything, at fifty times the speed of life, on a free port."""
    settings = SimulatorSettings(port=0, speed=50, target=Target(receiver.url))
    async with simulator(settings) as running:
        yield running
