"""Promise 7, on nodes: a drain killed at any moment goes on where it was, and no pod is told to go twice."""

from collections import Counter

import pytest

from bot.simulator.kubernetes.kinds import NODE, POD
from tests.department import Department
from tests.promises.stores import BOTH
from tests.promises.test_p07_resumes import SLOW, _killed_once
from tests.pult_process import Pult

NAME = "nyc2-pool-a-1"


def here(department: Department) -> dict[str, str]:
    """Pods on the node that were not told to go, by uid."""
    found = department.cluster("nyc2").store.all(POD)
    return {
        pod["metadata"]["uid"]: pod["metadata"]["name"]
        for pod in found
        if pod["spec"].get("nodeName") == NAME and "deletionTimestamp" not in pod["metadata"]
    }


def closed(department: Department) -> bool:
    return department.cluster("nyc2").store.get(NODE, "", NAME)["spec"].get("unschedulable") is True


def evicted(department: Department) -> list[str]:
    calls = department.cluster("nyc2").calls
    return [call.name for call in calls if call.resource == "pods/eviction"]


def ended(department: Department) -> Counter[str]:
    """Every pod of the cluster that ended, by name."""
    return Counter(pod["metadata"]["name"] for pod, _ in department.cluster("nyc2").notes.gone)


def closings(department: Department) -> int:
    return sum((call.verb, call.resource) == ("patch", "nodes") for call in department.cluster("nyc2").calls)


@BOTH
@SLOW
@pytest.mark.timeout(240)
async def test_a_drain_killed_at_each_step_evicts_each_pod_once(pult: Pult, department: Department) -> None:
    standing = here(department)
    assert len(standing) >= 3
    ident = await pult.proposed("anna", f"drain {NAME}")
    assert sorted(evicted(department)) == sorted(standing.values()), "each is rehearsed, and none goes"
    assert here(department) == standing
    department.cluster("nyc2").calls.clear()

    await pult.restart()
    assert (await pult.ask("boris", f"approve {ident}"))["ok"]
    await _killed_once(pult, lambda: closed(department))
    await _killed_once(pult, lambda: len(here(department)) < len(standing))
    await _killed_once(pult, lambda: len(here(department)) <= 1)
    card = await pult.becomes(ident, "succeeded", patience=120)
    assert f"{NAME} of nyc2 is empty and takes no new pods." in card
    assert here(department) == {}
    assert closed(department)
    assert closings(department) == 1
    assert set(evicted(department)) == set(standing.values()), "nobody else was told to go"
    assert ended(department) == Counter(standing.values()), "each ended once, and nobody else did"
    results = [entry["result"] for entry in await pult.audited()]
    assert results == ["proposed", "approved", "running", "succeeded"]


@SLOW
async def test_the_way_back_opens_the_node_though_it_is_killed(pult: Pult, department: Department) -> None:
    ident = await pult.proposed("anna", f"drain {NAME}")
    department.cluster("nyc2").deny("create", "pods/eviction")
    await pult.ask("boris", f"approve {ident}")
    card = await pult.becomes(ident, "paused")
    assert "it may not create pods/eviction" in card
    assert closed(department)
    assert (await pult.ask("anna", f"resume {ident} undo"))["ok"]
    await _killed_once(pult, lambda: not closed(department))
    card = await pult.becomes(ident, "undone")
    assert f"{NAME} of nyc2 takes pods again." in card
    assert closings(department) == 2, "closed once, opened once"
