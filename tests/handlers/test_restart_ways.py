"""Restart by eviction, and the way back from a restart that gets stuck."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.errors import DriftError
from bot.domain.phrases import phrase, verbatim
from bot.ports.cluster import Pod, Workload
from bot.ports.flows import Flow
from bot.ports.rollouts import Revision
from handlers import flows
from tests.handlers.department import WEB, Check, Department
from tests.handlers.fakes import NOON, DiedError, FakeRun, StoppedError, image
from tests.handlers.fakes_nodes import pod
from tests.handlers.test_approvals import card

BUDGET = verbatim("The disruption budget web needs 2 healthy pods and has 2 currently")
NOW = Revision("7", (image("web", "5.1.0"),), NOON - timedelta(hours=1), current=True)
GONE = phrase("its image can't be pulled: {image}", image="web:5.1.0")


@pytest.fixture(autouse=True)
def running(department: Department) -> None:
    department.rollouts.kept[WEB] = (NOW,)
    department.evictions.pods_of[WEB] = [pod("web-a"), pod("web-b", scratch=True)]
    department.clock.ticks += [department.cluster.settles, department.evictions.tick]


def flow(department: Department) -> Flow:
    return flows(department.ports)["restart"]


def ails(department: Department, **values: object) -> None:
    """A new pod of web is in trouble, from now on."""
    sick = Pod("web-new", "Pending", ready=False, restarts=0, started_at=None, node="node-1", trouble=GONE)
    department.cluster.found[WEB] = (*department.cluster.found[WEB], replace(sick, **values))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("restart web", "restart-rolling"),
        ("restart web --evict", "restart-evict"),
        ("restart web web-b --evict", "one"),
    ],
)
async def test_the_card(department: Department, reads_as: Check, words: str, expected: str) -> None:
    department.cluster.becomes(WEB, missing=1)
    if expected == "restart-evict":
        department.evictions.budgets["web-b"] = BUDGET
    made = await department.proposed("anna", words)
    name = "restart-evict-one" if expected == "one" else expected
    reads_as(f"operations/{name}", await card(department, made.id))
    reads_as(f"operations/{name}.ru", await card(department, made.id, "ru"))
    assert department.evictions.done == []


async def test_they_are_evicted_one_after_the_other(department: Department) -> None:
    plan = (await department.proposed("anna", "перезапусти web —evict")).plan
    assert department.evictions.rehearsed == ["web-a", "web-b"]
    running = FakeRun(plan)
    await flow(department).run(running)
    assert department.evictions.done == ["web-a", "web-b"]
    assert [step.name for step in plan.steps] == [*running.said]
    assert running.said["evict"] == "2 pods are replaced"
    assert department.cluster.done == [], "the template stays"


async def test_pods_that_are_all_gone_are_not_called_restarted(department: Department) -> None:
    """Approved late: others stand there by now. Of some that are left those are meant."""
    plan = (await department.proposed("anna", "restart web --evict")).plan
    department.evictions.pods_of[WEB] = [pod("web-b"), pod("web-c")]
    await flow(department).check(plan)
    department.evictions.pods_of[WEB] = [pod("web-c"), pod("web-d")]
    with pytest.raises(DriftError, match="Every pod that was planned on is gone"):
        await flow(department).check(plan)


@pytest.mark.parametrize("step", ["evict", "rollout"])
async def test_a_crash_evicts_nobody_twice(department: Department, step: str) -> None:
    plan = (await department.proposed("anna", "restart web --evict")).plan
    with pytest.raises(DiedError):
        await flow(department).run(FakeRun(plan, step))
    department.evictions.pods_of[WEB] += [pod("web-c"), pod("web-d")]
    await flow(department).run(FakeRun(plan))
    assert department.evictions.done == ["web-a", "web-b"]


async def test_one_pod_by_eviction(department: Department) -> None:
    plan = (await department.proposed("anna", "restart web web-b --evict")).plan
    await flow(department).run(FakeRun(plan))
    assert department.evictions.done == ["web-b"]


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("restart web web-z --evict", "web has no pod web-z. pods web lists them."),
        ("restart web web-a web-b", "Write it like this: restart <service> [pod] [--evict]"),
        ("restart web --evict in production-sfo3", "web has no pod in production-sfo3"),
    ],
)
async def test_what_is_refused(department: Department, words: str, why: str) -> None:
    assert why in await department.say("anna", words, ok=False)


async def test_more_pods_than_anybody_waits_for(department: Department) -> None:
    department.evictions.pods_of[WEB] = [pod(f"web-{n}") for n in range(201)]
    said = await department.say("anna", "restart web --evict", ok=False)
    assert "At most 200 pods are evicted one after the other; restart web rolls them." in said


async def test_a_new_pod_that_ails_stops_it_after_two_minutes(department: Department) -> None:
    department.evictions.barren.add("web-6c9f7")
    ails(department)
    plan = (await department.proposed("anna", "restart web --evict")).plan
    with pytest.raises(
        StoppedError, match=r"evict: The rollout is stuck: web-new: its image can't be pulled: web:5.1.0"
    ):
        await flow(department).run(FakeRun(plan))
    assert department.evictions.done == ["web-a"], "the other serves on"
    assert timedelta(minutes=2) <= department.clock.now() - NOON < timedelta(minutes=3)


async def test_a_rollout_whose_new_pod_ails_is_stuck_after_two_minutes(department: Department) -> None:
    plan = (await department.proposed("anna", "restart web")).plan
    ails(department)
    department.clock.ticks.append(lambda: department.cluster.becomes(WEB, updated=1, done=False))
    running = FakeRun(plan)
    with pytest.raises(StoppedError, match=r"rollout: The rollout is stuck: web-new: its image can't be pulled"):
        await flow(department).run(running)
    assert running.progress[-1] == "1 of 2 new, 2 available; web-new: its image can't be pulled: web:5.1.0"
    assert timedelta(minutes=2) <= department.clock.now() - NOON < timedelta(minutes=3)


@pytest.mark.parametrize("values", [{"started_at": NOON - timedelta(days=1)}, {"node": ""}], ids=["old", "no node yet"])
async def test_what_ailed_before_or_waits_for_a_node_stops_nothing(department: Department, values: dict) -> None:
    plan = (await department.proposed("anna", "restart web")).plan
    ails(department, **values)
    seconds = iter(range(10_000))

    def slow() -> None:
        if next(seconds) < 300:
            department.cluster.becomes(WEB, updated=1, done=False)

    department.clock.ticks.append(slow)
    await flow(department).run(FakeRun(plan))
    assert department.clock.now() - NOON > timedelta(minutes=4)


async def test_a_controller_that_gives_up_says_it_with_its_pods(department: Department) -> None:
    plan = (await department.proposed("anna", "restart web")).plan
    ails(department)
    stuck = verbatim('ReplicaSet "web-6c" has timed out progressing.')
    department.clock.ticks.append(lambda: department.cluster.becomes(WEB, stuck=stuck, done=False))
    why = r'stuck: ReplicaSet "web-6c" has timed out progressing\. web-new: its image can\'t be pulled'
    with pytest.raises(StoppedError, match=why):
        await flow(department).run(FakeRun(plan))


async def test_the_way_back_puts_the_template_of_before_back_once(department: Department) -> None:
    def back(workload: Workload, _: Revision) -> None:
        department.cluster.becomes(workload, restarted_by="", template="t-1.0", updated=0, done=False)

    department.rollouts.back = back
    plan = (await department.proposed("anna", "restart web")).plan
    running, found = FakeRun(plan), flow(department)
    await found.run(running)
    assert found.undo is not None
    assert found.undoes(plan)
    assert (await found.undo(running)).plain() == "web runs what it ran before the restart."
    await found.undo(FakeRun(plan))
    assert department.rollouts.undone == ["7"]


async def test_nothing_is_put_back_where_nothing_was_changed(department: Department) -> None:
    plan = (await department.proposed("anna", "restart web")).plan
    undo = flow(department).undo
    assert undo is not None
    running = FakeRun(plan)
    await undo(running)
    assert running.said["undo"] == "what its pods are made from is as it was"
    assert department.rollouts.undone == []


async def test_the_way_back_takes_no_release_with_it(department: Department) -> None:
    plan = (await department.proposed("anna", "restart web")).plan
    found = flow(department)
    await found.run(FakeRun(plan))
    department.cluster.becomes(WEB, images=(image("web", "5.2.0"),))
    assert found.undo is not None
    with pytest.raises(StoppedError, match="web was changed after its restart"):
        await found.undo(FakeRun(plan))


@pytest.mark.parametrize("words", ["restart web --evict", "restart web web-6c9f7-a", "restart web in production-sfo3"])
async def test_what_has_no_way_back(department: Department, words: str) -> None:
    """A pod that is gone is gone; in the other region nobody can tell the revision."""
    plan = (await department.proposed("anna", words)).plan
    assert not flow(department).undoes(plan)
    assert all(step.undo is None for step in plan.steps)
