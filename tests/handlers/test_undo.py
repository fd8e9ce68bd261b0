"""Undo: which revision comes back, who may not, and that a crash puts it back once."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.errors import DriftError
from bot.domain.phrases import phrase
from bot.domain.progressive import Progressive
from bot.ports.cluster import Workload
from bot.ports.flows import Flow
from bot.ports.rollouts import Revision
from handlers import flows
from tests.handlers.department import WEB, Check, Department
from tests.handlers.fakes import NOON, DiedError, FakeRun, StoppedError, image
from tests.handlers.test_approvals import card

OLD = Revision("5", (image("web", "4.9.0"),), NOON - timedelta(days=9), current=False)
MIDDLE = Revision("6", (image("web", "5.1.0"),), NOON - timedelta(days=2), current=False)
NOW = Revision("7", (image("web", "5.1.0"),), NOON - timedelta(hours=1), current=True)


@pytest.fixture(autouse=True)
def history(department: Department) -> None:
    """An undo changes the template, and its pods come one by one."""

    def back(workload: Workload, found: Revision) -> None:
        department.cluster.becomes(workload, template=f"t-{found.created}", images=found.images, updated=0, done=False)

    department.rollouts.kept[WEB], department.rollouts.back = (NOW, MIDDLE, OLD), back
    department.clock.ticks.append(department.cluster.settles)


def flow(department: Department) -> Flow:
    return flows(department.ports)["undo"]


@pytest.mark.parametrize(("words", "expected"), [("undo web", "undo-waiting"), ("вернуть web 5", "undo-named")])
async def test_the_card(department: Department, reads_as: Check, words: str, expected: str) -> None:
    made = await department.proposed("anna", words)
    reads_as(f"operations/{expected}", await card(department, made.id))
    reads_as(f"operations/{expected}.ru", await card(department, made.id, "ru"))


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("undo web 7", "Revision 7 is what web in production-nyc2 asks for already"),
        ("undo web 4", "The cluster keeps no revision 4 of web in production-nyc2. It keeps: 6, 5."),
        ("undo web in production-sfo3", "The cluster keeps no earlier revision of web in production-sfo3"),
        ("undo web 5 6", "Write it like this: undo <service>"),
        (
            "undo api in production",
            "api in production comes from git (deploy/production/kustomization.yaml in dept/api): Flux would overwrite "
            "an undo in the cluster. To bring an earlier version back in git: rollback api in production",
        ),
    ],
)
async def test_what_is_refused(department: Department, words: str, why: str) -> None:
    assert why in await department.say("anna", words, ok=False)


async def test_a_history_that_can_not_be_read_plans_nothing(department: Department) -> None:
    department.rollouts.away = True
    await department.say("anna", "undo web", ok=False)
    assert await department.store.read(lambda tx: tx.live_operations()) == ()


@pytest.mark.parametrize("dies_in", ["", "undo", "rollout"])
async def test_it_is_put_back_once_whatever_dies(department: Department, dies_in: str) -> None:
    """Once it is back, the revision has another number."""
    plan = (await department.proposed("anna", "undo web")).plan
    await flow(department).check(plan)
    if dies_in:
        with pytest.raises(DiedError):
            await flow(department).run(FakeRun(plan, dies_in))
    running = FakeRun(plan)
    said = await flow(department).run(running)
    assert said.plain() == "web in production-nyc2 runs its revision 6 again."
    assert department.rollouts.undone == ["6"]
    assert [step.name for step in plan.steps] == list(running.said)
    assert running.said["undo"] == ("it was put back already" if dies_in else "revision 6 is back")


async def test_a_change_meanwhile_is_never_overwritten(department: Department) -> None:
    plan = (await department.proposed("anna", "undo web")).plan
    department.cluster.becomes(WEB, template="t-else")
    department.rollouts.kept[WEB] = (
        Revision("8", (image("web", "5.2.0"),), NOON, current=True), replace(NOW, current=False), MIDDLE, OLD
    )  # fmt: skip
    with pytest.raises(DriftError, match="web was changed"):
        await flow(department).check(plan)
    with pytest.raises(StoppedError, match="undo: web was changed"):
        await flow(department).run(FakeRun(plan))
    assert department.rollouts.undone == []


async def test_a_rollout_that_waits_at_a_step_is_moved_on(department: Department) -> None:
    plan = (await department.proposed("anna", "undo web")).plan
    moved: list[str] = []
    waits = Progressive(1, 3, 20, under_way=True, waits=phrase("it waits at step 2 of 3 to be promoted"))
    department.rollouts.back = lambda workload, found: department.cluster.becomes(
        workload, template="t-back", progressive=waits, done=False
    )

    async def advance(workload: Workload, operation: str, *, full: bool = False) -> None:
        moved.append(f"{operation} {full}")
        department.cluster.becomes(workload, progressive=None, done=True)

    department.rollouts.advance = advance  # type: ignore[method-assign]
    running = FakeRun(plan)
    await flow(department).run(running)
    assert moved == [f"{running.operation}-1 False"]


async def test_pult_can_not_undo_an_undo(department: Department) -> None:
    assert flow(department).undo is None
