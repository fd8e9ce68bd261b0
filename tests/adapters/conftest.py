"""An Alertmanager to speak to: a real one, and the simulator."""

from collections.abc import AsyncIterator, Iterator

import aiohttp
import pytest

from bot.adapters.alertmanager.silencer import open_silencer
from tests.adapters.alertmanagers import CONFIG, Bench, settings, somewhere
from tests.real import Program, alertmanager


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    with alertmanager(tmp_path_factory.mktemp("alertmanager"), CONFIG) as program:
        yield program


@pytest.fixture(params=["real", "simulator"])
async def bench(request: pytest.FixtureRequest) -> AsyncIterator[Bench]:
    async with somewhere(request) as url, open_silencer(settings(url)) as silencer, aiohttp.ClientSession() as http:
        yield Bench(url, silencer, http)
