"""Pairs of databases that pass the Database suite: each opens one, and tells what its world sees of it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.adapters.digitalocean.client import open_api
from bot.adapters.digitalocean.lineage import Family
from bot.adapters.digitalocean.postgres import ManagedPostgres
from bot.adapters.digitalocean.settings import DigitaloceanSettings
from bot.domain.failover import Way
from bot.ports.regions import Database
from bot.simulator.digitalocean.state import Cloud
from bot.simulator.digitalocean.surface import TOKEN
from bot.simulator.server import Simulation, simulator
from bot.simulator.settings import SimulatorSettings
from tests.contracts.databases_postgres import selfrun

REGIONS = {"nyc2": "nyc2", "sfo3": "sfo3"}


@dataclass(frozen=True)
class Pair:
    """A primary in ``way.source`` and its standby in ``way.target``. ``writers``: the regions whose server takes the
    application's writes at this instant. ``dead``: nothing that this asks can be reached.
    """

    database: Database
    way: Way
    writers: Callable[[], Any]
    dead: Database


@asynccontextmanager
async def digitalocean(_: Path) -> AsyncIterator[Pair]:
    async with simulator(SimulatorSettings(port=0, speed=40)) as running:
        url = f"{running.url}/digitalocean"
        async with open_api(settings(url)) as api, open_api(settings("http://127.0.0.1:1")) as nowhere:

            async def writers() -> set[str]:
                cloud = cloud_of(running)
                return {cloud.databases[each].region for each in cloud.writable()}

            yield Pair(managed(running, api), Way("nyc2", "sfo3"), writers, managed(running, nowhere))


def settings(url: str, **more: Any) -> DigitaloceanSettings:
    return DigitaloceanSettings(api_url=url, **({"token": TOKEN} | more))


def managed(running: Simulation, api: Any) -> ManagedPostgres:
    async def lag() -> float | None:
        return cloud_of(running).lag

    return ManagedPostgres(api, Family("db-nyc2", "db-sfo3"), REGIONS, lag)


def cloud_of(running: Simulation) -> Cloud:
    assert isinstance(running.world.cloud, Cloud)
    return running.world.cloud


@asynccontextmanager
async def postgres(folder: Path) -> AsyncIterator[Pair]:
    async with selfrun(folder) as opened:
        yield Pair(*opened)


OPEN: dict[str, Callable[[Path], AbstractAsyncContextManager[Pair]]] = {
    "digitalocean": digitalocean,
    "postgres": postgres,
}
"""By provider; each gets a folder of its own."""
