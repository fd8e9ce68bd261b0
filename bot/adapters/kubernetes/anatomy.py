"""Kubernetes objects, as plain JSON, into what posture and right-sizing look at. Pure. Fields: kubernetes/api."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from bot.adapters.kubernetes.judge import Object
from bot.domain.anatomy import Anatomy, Budget, Container
from bot.domain.manifests_tree import KINDS
from bot.domain.quantities import known
from bot.domain.sizing import Sized

AROUND: Final = ("poddisruptionbudgets", "networkpolicies", "horizontalpodautoscalers")


def read(kind: str, name: str, obj: Object, around: Mapping[str, list[Object]]) -> Anatomy:
    """*around*: lists of the namespace by resource; one that is missing could not be read."""
    template, pod = obj["spec"]["template"], obj["spec"]["template"]["spec"]
    labels = template.get("metadata", {}).get("labels") or {}
    budgets = around.get("poddisruptionbudgets", [])
    scaler = next((each for each in around.get("horizontalpodautoscalers", []) if _scales(each, kind, name)), None)
    return Anatomy(
        replicas=_replicas(kind, obj),
        labels=tuple(sorted((obj["spec"].get("selector") or {}).get("matchLabels", labels).items())),
        containers=tuple(_container(each, pod.get("securityContext") or {}) for each in pod["containers"]),
        spread=_spread(pod),
        budgets=tuple(_budget(each) for each in budgets if selects(each["spec"].get("selector"), labels)),
        idle_budgets=tuple(each["metadata"]["name"] for each in budgets if _idle(each, name)),
        policies=tuple(
            each["metadata"]["name"]
            for each in around.get("networkpolicies", [])
            if selects(each["spec"].get("podSelector") or {}, labels)
        ),
        scaled_by=scaler["metadata"]["name"] if scaler else "",
        owned=frozenset(_measured(scaler)) if scaler else frozenset(),
        per_node=kind == "daemonset",
        unknown=tuple(each for each in AROUND if each not in around),
        secrets=frozenset(filter(None, _secrets(pod))),
    )


def _secrets(pod: Object) -> Iterator[str]:
    """Names, by every way in which a container or a volume can name one (kubernetes/api, core/v1)."""
    for container in (*pod["containers"], *(pod.get("initContainers") or ())):
        for entry in container.get("env") or ():
            yield ((entry.get("valueFrom") or {}).get("secretKeyRef") or {}).get("name", "")
        for source in container.get("envFrom") or ():
            yield (source.get("secretRef") or {}).get("name", "")
    for volume in pod.get("volumes") or ():
        yield (volume.get("secret") or {}).get("secretName", "")
        for source in (volume.get("projected") or {}).get("sources") or ():
            yield (source.get("secret") or {}).get("name", "")


def _replicas(kind: str, obj: Object) -> int:
    if kind == "daemonset":
        return int(obj.get("status", {}).get("desiredNumberScheduled", 0))
    wanted = obj["spec"].get("replicas")
    return 1 if wanted is None else int(wanted)


def _container(each: Object, pod: Object) -> Container:
    asked = each.get("resources") or {}
    requests, limits, secured = (
        asked.get("requests") or {},
        asked.get("limits") or {},
        each.get("securityContext") or {},
    )
    ports = [port["containerPort"] for port in each.get("ports") or () if port.get("protocol", "TCP") == "TCP"]
    cpu_limit, memory_limit = known(limits.get("cpu")), known(limits.get("memory"))
    # What is not asked for is the limit: kubernetes/kubernetes pkg/apis/core/v1/defaults.go (SetDefaults_Pod).
    cpu, memory = known(requests.get("cpu", limits.get("cpu"))), known(requests.get("memory", limits.get("memory")))
    return Container(
        name=each["name"],
        image=each["image"],
        size=Sized(cpu, memory, cpu_limit, memory_limit),
        ready="readinessProbe" in each,
        live="livenessProbe" in each,
        root=_root({**pod, **secured}),
        privileged=secured.get("privileged") is True,
        writable=secured.get("readOnlyRootFilesystem") is not True,
        port=int(ports[0]) if ports else None,
    )


def _root(secured: Object) -> bool | None:
    """Where neither a user nor ``runAsNonRoot`` is written, the image decides, and that nobody here knows."""
    user = secured.get("runAsUser")
    if user is not None:
        return bool(user == 0)
    return False if secured.get("runAsNonRoot") is True else None


def _spread(pod: Object) -> bool:
    apart = (pod.get("affinity") or {}).get("podAntiAffinity") or {}
    return bool(pod.get("topologySpreadConstraints")) or any(apart.values())


def _budget(each: Object) -> Budget:
    spec = each["spec"]
    return Budget(each["metadata"]["name"], *(_text(spec.get(key)) for key in ("minAvailable", "maxUnavailable")))


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _idle(each: Object, workload: str) -> bool:
    """Whether it is named after the workload and its controller has found no pod for it."""
    name, status = each["metadata"]["name"], each.get("status") or {}
    seen = status.get("observedGeneration") == each["metadata"].get("generation")
    return (name == workload or name.startswith(f"{workload}-")) and seen and status.get("expectedPods") == 0


def _scales(each: Object, kind: str, name: str) -> bool:
    target = each["spec"]["scaleTargetRef"]
    return bool(target.get("kind") == KINDS[kind][1] and target.get("name") == name)


def _measured(scaler: Object) -> Iterator[str]:
    """Resources whose use it holds against their request; one held against a plain value does not depend on it."""
    for metric in scaler["spec"].get("metrics") or ():
        found = metric.get("resource") or metric.get("containerResource") or {}
        if (found.get("target") or {}).get("type") == "Utilization":
            yield found["name"]


def selects(selector: Object | None, labels: Mapping[str, str]) -> bool:
    """As apimachinery's LabelSelectorAsSelector: one that is missing selects nothing, an empty one everything."""
    if selector is None:
        return False
    wanted: Mapping[str, str] = selector.get("matchLabels") or {}
    told = [labels.get(key) == value for key, value in wanted.items()]
    return all(told) and all(_holds(each, labels) for each in selector.get("matchExpressions") or ())


def _holds(each: Object, labels: Mapping[str, str]) -> bool:
    key, values = str(each["key"]), frozenset(each.get("values") or ())
    match each["operator"]:
        case "In":
            return labels.get(key) in values
        case "NotIn":
            return labels.get(key) not in values
        case "Exists":
            return key in labels
        case _:
            return key not in labels
