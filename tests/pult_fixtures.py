"""A simulated department, and pult as a process beside it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from uuid import uuid4

import aiohttp
import pytest

from bot.simulator.server import simulator
from bot.simulator.settings import SimulatorSettings
from tests.department import Department
from tests.postgres import Server
from tests.pult_process import Pult
from tests.replicas import Twins

SPEED = 60
Make = Callable[..., Pult]


@pytest.fixture
async def department(request: pytest.FixtureRequest) -> AsyncIterator[Department]:
    """Sixty times as fast as life (or a parameter's times), without rate limits; alerts come only from the test."""
    speed = getattr(request, "param", SPEED)
    async with simulator(SimulatorSettings(port=0, speed=speed)) as simulation, aiohttp.ClientSession() as session:
        found = Department(simulation, session)
        await found.slack("rates", scale=0)
        await found.telegram("rates", scale=0)
        yield found


@pytest.fixture
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A store of its own: SQLite, or what the test is parametrised with: PostgreSQL, for one pult or two replicas."""
    if getattr(request, "param", "sqlite") == "sqlite":
        return f"sqlite:///{tmp_path}/pult.db"
    server: Server = request.getfixturevalue("postgres_server")
    return server.migrated(f"promise_{uuid4().hex[:12]}")


@pytest.fixture
def fresh() -> bool:
    """Whether pult starts in a new interpreter; a folder's conftest may say so."""
    return False


@pytest.fixture
async def make(
    request: pytest.FixtureRequest, department: Department, store_url: str, tmp_path: Path, fresh: bool
) -> AsyncIterator[Make]:
    """Makes a pult that is not started yet; the log of every one is shown when the test fails."""
    made: list[Pult] = []
    callspec = getattr(request.node, "callspec", None)
    kind = Twins if callspec and callspec.params.get("store_url") == "replicas" else Pult

    def one(**changes: object) -> Pult:
        folder = tmp_path / f"pult-{len(made)}" if made else tmp_path
        folder.mkdir(exist_ok=True)
        found = kind(department, folder, store_url, fresh=fresh)
        found.configure(**changes)
        made.append(found)
        if isinstance(found, Twins):
            made.append(found.other)
        return found

    yield one
    for each in made:
        if each.process is not None and each.process.returncode is None:
            await Pult.kill(each)
        print(_tail(each))


@pytest.fixture
async def pult(make: Make) -> Pult:
    """Running, with the department's own configuration."""
    found = make()
    await found.start()
    return found


def _tail(pult: Pult) -> str:
    """The end of its log, one short line each."""
    if not pult.log.exists():
        return ""
    lines = pult.log.read_text(errors="replace").splitlines()[-60:]
    return "\n".join(json.dumps(json.loads(x))[:600] if x.startswith("{") else x[:300] for x in lines)
