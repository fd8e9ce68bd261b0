"""kill -9 at each step of a failover; and a region that takes a replica of pult, and pult's store, along with it."""

from __future__ import annotations

import asyncio
import json
import time

import pytest

from bot.domain.codec import decode
from bot.domain.failover_steps import FAILOVER
from bot.domain.leases import DUTIES
from bot.domain.operations import Operation
from tests.department import Department, until
from tests.e2e.test_failover import LOOK, begun, fresh, restarts, started
from tests.postgres_standby import Pair
from tests.probed import Probe, probe
from tests.pult_fixtures import Make
from tests.pult_process import Pult
from tests.replicas import owned, settled

__all__ = ["fresh", "probe"]
SLOW = pytest.mark.timeout(240)
ONCE = ("firewall", "promote", "/records/")
"""What is asked of DigitalOcean, in the order in which it may be."""


@SLOW
@pytest.mark.parametrize("step", FAILOVER)
async def test_killed_in_a_step_it_goes_on_and_does_each_thing_once(
    make: Make, department: Department, probe: Probe, step: str
) -> None:
    pult = await started(make, probe)
    async with department.one_writer(LOOK):
        ident = await begun(pult)
        await begins(pult, ident, step)
        await pult.restart()
        card = await pult.becomes(ident, "succeeded")
    assert card.count("✔ ") == len(FAILOVER) + 1, "each step is done, and so is the whole"
    assert department.cloud.traffic() == "sfo3"
    asked = [path for method, path in department.cloud.calls if method != "GET"]
    assert [sum(word in path for path in asked) for word in ONCE] == [1, 1, 1]
    assert [next(word for word in ONCE if word in path) for path in asked] == list(ONCE)
    assert sorted(restarts(department, "sfo3")) == ["api", "api", "bots", "web", "worker"], (
        "scaled; api reads the address"
    )


@SLOW
@pytest.mark.postgres
async def test_the_region_takes_the_leading_replica_and_the_store_along(
    make: Make, department: Department, probe: Probe, standby_pair: Pair
) -> None:
    """The one that leads dies in the middle of the failover, together with its region and the store's primary."""
    pair = await started(make, probe), await started(make, probe)
    await settled(*pair)
    leads, other = pair if DUTIES in await owned(pair[0]) else (pair[1], pair[0])
    async with department.one_writer(LOOK):
        ident = await begun(leads)
        await begins(leads, ident, "fence")
        await leads.kill()
        await asyncio.to_thread(standby_pair.burn)
        await department.fault("region_down", "nyc2")
        at = time.monotonic()
        await asyncio.to_thread(standby_pair.promote)
        await until("the other one does not answer", lambda: _answers(other))
        await other.becomes(ident, "succeeded")
        print(f"the other replica ended it {time.monotonic() - at:.1f} s after its region was lost")
    assert department.cloud.traffic() == "sfo3"
    asked = [path for method, path in department.cloud.calls if method != "GET"]
    assert [sum(word in path for path in asked) for word in ONCE] == [1, 1, 1]


@pytest.fixture
def store_url(request: pytest.FixtureRequest) -> str:
    """PostgreSQL with a standby where the test has one."""
    if "standby_pair" in request.fixturenames:
        pair: Pair = request.getfixturevalue("standby_pair")
        return pair.url
    return f"sqlite:///{request.getfixturevalue('tmp_path')}/pult.db"


async def begins(pult: Pult, ident: str, name: str) -> None:
    """Wait until *name* has begun, as the store has it: a look takes no time that a step could end in."""

    async def running() -> bool:
        [(doc,)] = await asyncio.to_thread(pult.rows, f"SELECT doc FROM operations WHERE id = '{ident}'")
        operation: Operation = decode(json.loads(doc))
        step = operation.report(name)
        return step is not None and step.started_at is not None

    ends = time.monotonic() + 60
    while not await running():
        assert time.monotonic() < ends, f"{name} never begins"


async def _answers(pult: Pult) -> bool:
    try:
        return bool((await pult.ask("anna", "ops"))["ok"])
    except (AssertionError, OSError):
        return False
