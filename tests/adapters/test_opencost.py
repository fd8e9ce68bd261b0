"""The simulated OpenCost, answers of our own making, and those that can't be read."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from pydantic import SecretStr

from bot.adapters.opencost.allocations import OpencostAllocations, open_allocations
from bot.adapters.opencost.settings import OpencostSettings
from bot.domain.costs import Allocated, Place
from bot.domain.errors import TemporaryError, UserError
from bot.simulator.server import simulator
from bot.simulator.settings import SimulatorSettings

D = Decimal
START = datetime(2026, 3, 1, tzinfo=UTC)
END = START + timedelta(days=1)
WINDOW = {"start": "2026-03-01T00:00:00Z", "end": "2026-03-02T00:00:00Z"}
API = {
    "name": "cluster-one/production/api",
    "properties": {"cluster": "cluster-one", "namespace": "production", "controller": "api"},
    "window": WINDOW, "cpuCost": 2.0, "cpuCostAdjustment": 0.5, "cpuCoreRequestAverage": 1.0,
    "cpuCoreUsageAverage": 0.2, "ramCost": 1.0, "ramByteRequestAverage": 1024.0, "ramByteUsageAverage": 2048.0,
    "pvCost": 0.25, "loadBalancerCost": 0.4, "networkCost": 0.1, "totalCost": 4.25,
}  # fmt: skip


@asynccontextmanager
async def scripted(
    body: object, status: int = 200, asked: list[web.Request] | None = None
) -> AsyncIterator[OpencostAllocations]:
    async def answer(request: web.Request) -> web.Response:
        if asked is not None:
            asked.append(request)
        return (
            web.Response(text=body, status=status) if isinstance(body, str) else web.json_response(body, status=status)
        )

    app = web.Application()
    app.router.add_get("/model/allocation", answer)
    async with TestServer(app) as server:
        settings = OpencostSettings(
            url=str(server.make_url("/model/")), token=SecretStr("t0ken"), clusters={"cluster-one": "nyc2"}
        )
        async with open_allocations(settings) as found:
            yield found


async def test_one_workload_by_hand() -> None:
    """Of 2.50 for the processor four fifths were not used; memory was used beyond its request, so none is waste."""
    asked: list[web.Request] = []
    async with scripted({"code": 200, "data": [{API["name"]: API}]}, asked=asked) as opencost:
        (found,) = await opencost.allocations(START, END)
    place = Place("nyc2", "production", "api")
    assert found == Allocated(START, place, D("2.25"), D("2.0"), balancers=D("0.4"), volumes=D("0.25"))
    assert found.used + found.waste == D("4.25")
    (request,) = asked
    assert request.query["window"] == "2026-03-01T00:00:00Z,2026-03-02T00:00:00Z"
    assert (request.query["step"], request.query["includeIdle"]) == ("1d", "true")
    assert request.headers["Authorization"] == "Bearer t0ken"


async def test_idle_and_what_belongs_to_nobody() -> None:
    idle = {"name": "cluster-one/__idle__", "window": WINDOW, "cpuCost": 3.0, "ramCost": 1.5}
    bare = API | {"properties": {"cluster": "other", "namespace": "__unmounted__", "controller": "__unallocated__"}}
    async with scripted({"code": 200, "data": [{"cluster-one/__idle__": idle, "other/x": bare}]}) as opencost:
        found = await opencost.allocations(START, END)
    assert found[0] == Allocated(START, Place("nyc2"), D("4.5"), idle=True)
    assert found[1].place == Place("other")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("<html>log in</html>", 200),
        ({"code": 200}, 200),
        ({"code": 200, "data": [{"x": {"name": "x"}}]}, 200),
        ({"code": 200, "data": [{"x": API | {"cpuCost": "a lot"}}]}, 200),
        ({"code": 200, "data": [{"x": None}]}, 200),
        ({"code": 500}, 503),
        ({}, 429),
    ],
)  # fmt: skip
async def test_what_cant_be_read_is_no_answer(body: object, status: int) -> None:
    """Least of all a cheap one."""
    async with scripted(body, status) as opencost:
        with pytest.raises(TemporaryError, match="OpenCost"):
            await opencost.allocations(START, END)


async def test_a_refusal_is_said() -> None:
    async with scripted({"code": 400, "message": "no"}, 400) as opencost:
        with pytest.raises(UserError, match="OpenCost refuses this with 400"):
            await opencost.allocations(START, END)


async def test_nobody_listens() -> None:
    async with open_allocations(OpencostSettings(url="http://127.0.0.1:9")) as opencost:
        with pytest.raises(TemporaryError, match="OpenCost does not answer"):
            await opencost.check()


async def test_the_simulated_one() -> None:
    """Of each day what it allocates adds up to what the machines cost: idle is the rest."""
    midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    async with (
        simulator(SimulatorSettings(port=0)) as running,
        open_allocations(OpencostSettings(url=f"{running.url}/opencost")) as opencost,
    ):
        assert (await opencost.check()).endswith("/opencost answers, and reports nyc2, sfo3")
        found = await opencost.allocations(midnight - timedelta(days=2), midnight)
    assert {each.at for each in found} == {midnight - timedelta(days=2), midnight - timedelta(days=1)}
    sums: dict[tuple[Any, str], Decimal] = {}
    for each in found:
        key = each.at, each.place.cluster
        sums[key] = sums.get(key, D(0)) + each.used + each.waste
    assert len(sums) == 4
    assert all(
        float(cost) == pytest.approx(3 * 24 * (4 * 0.01304 + 7.7747 * 0.001748), rel=1e-3) for cost in sums.values()
    )
    assert {each.place.workload for each in found if not each.idle} == {"api", "bots", "worker", "web"}
