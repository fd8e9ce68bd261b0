"""Cordon, uncordon, drain: what their cards say, what is refused, and that a crash evicts nobody twice."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.errors import DriftError, UserError
from bot.domain.phrases import verbatim
from bot.ports.flows import Flow
from bot.ports.nodes import Node
from handlers import flows
from tests.handlers.department import Check, Department
from tests.handlers.fakes import DiedError, FakeRun, StoppedError
from tests.handlers.fakes_nodes import pod
from tests.handlers.test_approvals import card

NODE, OTHER = (
    Node("nyc2", "pool-a-1", "n-1", ready=True, closed=False),
    Node("nyc2", "pool-a-2", "n-2", ready=True, closed=False),
)
FAR = Node("sfo3", "pool-b-1", "n-9", ready=True, closed=False)
BUDGET = verbatim("The disruption budget web needs 2 healthy pods and has 2 currently")


@pytest.fixture(autouse=True)
def pool(department: Department) -> None:
    """Two pods of web and the only one of cron stand on the node, and what never leaves it."""
    department.nodes.known = [NODE, OTHER, FAR]
    department.nodes.there["pool-a-1"] = [
        pod("web-a"), pod("web-b", scratch=True), pod("cron-a", "cron-7d4f", "jobs"),
        pod("logger-a", "logger", "kube-system", stays=True), pod("kube-proxy-1", "", "kube-system", stays=True),
    ]  # fmt: skip
    department.clock.ticks.append(department.evictions.tick)


def flow(department: Department, action: str) -> Flow:
    return flows(department.ports)[action]


@pytest.mark.parametrize(
    ("words", "expected"),
    [("cordon pool-a-1", "cordon"), ("осушить pool-a-1", "drain"), ("drain pool-a-1 in nyc2", "drain-blocked")],
)
async def test_the_card(department: Department, reads_as: Check, words: str, expected: str) -> None:
    if expected == "drain-blocked":
        department.evictions.budgets["web-a"] = department.evictions.budgets["web-b"] = BUDGET
        department.nodes.there["pool-a-1"].append(pod("debug", ""))
        department.nodes.becomes("pool-a-2", closed=True)
    made = await department.proposed("anna", words)
    reads_as(f"operations/{expected}", await card(department, made.id))
    reads_as(f"operations/{expected}.ru", await card(department, made.id, "ru"))
    assert department.nodes.done == [] == department.evictions.done


async def test_uncordon(department: Department, reads_as: Check) -> None:
    department.nodes.becomes("pool-a-1", closed=True)
    made = await department.proposed("anna", "открыть pool-a-1")
    reads_as("operations/uncordon", await card(department, made.id))
    said = await flow(department, "uncordon").run(FakeRun(made.plan))
    assert said.plain() == "pool-a-1 of nyc2 takes pods again."
    assert department.nodes.done == [("open", "pool-a-1")]


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("cordon", "Write it like this: cordon <node> [in <cluster>]"),
        ("drain pool-a-1 nyc2", "Write it like this: drain <node> [in <cluster>]"),
        ("drain pool-a-1 in mars", "No cluster mars is configured"),
        ("drain pool-a-9", "There is no node pool-a-9. There are: pool-a-2, pool-a-1"),
        ("drain pool-b-1 in nyc2", "There is no node pool-b-1. There are:"),
        ("uncordon pool-a-1", "pool-a-1 of nyc2 is open already"),
        ("закрыть pool-b-1 в nyc2", "There is no node pool-b-1"),
    ],
)
async def test_what_is_refused(department: Department, words: str, why: str) -> None:
    assert why in await department.say("anna", words, ok=False)


async def test_a_name_that_two_clusters_have(department: Department) -> None:
    department.nodes.known.append(replace(FAR, name="pool-a-1"))
    said = await department.say("anna", "cordon pool-a-1", ok=False)
    assert "Several clusters have a node pool-a-1: nyc2, sfo3." in said
    made = await department.proposed("anna", "cordon pool-a-1 in sfo3")
    assert made.plan.environment == "sfo3"


async def test_a_cluster_that_is_away_hinders_no_other(department: Department) -> None:
    department.nodes.away.add("sfo3")
    assert (await department.proposed("anna", "cordon pool-a-1")).plan.params["cluster"] == "nyc2"
    said = await department.say("anna", "cordon pool-b-1", ok=False)
    assert "sfo3 can't be asked now, and no other cluster has a node pool-b-1." in said


async def test_a_verb_that_is_missing_is_said(department: Department) -> None:
    department.nodes.refused = UserError('nyc2 does not allow pult to do this: cannot list resource "nodes"')
    assert 'cannot list resource "nodes"' in await department.say("anna", "drain pool-a-1", ok=False)


async def test_who_may_not(department: Department) -> None:
    for words in ("cordon pool-a-1", "uncordon pool-a-1", "drain pool-a-1"):
        assert "pool-a-2" not in await department.say("vera", words, ok=False)


async def test_the_last_node_and_pods_that_nobody_makes_wait_for_a_word(department: Department) -> None:
    department.nodes.becomes("pool-a-2", ready=False)
    department.nodes.there["pool-a-1"].append(pod("debug", ""))
    made = await department.proposed("anna", "drain pool-a-1")
    assert [hold.name for hold in made.plan.holds] == ["last", "bare"]
    await department.say("boris", f"approve {made.id}", ok=False)
    await department.say("boris", f"approve {made.id} --override last it is the pool's last day")
    await department.say("boris", f"approve {made.id} --override bare nobody needs it")
    assert department.approved == [made.id]


async def test_a_drain_closes_and_empties_one_pod_of_a_controller_at_a_time(department: Department) -> None:
    plan = (await department.proposed("anna", "drain pool-a-1")).plan
    await flow(department, "drain").check(plan)
    running = FakeRun(plan)
    said = await flow(department, "drain").run(running)
    assert said.plain() == "pool-a-1 of nyc2 is empty and takes no new pods."
    assert department.nodes.done == [("close", "pool-a-1")]
    assert department.evictions.done == ["web-a", "cron-a", "web-b"]
    assert [each.pod.name for each in department.nodes.there["pool-a-1"]] == ["logger-a", "kube-proxy-1"]
    assert [step.name for step in plan.steps] == list(running.said)
    assert running.said["drain"] == "3 pods are gone from it"
    assert running.progress[0] == "0 of 3 pods are gone; of replicaset/web-6c9f7 1 serve, and 2 did before"


@pytest.mark.parametrize("step", ["cordon", "drain"])
async def test_a_crash_in_a_drain_evicts_nobody_twice(department: Department, step: str) -> None:
    plan = (await department.proposed("anna", "drain pool-a-1")).plan
    with pytest.raises(DiedError):
        await flow(department, "drain").run(FakeRun(plan, step))
    await flow(department, "drain").run(FakeRun(plan))
    assert sorted(department.evictions.done) == ["cron-a", "web-a", "web-b"]
    assert department.nodes.done == [("close", "pool-a-1")]


async def test_a_budget_is_waited_for(department: Department) -> None:
    department.evictions.budgets["web-a"] = BUDGET
    plan = (await department.proposed("anna", "drain pool-a-1")).plan
    begun = department.clock.now()

    def later() -> None:
        if (department.clock.now() - begun).total_seconds() > 400:
            department.evictions.budgets.clear()

    department.clock.ticks.append(later)
    running = FakeRun(plan)
    await flow(department, "drain").run(running)
    assert "1 of 3 pods are gone; web-a waits: The disruption budget web needs 2 healthy pods" in "\n".join(
        running.progress
    )
    assert "web-b" in department.evictions.done, "its sibling could go"


async def test_a_budget_that_never_allows_it_is_said_after_ten_minutes(department: Department) -> None:
    department.evictions.budgets["web-a"] = department.evictions.budgets["web-b"] = BUDGET
    plan = (await department.proposed("anna", "drain pool-a-1")).plan
    with pytest.raises(
        StoppedError, match=r"Nothing has moved for 600 s: 1 of 3 pods are gone; web-a waits: The disrup"
    ):
        await flow(department, "drain").run(FakeRun(plan))


async def test_the_next_does_not_go_before_another_serves(department: Department) -> None:
    department.evictions.barren.add("web-6c9f7")
    plan = (await department.proposed("anna", "drain pool-a-1")).plan
    why = r"Nothing has moved for 600 s: 2 of 3 pods are gone; of replicaset/web-6c9f7 1 serve, and 2 did before"
    with pytest.raises(StoppedError, match=why):
        await flow(department, "drain").run(FakeRun(plan))
    assert department.evictions.done == ["web-a", "cron-a"]


async def test_what_a_crash_left_half_done_is_waited_for(department: Department) -> None:
    """One of two was evicted before pult died, and its place is taken, but not served: the other must not go yet."""
    plan = (await department.proposed("anna", "drain pool-a-1")).plan
    made = department.evictions.made["web-6c9f7"] = department.clock.now() - timedelta(seconds=20)
    del department.nodes.there["pool-a-1"][0]  # web-a

    def serves() -> None:
        if "web-6c9f7" in department.evictions.made:
            assert "web-b" not in department.evictions.done, "nobody would serve"
            if department.clock.now() >= made + timedelta(seconds=50):
                del department.evictions.made["web-6c9f7"]
                department.evictions.serving["web-6c9f7"] = 1

    department.clock.ticks.append(serves)
    running = FakeRun(plan)
    await flow(department, "drain").run(running)
    assert "web-b" in department.evictions.done
    assert any("a new pod of replicaset/web-6c9f7 does not serve yet" in each for each in running.progress)


async def test_a_pod_that_never_serves_holds_up_no_drain_for_ever(department: Department) -> None:
    department.evictions.made["web-6c9f7"] = begun = department.clock.now()
    plan = (await department.proposed("anna", "drain pool-a-1")).plan
    await flow(department, "drain").run(FakeRun(plan))
    assert timedelta(minutes=2) <= department.clock.now() - begun < timedelta(minutes=3)


async def test_a_pod_that_does_not_end_is_named(department: Department) -> None:
    department.evictions.stays.add("cron-a")
    plan = (await department.proposed("anna", "drain pool-a-1")).plan
    with pytest.raises(StoppedError, match=r"cron-a should be gone since .*, and its node does not say that it is"):
        await flow(department, "drain").run(FakeRun(plan))


async def test_several_budgets_on_one_pod_stop_it_with_that_word(department: Department) -> None:
    department.evictions.hopeless.add("cron-a")
    plan = (await department.proposed("anna", "drain pool-a-1")).plan
    assert "several disruption budgets" in "".join(said.plain() for _, said in plan.evidence)
    with pytest.raises(StoppedError, match="drain: cron-a has several disruption budgets"):
        await flow(department, "drain").run(FakeRun(plan))


async def test_an_api_server_that_is_away_for_a_while_fails_nothing(department: Department) -> None:
    plan = (await department.proposed("anna", "drain pool-a-1")).plan
    begun = department.clock.now()

    def flicker() -> None:
        seconds = (department.clock.now() - begun).total_seconds()
        (department.nodes.away.add if 1 <= seconds < 30 else department.nodes.away.discard)("nyc2")

    department.clock.ticks.append(flicker)
    await flow(department, "drain").run(FakeRun(plan))
    assert sorted(department.evictions.done) == ["cron-a", "web-a", "web-b"]


async def test_what_came_meanwhile(department: Department) -> None:
    plan = (await department.proposed("anna", "drain pool-a-1")).plan
    department.clock.ticks.append(lambda: department.nodes.there["pool-a-1"].append(pod("debug", "")))
    with pytest.raises(StoppedError, match="debug came meanwhile, and nobody makes it anew"):
        await flow(department, "drain").run(FakeRun(plan))


async def test_a_node_that_somebody_opens_is_not_emptied_for_ever(department: Department) -> None:
    plan = (await department.proposed("anna", "drain pool-a-1")).plan

    def opened() -> None:
        department.nodes.becomes("pool-a-1", closed=False)
        department.nodes.there["pool-a-1"].append(pod("web-z"))

    department.clock.ticks.append(opened)
    with pytest.raises(StoppedError, match="pool-a-1 was opened meanwhile"):
        await flow(department, "drain").run(FakeRun(plan))


@pytest.mark.parametrize("left", [1, 0])
async def test_opening_a_node_stops_its_drain_though_no_pod_comes_to_it(department: Department, left: int) -> None:
    """It is not called closed and empty when it is neither."""
    plan = (await department.proposed("anna", "drain pool-a-1")).plan

    def opened() -> None:
        if sum(not each.stays for each in department.nodes.there["pool-a-1"]) == left:
            department.nodes.becomes("pool-a-1", closed=False)

    department.clock.ticks.append(opened)
    with pytest.raises(StoppedError, match="pool-a-1 was opened meanwhile"):
        await flow(department, "drain").run(FakeRun(plan))


@pytest.mark.parametrize("closed", [True, False])
async def test_a_drain_says_what_its_way_back_opens(department: Department, closed: bool) -> None:
    department.nodes.becomes("pool-a-1", closed=closed)
    plan = (await department.proposed("anna", "drain pool-a-1")).plan
    said = [each.plain() for each in plan.blast]
    assert ("It was closed before, so no way back opens it." in said) is closed
    assert any(each.startswith("The way back opens the node") for each in said) is not closed


@pytest.mark.parametrize("action", ["cordon", "drain"])
async def test_drift_stops_it_before_it_begins(department: Department, action: str) -> None:
    plan = (await department.proposed("anna", f"{action} pool-a-1")).plan
    await flow(department, action).check(plan)
    department.nodes.becomes("pool-a-1", closed=True)
    with pytest.raises(DriftError, match="pool-a-1 was closed or opened after this was planned"):
        await flow(department, action).check(plan)
    department.nodes.becomes("pool-a-1", uid="n-7", closed=False)
    with pytest.raises(DriftError, match="The node pool-a-1 that was planned on is gone"):
        await flow(department, action).check(plan)


@pytest.mark.parametrize("action", ["cordon", "drain"])
async def test_the_last_node_is_not_closed_because_it_was_not_the_last_when_planned(
    department: Department, action: str
) -> None:
    plan = (await department.proposed("anna", f"{action} pool-a-1")).plan
    department.nodes.becomes("pool-a-2", closed=True)
    with pytest.raises(DriftError, match="By now no other node of nyc2 takes pods"):
        await flow(department, action).check(plan)
    held = (await department.proposed("anna", "uncordon pool-a-2")).plan
    await flow(department, "uncordon").check(held)


async def test_the_last_node_is_closed_where_that_was_known(department: Department) -> None:
    department.nodes.becomes("pool-a-2", closed=True)
    plan = (await department.proposed("anna", "cordon pool-a-1")).plan
    assert [hold.name for hold in plan.holds] == ["last"]
    await flow(department, "cordon").check(plan)


@pytest.mark.parametrize(("action", "was", "done"), [("cordon", False, "open"), ("uncordon", True, "close")])
async def test_the_way_back_is_to_what_it_was(department: Department, action: str, was: bool, done: str) -> None:
    department.nodes.becomes("pool-a-1", closed=was)
    plan = (await department.proposed("anna", f"{action} pool-a-1")).plan
    running, found = FakeRun(plan), flow(department, action)
    await found.run(running)
    assert found.undo is not None
    await found.undo(running)
    assert department.nodes.done[-1] == (done, "pool-a-1")


async def test_the_way_back_of_a_drain_leaves_a_node_closed_that_was(department: Department) -> None:
    department.nodes.becomes("pool-a-1", closed=True)
    plan = (await department.proposed("anna", "drain pool-a-1")).plan
    running, found = FakeRun(plan), flow(department, "drain")
    await found.run(running)
    assert found.undo is not None
    assert (await found.undo(running)).plain() == "pool-a-1 of nyc2 takes no new pods."
    assert department.nodes.done == []


async def test_one_drain_in_a_cluster_at_a_time_and_the_way_out_stays_free(department: Department) -> None:
    first = await department.proposed("anna", "drain pool-a-1")
    said = await department.say("anna", "drain pool-a-2", ok=False)
    assert f"{first.id} still waits, and comes first: Drain pool-a-1 of nyc2. Wait for it, or end it: " in said
    department.nodes.becomes("pool-a-1", closed=True)
    assert not (await department.proposed("anna", "uncordon pool-a-1")).after
