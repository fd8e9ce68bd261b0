"""What stops a database server that can't be spoken to: a workload, a droplet, a program of the department's own."""

from __future__ import annotations

import asyncio
import gc
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.adapters.digitalocean.client import Api
from bot.adapters.digitalocean.droplets import Droplet
from bot.adapters.digitalocean.settings import DigitaloceanSettings
from bot.adapters.kubernetes.machines import BEFORE, WorkloadMachine
from bot.adapters.postgres_ha import program
from bot.adapters.postgres_ha.program import Program
from bot.domain.errors import TemporaryError, UserError
from bot.ports.machines import Machine
from bot.simulator.digitalocean.droplets import SELF_RUN
from bot.simulator.digitalocean.surface import TOKEN
from bot.simulator.server import simulator
from bot.simulator.settings import SimulatorSettings
from tests.adapters import test_kubernetes_trouble as trouble
from tests.adapters.test_kubernetes_trouble import API, DEPLOYMENT_PATH, PODS_PATH, Bench, Scripted
from tests.department import until

bench, scripted = trouble.bench, trouble.scripted


# --- a workload ---


async def test_a_workload_is_scaled_to_none_and_back(bench: Bench) -> None:
    machine = WorkloadMachine(bench.cluster.apis, API)
    before = (await bench.cluster.rollout(API)).desired
    assert before > 1
    assert not await machine.stopped()
    for _ in range(2):
        await machine.stop()
    await until("its pods do not go", machine.stopped)
    assert await bench.cluster.pods(API) == ()
    for _ in range(2):
        await machine.start()
    assert (await bench.cluster.rollout(API)).desired == before
    assert not await machine.stopped()


@pytest.mark.parametrize(
    ("spec", "counted", "pods", "is_off"),
    [(0, 0, 0, True), (0, 0, 1, False), (0, 1, 0, False), (1, 0, 0, False)],
    ids=["all gone", "a pod on its way out", "one is counted", "one is wanted"],
)
async def test_a_pod_that_is_left_anywhere_is_not_stopped(
    scripted: Scripted, spec: int, counted: int, pods: int, *, is_off: bool
) -> None:
    obj = trouble.deployment(replicas=spec)
    obj["status"]["replicas"] = counted
    scripted.script.add("GET", DEPLOYMENT_PATH, 200, obj)
    scripted.script.add("GET", PODS_PATH, 200, {"metadata": {}, "items": [{"metadata": {"name": "pg-0"}}] * pods})
    assert await WorkloadMachine(scripted.cluster.apis, API).stopped() is is_off


async def test_a_workload_that_says_nothing_of_before_is_started_with_one(scripted: Scripted) -> None:
    scripted.script.add("GET", DEPLOYMENT_PATH, 200, trouble.deployment(replicas=0))
    scripted.script.add("PATCH", DEPLOYMENT_PATH, 200, {})
    await WorkloadMachine(scripted.cluster.apis, API).start()
    assert [method for method, _, _ in scripted.script.asked] == ["GET", "PATCH"]


async def test_an_api_server_that_is_away_confirms_nothing(scripted: Scripted) -> None:
    scripted.script.add("GET", DEPLOYMENT_PATH, 503, {"message": "etcd is away"})
    with pytest.raises(TemporaryError):
        await WorkloadMachine(scripted.cluster.apis, API).stopped()


@pytest.mark.parametrize(
    ("verb", "resource", "says"),
    [("patch", "deployments", "patch apps/deployments"), ("list", "pods", "list pods"), ("", "", "")],
)
async def test_a_right_that_is_missing_is_known_before(bench: Bench, verb: str, resource: str, says: str) -> None:
    if verb:
        bench.state.cluster("nyc2").deny(verb, resource)
    found = await WorkloadMachine(bench.cluster.apis, API).allowed()
    assert found == (f"nyc2 does not let pult {says} in production" if says else "")


async def test_from_how_many_it_was_stopped_stands_on_it(bench: Bench) -> None:
    """So that a pult that was restarted, or another one, starts as many."""
    before = (await bench.cluster.rollout(API)).desired
    await WorkloadMachine(bench.cluster.apis, API).stop()
    obj = await bench.cluster.apis["nyc2"].call("AppsV1Api", "read_namespaced_deployment", "api", "production")
    assert obj["metadata"]["annotations"][BEFORE] == str(before)


# --- a droplet ---


@dataclass
class Cloud:
    """One droplet, as digitalocean/openapi describes it; an accepted action takes three looks."""

    status: str = "active"
    locked: bool = False
    looks: int = 0
    asked: list[str] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.Response:
        if request.method == "POST":
            assert request.path == "/v2/droplets/205545371/actions"
            kind = (await request.json())["type"]
            self.asked.append(kind)
            if self.looks:
                return web.json_response({"id": "unprocessable_entity", "message": "pending event"}, status=422)
            self.looks = 3
            return web.json_response({"action": {"id": 1, "status": "in-progress", "type": kind}}, status=201)
        if self.looks:
            self.looks -= 1
            if not self.looks:
                self.status = "off" if self.asked[-1] == "power_off" else "active"
        return web.json_response({"droplet": {"id": 205545371, "status": self.status, "locked": self.locked}})


@asynccontextmanager
async def droplet(cloud: Cloud) -> AsyncIterator[Machine]:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", cloud.answer)
    async with TestServer(app) as server:
        url = str(server.make_url(""))
        api = Api(DigitaloceanSettings(api_url=url, token="t", timeout=timedelta(seconds=5)))
        yield Droplet(api, 205545371)
        api.close()


async def test_a_droplet_is_off_when_it_says_so_and_not_when_it_was_told_to() -> None:
    cloud = Cloud()
    async with droplet(cloud) as machine:
        await machine.stop()
        assert not await machine.stopped()
        await until("it does not go off", machine.stopped)
        await machine.stop()
        assert cloud.asked == ["power_off"]
        await machine.start()
        await until("it does not come back", lambda: _runs(machine))
        await machine.start()
        assert cloud.asked == ["power_off", "power_on"]


async def test_a_busy_droplet_is_asked_again_later() -> None:
    async with droplet(Cloud(locked=True)) as machine:
        with pytest.raises(TemporaryError, match="busy"):
            await machine.stop()


async def test_the_simulated_ones_power_is_cut_except_where_the_region_is_dead() -> None:
    ident = next(iter(SELF_RUN))
    async with simulator(SimulatorSettings(port=0, speed=40)) as running:
        api = Api(DigitaloceanSettings(api_url=f"{running.url}/digitalocean", token=TOKEN))
        machine = Droplet(api, ident)
        for _ in range(2):
            with suppress(UserError):  # the first one is under way
                await machine.stop()
        await until("it does not go off", machine.stopped)
        await machine.start()
        await until("it does not come back", lambda: _runs(machine))
        running.world.faults.start("region_down", "nyc2")
        await machine.stop()
        await asyncio.sleep(0.3)
        assert not await machine.stopped(), "accepted is not done"
        api.close()


async def _runs(machine: Machine) -> bool:
    return not await machine.stopped()


# --- a program ---


@pytest.fixture
def hand(tmp_path: Path) -> Program:
    """Says what is in ``code``, writes down what it was asked, and leaves a child that would outlive it."""
    path = tmp_path / "hand"
    path.write_text(
        f'#!/bin/sh\necho "$2" >>{tmp_path}/asked\necho "password=hunter2 went wrong"\n'
        f"if [ -e {tmp_path}/hang ]; then sleep 600 & echo $! >{tmp_path}/child; wait; fi\n"
        f'exit "$(cat {tmp_path}/code)"\n'
    )
    path.chmod(0o755)
    (tmp_path / "code").write_text("0")
    return Program("sfo3", (str(path), "sfo3"))


async def test_a_program_is_told_one_word_more(hand: Program, tmp_path: Path) -> None:
    assert await hand.allowed() == ""
    await hand.stop()
    assert await hand.stopped()
    await hand.start()
    assert (tmp_path / "asked").read_text().split() == ["fence", "confirm", "rejoin"]


async def test_a_program_that_fails_confirms_nothing_and_its_words_stay_in_the_log(
    hand: Program, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "code").write_text("3")
    assert not await hand.stopped()
    with pytest.raises(UserError, match="hand fence ends with 3 in sfo3") as raised:
        await hand.stop()
    assert "wrong" not in str(raised.value)
    assert any("went wrong" in json.dumps(vars(each), default=str) for each in caplog.records)
    assert "hunter2" not in "".join(json.dumps(vars(each), default=str) for each in caplog.records)


async def test_a_program_that_hangs_is_ended_with_all_it_started(
    hand: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "hang").touch()
    monkeypatch.setitem(program.DEADLINES, "confirm", 0.5)
    with pytest.raises(TemporaryError, match="confirm is not done after"):
        await hand.stopped()
    child = int((tmp_path / "child").read_text())
    await until("its child lives on", lambda: _gone(child))
    gc.collect()  # a pipe or a process that is left open fails whichever test runs when it is found


async def test_a_program_that_is_not_there_is_said() -> None:
    with pytest.raises(UserError, match="can't be run"):
        await Program("sfo3", ("/nowhere/hand",)).stop()
    assert await Program("sfo3", ("/nowhere/hand",)).allowed() == "there is no program /nowhere/hand"


async def _gone(pid: int) -> bool:
    await asyncio.sleep(0)
    stat: Any = Path(f"/proc/{pid}/stat")
    return not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] == "Z"
