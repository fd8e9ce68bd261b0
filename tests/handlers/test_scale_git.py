"""Scale where git owns the number: it is written there, applied, and put back the same way; or it is said why not."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from bot.domain.errors import DriftError
from bot.domain.plans import Plan
from bot.ports.flows import Flow
from bot.ports.scaling import Autoscaler
from handlers import flows
from tests.handlers.department import API, DEPLOY, Check, Department, manifest
from tests.handlers.fakes import STUCK, DiedError, FakeRun, StoppedError
from tests.handlers.test_approvals import card

WITH_SIX = manifest("1.7.2") + "replicas:\n  - name: api\n    count: 6\n"


@pytest.fixture(autouse=True)
def applied(department: Department) -> None:
    """The tool applies what the branch holds, and pods come one by one."""

    def apply() -> None:
        count = 6 if department.forge.files[DEPLOY] == WITH_SIX else 4
        department.cluster.becomes(API, desired=count, updated=min(4, count), done=False)

    department.gitops.slow, department.gitops.apply = 1, apply
    department.clock.ticks.append(department.cluster.settles)


def flow(department: Department) -> Flow:
    return flows(department.ports)["scale"]


async def planned(department: Department) -> Plan:
    return (await department.proposed("anna", "scale api 6 in production")).plan


async def test_the_card(department: Department, reads_as: Check) -> None:
    made = await department.proposed("anna", "scale api 6 in production")
    reads_as("operations/scale-git", await card(department, made.id))
    reads_as("operations/scale-git.ru", await card(department, made.id, "ru"))


@pytest.mark.parametrize("dies_in", ["", "write", "sync", "rollout"])
async def test_it_is_written_once_and_applied(department: Department, dies_in: str) -> None:
    plan = await planned(department)
    await flow(department).check(plan)
    if dies_in:
        with pytest.raises(DiedError):
            await flow(department).run(FakeRun(plan, dies_in))
    running = FakeRun(plan)
    assert (await flow(department).run(running)).plain() == "api in production is scaled from 4 to 6."
    assert department.forge.files[DEPLOY] == WITH_SIX
    assert department.forge.messages == ["scale: api in production to 6\n\npult operation op-41c9"]
    assert department.gitops.asked == [("production", "", "op-41c9")]
    assert [step.name for step in plan.steps] == list(running.said)
    assert department.cluster.done == [], "the cluster is its tool's"


async def test_the_way_back(department: Department) -> None:
    plan = await planned(department)
    running, found = FakeRun(plan), flow(department)
    await found.run(running)
    assert found.undo is not None
    with pytest.raises(DiedError):
        await found.undo(FakeRun(plan, "undo-write"))
    assert (await found.undo(running)).plain() == "api in production asks for 4 pods again."
    assert department.forge.files[DEPLOY] == manifest("1.7.2")
    assert len(department.forge.messages) == 2


async def test_the_way_back_takes_nothing_else_with_it(department: Department) -> None:
    plan = await planned(department)
    running, found = FakeRun(plan), flow(department)
    await found.run(running)
    department.forge.files[DEPLOY] = WITH_SIX.replace("1.7.2", "1.8.0") + "# and more\n"
    assert found.undo is not None
    with pytest.raises(StoppedError, match="was changed after this operation: put the number back there"):
        await found.undo(running)


async def test_what_somebody_pushes_meanwhile_stops_it(department: Department) -> None:
    plan = await planned(department)
    department.forge.files[DEPLOY] += "# more\n"
    with pytest.raises(DriftError, match="was changed after this was planned"):
        await flow(department).check(plan)
    with pytest.raises(StoppedError, match=r"write: deploy/production/kustomization.yaml was changed"):
        await flow(department).run(FakeRun(plan))
    assert department.forge.messages == []


async def test_a_tool_that_is_stuck_pauses_it(department: Department) -> None:
    plan, department.gitops.stuck = await planned(department), STUCK
    with pytest.raises(StoppedError, match="sync: It will not get there by itself: ImagePullBackOff"):
        await flow(department).run(FakeRun(plan))


OWNED = "api in production belongs to git"


@pytest.mark.parametrize(
    ("files", "why"),
    [
        ({}, f"{OWNED}, and Flux may put the number back: change replicas in dept/api, beside deploy/production/"
             "kustomization.yaml. pult can't: There is no deploy/production/kustomization.yaml in dept/api."),
        ({DEPLOY: "image: {}\n"}, "says in 0 places how many pods api has"),
        ({DEPLOY: WITH_SIX}, "Git says it already for api in production: sync it."),
    ],
    ids=["no file", "values without it", "said already"],
)  # fmt: skip
async def test_what_is_refused(department: Department, files: Mapping[tuple[str, str], str], why: str) -> None:
    department.forge.files = dict(files)
    assert why in await department.say("anna", "scale api 6 in production", ok=False)


async def test_without_a_forge_it_says_where(department: Department) -> None:
    department.without = frozenset({"forge"})
    said = await department.say("anna", "scale api 6 in production", ok=False)
    assert "change replicas in dept/api, beside deploy/production/kustomization.yaml. pult can't: No GitHub" in said


async def test_what_an_autoscaler_moves_is_not_set_in_git(department: Department) -> None:
    department.scaling.scalers[API] = Autoscaler("api-hpa", 2, 9)
    said = await department.say("anna", "scale api 6 in production", ok=False)
    assert "Change the bounds of api-hpa in dept/api" in said


async def test_zero_is_held_there_too(department: Department) -> None:
    made = await department.proposed("anna", "scale api 0 in production")
    assert [hold.name for hold in made.plan.holds] == ["zero"]
