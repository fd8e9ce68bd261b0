"""Scale: what is planned and refused, what an autoscaler makes of it, and that a crash scales once."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.domain.errors import DriftError
from bot.domain.phrases import phrase
from bot.domain.progressive import Progressive
from bot.ports.flows import Flow
from bot.ports.scaling import Autoscaler
from handlers import flows
from tests.handlers.department import WEB, WEB_SFO3, Check, Department
from tests.handlers.fakes import DiedError, FakeRun, StoppedError
from tests.handlers.test_approvals import card

HPA = Autoscaler("web-hpa", 2, 6)


@pytest.fixture(autouse=True)
def pods_come(department: Department) -> None:
    department.clock.ticks.append(department.cluster.settles)


def flow(department: Department) -> Flow:
    return flows(department.ports)["scale"]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("scale web 4", "scale-up"),
        ("scale web 1 in production-nyc2", "scale-down"),
        ("масштаб web 0", "scale-zero"),
    ],
)
async def test_the_card(department: Department, reads_as: Check, words: str, expected: str) -> None:
    made = await department.proposed("anna", words)
    reads_as(f"operations/{expected}", await card(department, made.id))
    reads_as(f"operations/{expected}.ru", await card(department, made.id, "ru"))


async def test_the_card_where_an_autoscaler_is(department: Department, reads_as: Check) -> None:
    department.scaling.scalers[WEB] = HPA
    made = await department.proposed("anna", "scale web 4")
    reads_as("operations/scale-autoscaler", await card(department, made.id))
    reads_as("operations/scale-autoscaler.ru", await card(department, made.id, "ru"))


async def test_the_card_where_an_autoscaler_is_changed(department: Department, reads_as: Check) -> None:
    department.scaling.scalers[WEB] = HPA
    made = await department.proposed("anna", "scale web 9 --autoscaler")
    reads_as("operations/scale-bounds", await card(department, made.id))
    reads_as("operations/scale-bounds.ru", await card(department, made.id, "ru"))


@pytest.mark.parametrize(("count", "bounds"), [(9, "9-9"), (1, "1-6"), (4, "4-6"), (2, "2-6")])
async def test_an_autoscaler_takes_other_bounds_by_choice(department: Department, count: int, bounds: str) -> None:
    department.scaling.scalers[WEB] = replace(HPA, least=3) if count == 2 else HPA
    plan = (await department.proposed("anna", f"scale web {count} —autoscaler")).plan
    await flow(department).check(plan)
    running = FakeRun(plan)
    await flow(department).run(running)
    scaled = [("scale", "nyc2", "web", str(count))]
    assert department.cluster.done == [("bound", "web-hpa", bounds), *scaled]
    assert [step.name for step in plan.steps] == list(running.said)


async def test_the_way_back_gives_the_autoscaler_its_bounds_again(department: Department) -> None:
    department.scaling.scalers[WEB] = HPA
    plan = (await department.proposed("anna", "scale web 9 --hpa")).plan
    running, found = FakeRun(plan), flow(department)
    with pytest.raises(DiedError):
        await found.run(FakeRun(plan, "autoscaler"))
    await found.run(running)
    assert found.undo is not None
    await found.undo(running)
    assert department.scaling.scalers[WEB] == HPA
    assert department.cluster.done == [
        ("bound", "web-hpa", "9-9"), ("scale", "nyc2", "web", "9"),
        ("bound", "web-hpa", "2-6"), ("scale", "nyc2", "web", "2"),
    ]  # fmt: skip


async def test_the_way_back_leaves_bounds_that_somebody_else_gave(department: Department) -> None:
    department.scaling.scalers[WEB] = HPA
    plan = (await department.proposed("anna", "scale web 9 --hpa")).plan
    running, found = FakeRun(plan), flow(department)
    await found.run(running)
    department.scaling.scalers[WEB] = replace(HPA, least=1)
    assert found.undo is not None
    with pytest.raises(StoppedError, match="The autoscaler web-hpa was changed meanwhile"):
        await found.undo(running)


@pytest.mark.parametrize("now", [replace(HPA, most=7), None], ids=["changed", "gone"])
async def test_bounds_that_somebody_changed_stop_it(department: Department, now: Autoscaler | None) -> None:
    department.scaling.scalers[WEB] = HPA
    plan = (await department.proposed("anna", "scale web 9 --autoscaler")).plan
    department.scaling.scalers.clear()
    if now:
        department.scaling.scalers[WEB] = now
    with pytest.raises(DriftError, match="The autoscaler web-hpa was changed"):
        await flow(department).check(plan)


async def test_what_an_autoscaler_can_not_be_told(department: Department) -> None:
    assert "No autoscaler moves web in production-nyc2" in await department.say(
        "anna", "scale web 4 --autoscaler", ok=False
    )
    department.scaling.scalers[WEB] = HPA
    assert "An autoscaler keeps at least one pod." in await department.say("anna", "scale web 0 --hpa", ok=False)
    none = await department.say("anna", "scale web 0", ok=False)
    assert "The autoscaler web-hpa keeps at least one pod of web in production-nyc2." in none
    assert "--autoscaler" not in none, "that would be refused as well"
    assert "asks for 2 pods already" in await department.say("anna", "scale web 2 --autoscaler", ok=False)


async def test_another_region_is_named(department: Department) -> None:
    made = await department.proposed("anna", "масштабируй web 3 в production-sfo3")
    await flow(department).run(FakeRun(made.plan))
    assert department.cluster.done == [("scale", "sfo3", "web", "3")]
    assert department.cluster.rollouts[WEB_SFO3].desired == 3


async def test_zero_waits_until_it_is_overridden(department: Department) -> None:
    made = await department.proposed("anna", "scale web 0")
    assert [hold.name for hold in made.plan.holds] == ["zero"]
    await department.say("boris", f"approve {made.id}", ok=False)
    assert department.approved == []
    await department.say("boris", f"approve {made.id} --override zero nobody needs it tonight")
    assert department.approved == [made.id]


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("scale web", "Write it like this: scale <service> <pods>"),
        ("scale web many", "Write it like this"),
        ("scale web -1", "Write it like this"),
        ("scale web ²", "Write it like this"),
        ("scale web 3 4", "Write it like this"),
        ("scale web 1001", "At most 1000 pods"),
        ("scale web " + "9" * 5000, "At most 1000 pods"),
        ("scale web 2", "web in production-nyc2 asks for 2 pods already"),
        ("scale wep 3", "Did you mean web?"),
        ("scale web 3 in nowhere", "web has no environment nowhere"),
        ("scale api 6 --autoscaler in production", "Change the bounds of HorizontalPodAutoscaler in dept/api"),
    ],
    ids=lambda text: text[:24],
)
async def test_what_is_refused(department: Department, words: str, why: str) -> None:
    assert why in await department.say("anna", words, ok=False)
    assert await department.store.read(lambda tx: tx.live_operations()) == ()


@pytest.mark.parametrize("count", [1, 7])
async def test_outside_of_an_autoscalers_range_is_refused(department: Department, count: int) -> None:
    department.scaling.scalers[WEB] = HPA
    said = await department.say("anna", f"scale web {count}", ok=False)
    assert f"The autoscaler web-hpa keeps web in production-nyc2 between 2 and 6 pods, and {count} is outside" in said
    assert f"scale web {count} --autoscaler in production-nyc2 changes its bounds, too." in said


async def test_a_paused_workload_and_one_with_a_version_under_way(department: Department) -> None:
    department.cluster.becomes(WEB, paused=True)
    assert "deployment/web is paused in Kubernetes" in await department.say("anna", "scale web 3", ok=False)
    waits = Progressive(1, 3, 20, under_way=True, waits=phrase("it waits"))
    department.cluster.becomes(WEB, paused=False, progressive=waits)
    assert "a new version under way" in await department.say("anna", "scale web 3", ok=False)


@pytest.mark.parametrize("dies_in", ["", "scale", "rollout"])
async def test_it_is_scaled_once_whatever_dies(department: Department, dies_in: str) -> None:
    plan = (await department.proposed("anna", "scale web 4")).plan
    await flow(department).check(plan)
    if dies_in:
        with pytest.raises(DiedError):
            await flow(department).run(FakeRun(plan, dies_in))
    running = FakeRun(plan)
    said = await flow(department).run(running)
    assert said.plain() == "web in production-nyc2 is scaled from 2 to 4."
    assert department.cluster.done == [("scale", "nyc2", "web", "4")]
    assert [step.name for step in plan.steps] == list(running.said)


async def test_a_second_attempt_takes_nothing_from_an_autoscaler(department: Department) -> None:
    """It had moved the number on when pult came back."""
    department.scaling.scalers[WEB] = HPA
    plan = (await department.proposed("anna", "scale web 4")).plan
    with pytest.raises(DiedError):
        await flow(department).run(FakeRun(plan, "scale"))
    department.cluster.becomes(WEB, desired=5)
    running = FakeRun(plan)
    await flow(department).run(running)
    assert len(department.cluster.done) == 1
    assert running.said["rollout"].endswith(": the autoscaler has moved it to 5")


async def test_a_number_that_somebody_else_set_is_no_success(department: Department) -> None:
    plan = (await department.proposed("anna", "scale web 4")).plan
    department.clock.ticks.insert(0, lambda: department.cluster.becomes(WEB, desired=9))
    with pytest.raises(StoppedError, match="rollout: Something else has scaled it to 9 meanwhile"):
        await flow(department).run(FakeRun(plan))


async def test_undo_asks_for_the_number_of_before(department: Department) -> None:
    plan = (await department.proposed("anna", "scale web 4")).plan
    running = FakeRun(plan)
    await flow(department).run(running)
    undo = flow(department).undo
    assert undo is not None
    assert (await undo(running)).plain() == "web in production-nyc2 asks for 2 pods again."
    await undo(FakeRun(plan))
    assert department.cluster.done == [("scale", "nyc2", "web", "4"), ("scale", "nyc2", "web", "2")]


async def test_undo_does_not_take_back_what_somebody_else_did(department: Department) -> None:
    plan = (await department.proposed("anna", "scale web 4")).plan
    department.cluster.becomes(WEB, desired=9)
    undo = flow(department).undo
    assert undo is not None
    with pytest.raises(StoppedError, match="Something else has scaled it to 9"):
        await undo(FakeRun(plan))
    assert department.cluster.done == []


@pytest.mark.parametrize("now", [HPA, Autoscaler("web-hpa", 2, 3)], ids=["new", "narrower"])
async def test_drift_stops_it_before_it_begins(department: Department, now: Autoscaler) -> None:
    if now is not HPA:
        department.scaling.scalers[WEB] = HPA
    plan = (await department.proposed("anna", "scale web 4")).plan
    await flow(department).check(plan)
    department.scaling.scalers[WEB] = now
    with pytest.raises(DriftError, match="The autoscaler web-hpa was changed"):
        await flow(department).check(plan)
    department.scaling.scalers.clear()
    department.cluster.becomes(WEB, desired=3)
    with pytest.raises(DriftError, match="web was scaled to 3 after this was planned"):
        await flow(department).check(plan)
