"""Restart and promote: the steps, what stops them, and that a step run again after a crash does things once."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.domain.errors import DriftError, UserError
from bot.domain.plans import Plan
from bot.ports.flows import Flow
from handlers import flows
from handlers.flows.rollouts import PATIENCE
from tests.handlers.department import API, DEPLOY, WEB, Department, manifest
from tests.handlers.fakes import NOON, STUCK, DiedError, FakeRun, StoppedError, digest, image

STAGING_API = replace(API, namespace="staging")


@pytest.fixture(autouse=True)
def rollouts_move_on(department: Department) -> None:
    department.clock.ticks.append(department.cluster.settles)


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


async def promotion(department: Department, to: str = "production") -> Plan:
    await department.reported()
    if to == "staging":
        department.cluster.becomes(STAGING_API, images=(image("api", "1.7.2"),), template="t-before")
    return await planned(department, f"promote api 1.8.0 to {to}")


def flux_applies(department: Department) -> None:
    """Flux looks every second, and applies what stands in the file."""

    def apply() -> None:
        for version in ("1.7.2", "1.8.0"):
            wanted = image("api", version)
            if digest("api", version) in department.forge.files[DEPLOY] and department.cluster.rollouts[API].images != (
                wanted,
            ):
                department.cluster.becomes(API, images=(wanted,), updated=0, done=False)

    department.clock.ticks.insert(0, apply)


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


async def test_a_restart_can_not_be_undone(department: Department) -> None:
    assert flows(department.ports)["restart"].undo is None


async def test_promote_by_git(department: Department) -> None:
    plan = await promotion(department)
    flux_applies(department)
    running = await run(department, plan)
    assert department.forge.files[DEPLOY] == manifest("1.8.0")
    assert department.forge.messages == ["deploy: api 1.8.0 to production\n\npult operation op-41c9"]
    assert department.cluster.done == [], "git owns the workload"
    assert running.said["result"] == "api 1.8.0 runs in production."
    assert running.progress[0] == "waiting for the new image to be applied"
    assert digest("api", "1.8.0")[:19] in running.said["verify"]


async def test_promote_by_patch(department: Department) -> None:
    plan = await promotion(department, "staging")
    running = await run(department, plan)
    assert department.cluster.done == [("image", image("api", "1.8.0"))]
    assert department.forge.messages == []
    assert running.said["result"] == "api 1.8.0 runs in staging."


@pytest.mark.parametrize("step", ["apply", "rollout", "verify"])
async def test_a_crash_in_a_promotion_commits_once(department: Department, step: str) -> None:
    plan = await promotion(department)
    flux_applies(department)
    running = await run(department, plan, dies_in=step)
    assert len(department.forge.messages) == 1
    assert running.said["apply"] == "it was committed already"


@pytest.mark.parametrize("step", ["apply", "rollout", "verify"])
async def test_a_crash_in_a_promotion_patches_once(department: Department, step: str) -> None:
    running = await run(department, await promotion(department, "staging"), dies_in=step)
    assert len(department.cluster.done) == 1
    assert running.said["apply"] == "it was set already"


async def test_the_old_image_is_not_mistaken_for_the_new(department: Department) -> None:
    """All pods are well before the new image arrives: that is not the end of the rollout."""
    plan = await promotion(department)
    with pytest.raises(StoppedError, match="rollout: Not available after"):
        await run(department, plan)


async def test_something_else_runs_in_the_end(department: Department) -> None:
    plan = await promotion(department, "staging")
    running = FakeRun(plan, skips=frozenset({"rollout"}))
    found = flow(department, plan)

    async def step(name: str, work) -> None:
        await FakeRun.step(running, name, work)
        department.cluster.becomes(STAGING_API, images=(image("api", "1.8.1"),))

    running.step = step  # type: ignore[method-assign]
    with pytest.raises(StoppedError, match="verify: Something else runs now"):
        await found.run(running)


@pytest.mark.parametrize("what", ["template", "file"])
async def test_drift_stops_a_promotion_before_it_begins(department: Department, what: str) -> None:
    plan = await promotion(department)
    await flow(department, plan).check(plan)
    if what == "template":
        department.cluster.becomes(API, template="t-else")
    else:
        department.forge.files[DEPLOY] += "# somebody was here\n"
    with pytest.raises(DriftError, match="was changed after this was planned"):
        await flow(department, plan).check(plan)


async def test_a_failed_commit_leaves_the_file(department: Department) -> None:
    plan = await promotion(department)
    department.forge.files[DEPLOY] = "images: []\n"
    with pytest.raises(StoppedError, match="has no image"):
        await run(department, plan)
    assert department.forge.messages == []


async def test_undo_by_git_puts_back_what_the_file_named(department: Department) -> None:
    """Not what ran: a workload may run an image that is named by tag only."""
    department.cluster.becomes(API, images=("registry.example/dept/api:1.7.2",))
    plan = await promotion(department)
    flux_applies(department)
    await run(department, plan)
    undo = flow(department, plan).undo
    said = [(await undo("op-41c9", plan)).plain() for _ in range(2)]
    assert department.forge.files[DEPLOY] == manifest("1.7.2")
    assert said[0] == said[1] == "The previous image of api is set again."
    assert len(department.forge.messages) == 2, "undone once"
    assert "1.8.0" not in department.forge.messages[1], "the message does not name what it takes back as what it brings"


async def test_undo_by_patch(department: Department) -> None:
    plan = await promotion(department, "staging")
    await run(department, plan)
    undo = flow(department, plan).undo
    for _ in range(2):
        await undo("op-41c9", plan)
    assert department.cluster.done == [("image", image("api", "1.8.0")), ("image", image("api", "1.7.2"))]


async def test_a_git_promotion_without_github(department: Department) -> None:
    plan = await promotion(department)
    department.without = frozenset({"forge"})
    with pytest.raises(UserError, match="No GitHub is configured"):
        await flow(department, plan).check(plan)


async def test_a_plan_says_every_step_that_its_flow_takes(department: Department) -> None:
    for words in ("restart web", "drill"):
        plan = await planned(department, words)
        running = await run(department, plan)
        assert [step.name for step in plan.steps] == [name for name in running.said if name != "result"]


async def test_which_flows_there_are(department: Department) -> None:
    assert set(flows(department.ports)) == {"restart", "promote", "sync", "failover", "drill"}
    department.without = frozenset({"database"})
    assert set(flows(department.ports)) == {"restart", "promote", "sync"}
