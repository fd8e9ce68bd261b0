"""Restart: the steps, what stops them, and that a step run again after a crash does things once."""

from __future__ import annotations

import pytest

from bot.domain.errors import DriftError
from bot.domain.plans import Plan
from bot.ports.flows import Flow
from handlers import flows
from handlers.flows.tools import PATIENCE
from tests.handlers.department import API, WEB, Department
from tests.handlers.fakes import NOON, STUCK, DiedError, FakeRun, StoppedError

ALWAYS = {
    "restart", "scale", "undo", "promote", "rollback", "sync", "rightsize", "posture", "cordon", "uncordon", "drain",
}  # fmt: skip


@pytest.fixture(autouse=True)
def rollouts_move_on(department: Department) -> None:
    department.clock.ticks += [department.cluster.settles, department.cluster.ends]


def flow(department: Department, plan: Plan) -> Flow:
    return flows(department.ports)[plan.action]


async def run(department: Department, plan: Plan, dies_in: str = "") -> FakeRun:
    """One run; a death in a step is followed by a second run of everything, as after a restart of the process."""
    found = flow(department, plan)
    running = FakeRun(plan, dies_in)
    if dies_in:
        with pytest.raises(DiedError):
            await found.run(running)
        running = FakeRun(plan)
    running.said["result"] = (await found.run(running)).plain()
    return running


async def planned(department: Department, words: str) -> Plan:
    return (await department.proposed("anna", words)).plan


async def test_restart(department: Department) -> None:
    running = await run(department, await planned(department, "restart web"))
    assert department.cluster.done == [("restart", "nyc2", "web")]
    assert list(running.said) == ["restart", "rollout", "result"]
    assert running.said["rollout"] == "2 of 2 pods available"
    assert running.said["result"] == "web is restarted and available."
    assert running.progress == ["0 of 2 new, 2 available", "1 of 2 new, 2 available"]


async def test_restart_of_one_pod(department: Department) -> None:
    plan = await planned(department, "restart api api-6c9f7-b")
    await flow(department, plan).check(plan)
    running = await run(department, plan)
    assert department.cluster.done == [("delete", "api-6c9f7-b")]
    assert running.progress[0] == "api-6c9f7-b is told to go"
    assert running.said["restart"] == "api-6c9f7-b is gone"


async def test_the_next_pod_of_the_name_is_left_alone(department: Department) -> None:
    """A StatefulSet's: it came while the plan waited, or while pult was dead."""
    plan = await planned(department, "restart api api-6c9f7-b")
    await department.cluster.delete_pod(API, "api-6c9f7-b", plan.params["uid"])
    department.cluster.ends()
    department.cluster.done.clear()
    with pytest.raises(DriftError, match="The pod api-6c9f7-b that was planned on is gone"):
        await flow(department, plan).check(plan)
    await run(department, plan)
    assert department.cluster.done == []


async def test_a_pod_whose_node_is_dead_is_not_called_restarted(department: Department) -> None:
    plan = await planned(department, "restart api api-6c9f7-b")
    department.clock.ticks.remove(department.cluster.ends)
    with pytest.raises(StoppedError, match="api-6c9f7-b was told to go, and its node does not say that it is gone"):
        await run(department, plan)
    assert department.cluster.done == [("delete", "api-6c9f7-b")]


@pytest.mark.parametrize("words", ["restart web", "restart api api-6c9f7-b"])
@pytest.mark.parametrize("step", ["restart", "rollout"])
async def test_a_crash_in_a_restart_restarts_once(department: Department, words: str, step: str) -> None:
    await run(department, await planned(department, words), dies_in=step)
    assert len(department.cluster.done) == 1


async def test_a_restart_that_is_stuck_says_why(department: Department) -> None:
    plan = await planned(department, "restart web")
    department.clock.ticks.append(lambda: department.cluster.becomes(WEB, stuck=STUCK, done=False))
    with pytest.raises(StoppedError, match="rollout: The rollout is stuck: ImagePullBackOff"):
        await run(department, plan)


async def test_nobody_waits_for_ever(department: Department) -> None:
    plan = await planned(department, "restart web")
    department.clock.ticks.append(lambda: department.cluster.becomes(WEB, updated=1, done=False))
    with pytest.raises(StoppedError, match=r"rollout: Not available after 600 s\."):
        await run(department, plan)
    assert department.clock.now() - NOON >= PATIENCE


async def test_an_api_server_that_is_away_for_a_while_fails_nothing(department: Department) -> None:
    plan = await planned(department, "restart web")

    def flicker() -> None:
        seconds = (department.clock.now() - NOON).total_seconds()
        (department.cluster.away.add if seconds < 5 else department.cluster.away.discard)("nyc2")

    department.clock.ticks.append(flicker)
    assert "result" in (await run(department, plan)).said


@pytest.mark.parametrize(
    ("change", "why"),
    [({"template": "t-else"}, "web was changed"), ({"paused": True}, "web was paused")],
    ids=["template", "paused"],
)
async def test_drift_stops_a_restart_before_it_begins(department: Department, change: dict, why: str) -> None:
    plan = await planned(department, "restart web")
    await flow(department, plan).check(plan)
    department.cluster.becomes(WEB, **change)
    with pytest.raises(DriftError, match=why):
        await flow(department, plan).check(plan)


async def test_a_plan_says_every_step_that_its_flow_takes(department: Department) -> None:
    for words in ("restart web",):
        plan = await planned(department, words)
        running = await run(department, plan)
        assert [step.name for step in plan.steps] == [name for name in running.said if name != "result"]


async def test_which_flows_there_are(department: Department) -> None:
    assert set(flows(department.ports)) == ALWAYS | {"failover", "drill", "attest"}
    department.without = frozenset({"estate"})
    assert set(flows(department.ports)) == ALWAYS
