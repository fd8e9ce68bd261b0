"""Why no node takes a pod: the scheduler's sentence in words, and the nodes held against the pod."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from bot.adapters.kubernetes import judge_nodes, judge_scheduling

CASES = Path(__file__).parents[1] / "fixtures" / "kubernetes"
PREEMPTION = " preemption: 0/3 nodes are available: 3 No preemption victims found for incoming pod."


def pending(**spec: Any) -> Any:
    obj = json.loads((CASES / "pod-pending-unschedulable" / "body.json").read_bytes())
    obj["spec"] |= spec
    return obj


def requests(cpu: str, memory: str = "128Mi") -> list[Any]:
    return [{"name": "search", "resources": {"requests": {"cpu": cpu, "memory": memory}}}]


def node(name: str, **more: Any) -> Any:
    status = {"allocatable": {"cpu": "4", "memory": "8Gi"}, "conditions": [{"type": "Ready", "status": "True"}]}
    labels = {"kubernetes.io/hostname": name, "disk": "ssd"} | more.pop("labels", {})
    return {"metadata": {"name": name, "labels": labels}, "spec": more, "status": status}


@pytest.mark.parametrize(
    ("message", "words"),
    [
        (f"0/3 nodes are available: 3 Insufficient memory.{PREEMPTION}",
         "3 nodes have too little memory free (of 3 nodes)"),
        ("0/1 nodes are available: 1 Insufficient cpu.", "1 node has too little CPU free (of 1 node)"),
        ("0/6 nodes are available: 1 node(s) had untolerated taint {node-role.kubernetes.io/master: }, 2 Insufficient "
         "cpu, 3 node(s) didn't match Pod's node affinity/selector. preemption: 0/6 nodes are available: 6 Preemption "
         "is not helpful for scheduling.",
         "3 nodes do not match its node selector or affinity; 2 nodes have too little CPU free; 1 node has the taint "
         "node-role.kubernetes.io/master, which it doesn't tolerate (of 6 nodes)"),
        ("0/2 nodes are available: 1 node(s) had untolerated taint(s), 1 node(s) were unschedulable.",
         "1 node has a taint that it doesn't tolerate; 1 node is cordoned (of 2 nodes)"),
        ("0/4 nodes are available: 1 node(s) had taint {gpu: yes}, that the pod didn't tolerate, "
         "3 Insufficient nvidia.com/gpu.",
         "3 nodes have too little nvidia.com/gpu free; 1 node has the taint gpu: yes, which it doesn't tolerate "
         "(of 4 nodes)"),
        ("0/3 nodes are available: 3 node(s) didn't match pod anti-affinity rules.",
         "anti-affinity keeps it away from 3 nodes (of 3 nodes)"),
        ("0/3 nodes are available: 3 node(s) didn't match pod affinity rules.",
         "3 nodes run none of the pods that it wants to be near to (of 3 nodes)"),
        ("0/3 nodes are available: 2 node(s) didn't match pod topology spread constraints, 1 node(s) didn't match pod "
         "topology spread constraints (missing required label).",
         "its topology spread rules out 2 nodes; 1 node lacks the label that its topology spread goes by (of 3 nodes)"),
        ("0/3 nodes are available: 3 node(s) had volume node affinity conflict.",
         "its volume is in another zone than 3 nodes (of 3 nodes)"),
        ("0/3 nodes are available: pod has unbound immediate PersistentVolumeClaims. preemption: 0/3 nodes are "
         "available: 3 Preemption is not helpful for scheduling.",
         "its volume claim is bound to no volume (of 3 nodes)"),
        ('0/3 nodes are available: persistentvolumeclaim "data" not found.',
         "a volume claim of its is missing (of 3 nodes)"),
        ("0/3 nodes are available: 3 Too many pods.", "3 nodes run as many pods as they may (of 3 nodes)"),
        ("0/3 nodes are available: 3 node(s) met an unheard-of rule.", "3: met an unheard-of rule (of 3 nodes)"),
        ("no nodes available to schedule pods", "no nodes available to schedule pods"),
        ("Scheduling is blocked due to non-empty scheduling gates",
         "Scheduling is blocked due to non-empty scheduling gates"),
    ],
)  # fmt: skip
def test_the_schedulers_words(message: str, words: str) -> None:
    assert judge_scheduling.words(message).plain() == f"can't be scheduled: {words}"


def compared(pod: Any, *nodes: Any, taken: dict[str, list[Any]] | None = None) -> list[str]:
    return [line.plain() for line in judge_nodes.compared(pod, nodes, taken or {})]


def test_a_node_that_could_never_take_it_says_by_how_much_it_is_too_small() -> None:
    assert compared(pending(containers=requests("6", "12Gi")), node("a"), node("b")) == [
        "a, b: has 4 in all of the 6 cpu that it asks for",
        "a, b: has 8192\N{NO-BREAK SPACE}MiB in all of the 12288\N{NO-BREAK SPACE}MiB memory that it asks for",
        "no node could take it even if it were empty: the nodes have to change, or what it asks for",
    ]


def test_what_runs_on_a_node_takes_its_room() -> None:
    full = [{"spec": {"containers": requests("3800m")}}]
    said = compared(pending(containers=requests("500m")), node("a"), node("b"), node("c"), taken={"a": full, "b": []})
    assert said == [
        "a: has 0.20 of 4 cpu free, it asks for 0.50",
        "b, c: could take it by size, taints and labels",
    ]


def test_a_taint_is_named_unless_it_is_tolerated() -> None:
    taint = {"key": "dedicated", "value": "gpu", "effect": "NoSchedule"}
    tainted, soft = node("a", taints=[taint]), node("b", taints=[taint | {"effect": "PreferNoSchedule"}])
    assert compared(pending(), tainted, soft) == [
        "a: has the taint dedicated=gpu:NoSchedule, which it doesn't tolerate",
        "b: could take it by size, taints and labels",
    ]
    for toleration in (
        {"key": "dedicated", "operator": "Exists"},
        {"key": "dedicated", "value": "gpu", "effect": "NoSchedule"},
        {"operator": "Exists"},
    ):
        assert judge_nodes.able(pending(tolerations=[toleration]), [tainted]) == ["a"], toleration
    for toleration in (
        {"key": "dedicated", "value": "cpu"},
        {"key": "dedicated", "operator": "Exists", "effect": "NoExecute"},
        {"key": "other", "operator": "Exists"},
    ):
        assert judge_nodes.able(pending(tolerations=[toleration]), [tainted]) == [], toleration


def test_a_cordoned_node_takes_nothing() -> None:
    taints = [{"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}]
    assert compared(pending(), node("a", unschedulable=True, taints=taints))[0] == "a: cordoned"


def affinity(*terms: Any) -> Any:
    required = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": list(terms)}}
    return {"nodeAffinity": required}


@pytest.mark.parametrize(
    ("spec", "missing"),
    [
        ({"nodeSelector": {"disk": "ssd"}}, ""),
        ({"nodeSelector": {"disk": "nvme"}}, "disk=nvme"),
        ({"affinity": affinity({"matchExpressions": [{"key": "disk", "operator": "In", "values": ["ssd"]}]})}, ""),
        ({"affinity": affinity({"matchExpressions": [{"key": "gpu", "operator": "Exists"}]})}, "gpu Exists"),
        ({"affinity": affinity({"matchExpressions": [{"key": "gpu", "operator": "Exists"}]},
                               {"matchExpressions": [{"key": "gpu", "operator": "DoesNotExist"}]})}, ""),
        ({"affinity": affinity({"matchExpressions": [{"key": "disk", "operator": "NotIn", "values": ["ssd"]}]})},
         "disk NotIn ssd"),
        ({"affinity": affinity({"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["b"]}]})},
         "metadata.name In b"),
        ({"affinity": affinity({"matchExpressions": [{"key": "cores", "operator": "Gt", "values": ["8"]}]})}, ""),
        ({"affinity": affinity({"matchExpressions": [{"key": "cores", "operator": "Lt", "values": ["8"]}]})},
         "cores Lt 8"),
    ],
)  # fmt: skip
def test_labels_that_a_node_lacks(spec: Any, missing: str) -> None:
    said = compared(pending(**spec), node("a", labels={"cores": "16"}))
    assert said[0] == (f"a: does not match its {missing}" if missing else "a: could take it by size, taints and labels")


def test_many_nodes_are_counted() -> None:
    nodes = [node(f"node-{number}", unschedulable=True) for number in range(7)]
    assert compared(pending(), *nodes)[0] == "node-0, node-1, node-2 and 4 other nodes: cordoned"


def test_what_a_pod_asks_for() -> None:
    """The largest init container runs before the others, a sidecar beside them."""
    spec = {
        "containers": requests("500m") + requests("250m"),
        "initContainers": [*requests("2"), *[each | {"restartPolicy": "Always"} for each in requests("100m")]],
        "overhead": {"cpu": "50m"},
    }
    assert judge_nodes.asked(spec, "cpu") == pytest.approx(2.15)
    spec["initContainers"] = []
    assert judge_nodes.asked(spec, "cpu") == pytest.approx(0.8)


def test_nodes_in_trouble_are_told_of_those_that_have_its_pods() -> None:
    lost, tight, gone = node("a"), node("b"), copy.deepcopy(node("c"))
    lost["status"]["conditions"] = [{"type": "Ready", "status": "Unknown"}]
    tight["status"]["conditions"] += [{"type": "MemoryPressure", "status": "True"}]
    gone["status"]["conditions"] = [{"type": "Ready", "status": "False"}]
    shut = node("d", unschedulable=True)
    used = {"a": 2, "b": 1, "d": 1}
    assert [line.plain() for line in judge_nodes.ailing([lost, tight, gone, shut], used)] == [
        "node a is out of contact: its kubelet has stopped answering; 2 pods are on it",
        "node b is short of memory; 1 pod is on it",
        "node d is cordoned; 1 pod is on it",
    ]
    assert judge_nodes.cordoned([lost, shut, node("e", unschedulable=True)], used) == ("d",)
