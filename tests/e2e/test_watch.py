"""Trouble in a cluster, as its chat shows it: within seconds, once over a kill -9, and never ended by silence."""

from __future__ import annotations

import time

import pytest

from bot.simulator.kubernetes.kinds import POD
from bot.simulator.kubernetes.state import Clusters
from tests.department import OPS, Department, until
from tests.pult_fixtures import Make
from tests.pult_process import Pult

SOON = 10.0
"""Seconds from a change in a cluster to its alert (issue: Watch)."""
STATUS = "status"


def killed(department: Department) -> str:
    """A container of api is killed for its memory."""
    clusters = department.simulation.world.clusters
    assert isinstance(clusters, Clusters)
    return clusters.crash("nyc2", "production", "api", reason="OOMKilled")


async def live(pult: Pult) -> None:
    """Every cluster is watched: before that nothing can be seen."""

    async def watched() -> bool:
        return "Clusters watched nyc2, sfo3" in " ".join((await pult.ask("anna", STATUS))["text"].split())

    await until("the clusters are not watched", watched)


@pytest.mark.alone
async def test_it_is_told_within_seconds_and_over_when_it_is_over(make: Make, department: Department) -> None:
    pult = make(watch={"within": "8s"})
    await pult.start()
    await live(pult)
    killed(department)
    began = time.monotonic()
    await department.slack_shows("OutOfMemory · api", OPS)
    assert time.monotonic() - began < SOON
    await department.slack_shows("Resolved: OutOfMemory · api", OPS)


async def test_a_kill_tells_nothing_twice_and_a_dead_region_ends_nothing(make: Make, department: Department) -> None:
    pult = make()
    await pult.start()
    await live(pult)
    name = killed(department)
    await department.slack_shows("OutOfMemory · api", OPS)
    await pult.kill()
    await pult.start()
    await live(pult)
    await department.fault("region_down", "nyc2")

    async def blind() -> bool:
        return "nyc2: unknown" in (await pult.ask("anna", STATUS))["text"]

    await until("nyc2 is still called watched", blind)
    department.cluster("nyc2").store.remove(POD, "production", name)
    assert "OutOfMemory" in (await pult.ask("anna", "alerts"))["text"]
    assert len(await department.slack_messages(OPS, "OutOfMemory · api")) == 1
    await department.recovers()
    await department.slack_shows("Resolved: OutOfMemory · api", OPS)


async def test_where_it_may_not_look_it_says_so_once_and_does_no_harm(make: Make, department: Department) -> None:
    for resource in ("pods", "jobs"):
        department.cluster("nyc2").deny("watch", resource, namespace="production")
    pult = make()
    await pult.start()

    async def half_blind() -> str:
        told = " ".join((await pult.ask("anna", STATUS))["text"].split())
        return told if "nyc2: not wholly, since pult may not" in told and "nyc2: not yet" not in told else ""

    told = await until("nobody says that nyc2 is not watched", half_blind)
    assert told.count("since pult may not") == 1
    clusters = department.simulation.world.clusters
    assert isinstance(clusters, Clusters)
    killed(department)
    clusters.crash("sfo3", "production", "worker", reason="OOMKilled")
    await department.slack_shows("OutOfMemory · worker", OPS)
    assert await department.slack_messages(OPS, "OutOfMemory · api") == []
    assert (await pult.ask("anna", "pods api"))["ok"]
    closed = [line["place"] for line in pult.logged() if line["event"] == "a watch is closed"]
    assert sorted(place for place in closed if "nyc2" in place) == ["nyc2 production job", "nyc2 production pod"]
    _, said, _ = await pult.run("check")
    lines = [line for line in said.splitlines() if "trouble there is not seen" in line]
    assert len(lines) == 1
    assert "pult may not watch pods, watch batch/jobs" in lines[0]
