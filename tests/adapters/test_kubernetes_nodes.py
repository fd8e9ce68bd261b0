"""Nodes and evictions over the wire: closed and opened once, evicted as budgets allow, and what a server may say.

What changes nothing is asked of a real cluster, too, where PULT_TEST_KUBECONFIG names one.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bot.domain.errors import DriftError, RateLimitedError, TemporaryError, UserError
from bot.ports.evictions import Kin, Resident, Standing
from bot.ports.nodes import Node
from bot.simulator.kubernetes.cluster import Cluster
from bot.simulator.kubernetes.kinds import BUDGET, NODE, POD
from tests.adapters import test_kubernetes_cluster
from tests.adapters import test_kubernetes_trouble as trouble
from tests.adapters.test_kubernetes_cluster import Bench as Places
from tests.adapters.test_kubernetes_trouble import API, Bench, Scripted
from tests.department import until

CASES = Path(__file__).parents[1] / "fixtures" / "kubernetes"
bench, scripted = trouble.bench, trouble.scripted
somewhere = test_kubernetes_cluster.bench
"""On a real cluster: a namespace of its own with a deployment of two pods, on nodes that nobody marks."""
POD_1 = Standing("nyc2", "production", "api-1", "uid-1", "rs-1", "app=api")
EVICTION = "/api/v1/namespaces/production/pods/api-1/eviction"
LISTED = "/api/v1/namespaces/production/pods"
READ = "/api/v1/nodes/pool-1"


async def test_the_nodes_and_who_stands_where(somewhere: Places) -> None:
    nodes = await somewhere.cluster.nodes.nodes(somewhere.workload.cluster)
    assert len({node.name for node in nodes}) == len({node.uid for node in nodes}) == len(nodes) > 0
    assert {node.cluster for node in nodes} == {somewhere.workload.cluster}
    assert any(node.ready and not node.closed for node in nodes)
    stand = {node.name: await somewhere.cluster.nodes.residents(node) for node in nodes}
    mine = {each.pod.uid for each in await somewhere.cluster.evictions.pods(somewhere.workload)}
    for pod in await somewhere.cluster.pods(somewhere.workload):
        places = [name for name, found in stand.items() if pod.uid in {each.pod.uid for each in found}]
        assert places == [pod.node], "on its own node and on no other"
    found = [each for residents in stand.values() for each in residents if each.pod.uid in mine]
    assert len(found) == len(mine)
    assert all(each.ready and not each.stays and each.ends is None for each in found)
    assert {each.owner.partition("/")[0] for each in found} == {"replicaset"}
    assert {each.pod.namespace for each in found} == {somewhere.workload.namespace}


async def test_whom_a_rehearsed_eviction_would_take_stays(somewhere: Places) -> None:
    evictions, before = somewhere.cluster.evictions, await somewhere.cluster.evictions.pods(somewhere.workload)
    assert await evictions.evict(before[0].pod, rehearse=True) is None
    assert await evictions.evict(replace(before[0].pod, uid="the-one-before"), rehearse=True) is None
    assert await evictions.evict(replace(before[0].pod, name="never-was"), rehearse=True) is None
    assert {each.pod.uid: each.ends for each in await evictions.pods(somewhere.workload)} == {
        each.pod.uid: None for each in before
    }
    assert await evictions.kin(before[0].pod) == Kin(len(before))


async def test_what_a_drain_needs_may_be_asked_for(somewhere: Places) -> None:
    may, name, namespace = somewhere.cluster.may, somewhere.workload.cluster, somewhere.workload.namespace
    for space, verb, resource in (
        ("", "list", "nodes"), ("", "list", "pods"), ("", "patch", "nodes"), (namespace, "create", "pods/eviction"),
    ):  # fmt: skip
        assert isinstance(await may(name, space, verb, resource), bool)
    assert await may(name, "", "list", "nodes"), "it just did"
    assert await may(name, namespace, "create", "pods/eviction")
    with pytest.raises(UserError, match="No cluster fra1 is configured"):
        await somewhere.cluster.nodes.nodes("fra1")


def server(bench: Bench) -> Cluster:
    return bench.state.cluster("nyc2")


async def first(bench: Bench) -> Node:
    return (await bench.cluster.nodes.nodes("nyc2"))[0]


async def api_pod(bench: Bench) -> Resident:
    return (await bench.cluster.evictions.pods(API))[0]


def changes(bench: Bench, resource: str) -> int:
    return sum(call.verb in {"patch", "create"} and call.resource == resource for call in server(bench).calls)


async def test_a_node_is_closed_once_and_opened_again(bench: Bench) -> None:
    node = await first(bench)
    assert (node.cluster, node.ready, node.closed) == ("nyc2", True, False)
    for _ in range(2):
        await bench.cluster.nodes.mark(node, closed=True)
    assert changes(bench, "nodes") == 1
    assert (await first(bench)).closed
    await bench.cluster.nodes.mark(node, closed=False)
    assert not (await first(bench)).closed
    assert "unschedulable" not in server(bench).store.get(NODE, "", node.name)["spec"]


async def test_another_machine_of_the_name_is_left_alone(bench: Bench) -> None:
    node = await first(bench)
    with pytest.raises(DriftError, match="Another machine is called"):
        await bench.cluster.nodes.mark(replace(node, uid="other"), closed=True)
    assert changes(bench, "nodes") == 0


async def test_who_stands_on_a_node(bench: Bench) -> None:
    node, store = await first(bench), server(bench).store
    now = server(bench).now()
    base = {"containers": [{"name": "a", "image": "a"}], "nodeName": node.name}

    def owner(kind: str) -> list[dict[str, Any]]:
        return [{"apiVersion": "v1", "kind": kind, "name": "o", "uid": "o-1", "controller": True}]

    for name, metadata, spec in (
        ("logger", {"ownerReferences": owner("DaemonSet")}, {}),
        ("static", {"ownerReferences": owner("Node"), "annotations": {"kubernetes.io/config.mirror": "x"}}, {}),
        ("db-0", {"ownerReferences": owner("StatefulSet"), "labels": {
            "app": "db", "statefulset.kubernetes.io/pod-name": "db-0", "apps.kubernetes.io/pod-index": "0",
            "controller-revision-hash": "db-5f7",
        }}, {"volumes": [{"name": "tmp", "emptyDir": {}}]}),
        ("bare", {}, {"volumes": [{"name": "c", "configMap": {"name": "c"}}]}),
    ):  # fmt: skip
        pod = {"metadata": {"name": name, "namespace": "kube-system", **metadata}, "spec": base | spec, "status": {}}
        store.create(POD, pod, now)
    found = {each.pod.name: each for each in await bench.cluster.nodes.residents(node)}
    assert all(store.get(POD, e.pod.namespace, e.pod.name)["spec"]["nodeName"] == node.name for e in found.values())
    assert {name for name, each in found.items() if each.stays} == {"logger", "static"}
    assert {name for name, each in found.items() if not each.owner} == {"bare"}
    assert {name for name, each in found.items() if each.scratch} == {"db-0"}
    assert (found["db-0"].owner, found["db-0"].pod.alike) == ("statefulset/o", "app=db")
    assert {each.pod.namespace for each in found.values()} >= {"kube-system", "production"}


async def test_a_rehearsal_changes_nothing_and_an_eviction_does(bench: Bench) -> None:
    one = await api_pod(bench)
    assert await bench.cluster.evictions.evict(one.pod, rehearse=True) is None
    assert (await api_pod(bench)).ends is None
    assert await bench.cluster.evictions.kin(one.pod) == Kin(4)
    assert await bench.cluster.evictions.evict(one.pod) is None
    assert (await bench.cluster.evictions.kin(one.pod)).serving < 4

    async def gone() -> bool:
        return one.pod.uid not in {each.pod.uid for each in await bench.cluster.evictions.pods(API)}

    await until("it does not go", gone)
    assert await bench.cluster.evictions.evict(one.pod) is None, "gone is done"


async def test_the_next_pod_of_the_name_is_not_meant(bench: Bench) -> None:
    one = await api_pod(bench)
    assert await bench.cluster.evictions.evict(replace(one.pod, uid="the-one-before")) is None
    assert (await api_pod(bench)).ends is None


async def test_a_budget_says_why_not_now(bench: Bench) -> None:
    store = server(bench).store
    budget = store.get(BUDGET, "production", "api")
    store.put(BUDGET, budget | {"spec": budget["spec"] | {"maxUnavailable": 0}})
    one = await api_pod(bench)
    why = await bench.cluster.evictions.evict(one.pod)
    assert why is not None
    assert why.plain() == "The disruption budget api needs 4 healthy pods and has 4 currently"
    store.create(BUDGET, budget | {"metadata": {"name": "second", "namespace": "production"}}, server(bench).now())
    with pytest.raises(UserError, match="has several disruption budgets, so that it can never be evicted"):
        await bench.cluster.evictions.evict(one.pod)


@pytest.mark.parametrize(("verb", "what"), [("list", "nodes"), ("list", "pods"), ("patch", "nodes")])
async def test_a_verb_that_is_missing_is_named(bench: Bench, verb: str, what: str) -> None:
    node = await first(bench)
    server(bench).deny(verb, what)

    async def drained() -> None:
        await bench.cluster.nodes.nodes("nyc2")
        await bench.cluster.nodes.residents(node)
        await bench.cluster.nodes.mark(node, closed=True)

    with pytest.raises(UserError, match=f"it may not {verb} {what} in the whole cluster"):
        await drained()


async def test_evictions_may_be_forbidden(bench: Bench) -> None:
    one = await api_pod(bench)
    server(bench).deny("create", "pods/eviction")
    with pytest.raises(UserError, match="it may not create pods/eviction in production"):
        await bench.cluster.evictions.evict(one.pod)


async def test_an_overloaded_server_is_no_budget(scripted: Scripted) -> None:
    recorded = json.loads((CASES / "eviction-429" / "body.json").read_bytes())
    scripted.script.add("POST", EVICTION, 429, {"message": "too many requests"})
    with pytest.raises(RateLimitedError, match="answers 429: too many requests"):
        await scripted.cluster.evictions.evict(POD_1)
    scripted.script.add("POST", EVICTION, 429, recorded)
    why = await scripted.cluster.evictions.evict(POD_1)
    assert why is not None
    assert "disruption budget" in why.plain()
    scripted.script.add("POST", EVICTION, 500, {"message": "etcd is away"})
    with pytest.raises(TemporaryError, match="etcd is away"):
        await scripted.cluster.evictions.evict(POD_1)


async def test_only_pods_of_the_same_controller_serve_for_it(scripted: Scripted) -> None:
    def pod(uid: str, *, ready: bool = True, **metadata: Any) -> Any:
        owner = {"kind": "ReplicaSet", "name": "api", "uid": uid, "controller": True}
        made = {"creationTimestamp": "2026-11-24T08:05:00Z"}
        meta = {"name": f"p-{uid}", "namespace": "production", "ownerReferences": [owner], **made, **metadata}
        return {"metadata": meta, "spec": {}, "status": {"containerStatuses": [{"ready": ready}]}}

    ending = {"deletionTimestamp": "2026-11-24T08:00:00Z"}
    old = {"creationTimestamp": "2026-11-20T08:00:00Z"}
    items = [pod("rs-1"), pod("rs-1", ready=False, **old), pod("rs-1", ready=False), pod("rs-2", ready=False),
             pod("rs-1", **ending)]  # fmt: skip
    scripted.script.add("GET", LISTED, 200, {"metadata": {}, "items": items})
    assert await scripted.cluster.evictions.kin(POD_1) == Kin(1, datetime(2026, 11, 24, 8, 5, tzinfo=UTC))
    assert scripted.script.asked[-1][2]["labelSelector"] == "app=api"


async def test_conflicts_are_met_with_another_look_and_end(scripted: Scripted) -> None:
    node = Node("nyc2", "pool-1", "n-1", ready=True, closed=False)
    found = {"metadata": {"name": "pool-1", "uid": "n-1", "resourceVersion": "7"}, "spec": {}, "status": {}}
    for _ in range(5):
        scripted.script.add("GET", READ, 200, found)
        scripted.script.add("PATCH", READ, 409, {"message": "the object has been modified"})
    with pytest.raises(DriftError, match="changes too fast"):
        await scripted.cluster.nodes.mark(node, closed=True)
