"""Nodes held against a pod, and what ails them. Plain JSON in, facts and phrases out; pure.

Rules: kubernetes/kubernetes
pkg/scheduler/framework/plugins (tainttoleration, nodeaffinity, noderesources), component-helpers nodeaffinity.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, TypeAlias

from bot.domain.phrases import Code, Phrase, Quantity, counted, phrase
from bot.domain.quantities import MIB, known

Object: TypeAlias = dict[str, Any]
NAMED: Final = 3
"""Nodes that a line names."""
PRESSURES: Final = {
    "MemoryPressure": phrase("short of memory"), "DiskPressure": phrase("short of disk space"),
    "PIDPressure": phrase("short of process ids"), "NetworkUnavailable": phrase("without network"),
}  # fmt: skip
"""Conditions that are bad when True: kubernetes/api core/v1 types.go."""
BARS: Final = frozenset({"NoSchedule", "NoExecute"})
CORDONED: Final = "node.kubernetes.io/unschedulable"


def able(pod: Object, nodes: Iterable[Object]) -> list[str]:
    """Names of the nodes that could take *pod* if nothing else ran there."""
    return [_name(node) for node in nodes if not any(_reasons(pod, node))]


def compared(pod: Object, nodes: Iterable[Object], taken: Mapping[str, list[Object]]) -> Iterator[Phrase]:
    """Which node can't take *pod* for which reason. *taken*: what runs on those of which it was asked."""
    against: dict[str, list[str]] = {}
    said: dict[str, Phrase] = {}
    every, could = list(nodes), []
    for node in every:
        reasons = list(_reasons(pod, node))
        if not reasons:
            could.append(_name(node))
            reasons = list(_full(pod, node, taken[_name(node)])) if _name(node) in taken else []
        for reason in reasons:
            key = reason.plain()
            said[key] = reason
            against.setdefault(key, []).append(_name(node))
    for key, names in sorted(against.items(), key=lambda each: -len(each[1])):
        yield phrase("{nodes}: {reason}", nodes=_names(names), reason=said[key])
    if every and not could:
        yield phrase("no node could take it even if it were empty: the nodes have to change, or what it asks for")
    told = {name for names in against.values() for name in names}
    if rest := [name for name in could if name not in told]:
        yield phrase("{nodes}: could take it by size, taints and labels", nodes=_names(rest))


def _full(pod: Object, node: Object, running: Iterable[Object]) -> Iterator[Phrase]:
    """What is too little of *node* once what runs there is taken away."""
    specs, room = [each.get("spec") or {} for each in running], (node.get("status") or {}).get("allocatable") or {}
    for resource in sorted(_resources(pod.get("spec") or {})):
        wants, has = asked(pod.get("spec") or {}, resource), known(room.get(resource)) or 0.0
        free = max(0.0, has - sum(asked(spec, resource) for spec in specs))
        if wants > free:
            yield phrase("has {free} of {has} {resource} free, it asks for {wants}", resource=Code(resource),
                         free=_quantity(free, resource), has=_quantity(has, resource),
                         wants=_quantity(wants, resource))  # fmt: skip


def ailing(nodes: Iterable[Object], used: Mapping[str, int]) -> Iterator[Phrase]:
    """Nodes with pods of the workload (*used*: how many) that are not well."""
    for node in nodes:
        pods = used.get(_name(node), 0)
        if pods:
            for state in _states(node):
                yield counted(
                    "node {node} is {state}; {n} pod is on it", "node {node} is {state}; {n} pods are on it", pods,
                    node=Code(_name(node)), state=state,
                )  # fmt: skip


def cordoned(nodes: Iterable[Object], used: Mapping[str, int]) -> tuple[str, ...]:
    """Names of cordoned nodes that still have pods of the workload."""
    return tuple(_name(each) for each in nodes if used.get(_name(each)) and _spec(each).get("unschedulable"))


def _states(node: Object) -> Iterator[Phrase]:
    conditions = {each["type"]: each for each in (node.get("status") or {}).get("conditions") or ()}
    ready = conditions.get("Ready") or {}
    if ready.get("status") == "Unknown":
        yield phrase("out of contact: its kubelet has stopped answering")
    elif ready.get("status") != "True":
        yield phrase("not ready")
    for name, said in PRESSURES.items():
        if (conditions.get(name) or {}).get("status") == "True":
            yield said
    if _spec(node).get("unschedulable"):
        yield phrase("cordoned")


def _reasons(pod: Object, node: Object) -> Iterator[Phrase]:
    spec = pod.get("spec") or {}
    if _spec(node).get("unschedulable") and not _tolerated({"key": CORDONED, "effect": "NoSchedule"}, spec):
        yield phrase("cordoned")
    for taint in _spec(node).get("taints") or ():
        if taint.get("effect") in BARS and taint.get("key") != CORDONED and not _tolerated(taint, spec):
            yield phrase("has the taint {taint}, which it doesn't tolerate", taint=Code(_taint(taint)))
    if mismatch := _mismatch(spec, node):
        yield phrase("does not match its {what}", what=Code(mismatch))
    yield from _small(spec, node)


def _small(spec: Object, node: Object) -> Iterator[Phrase]:
    room = (node.get("status") or {}).get("allocatable") or {}
    for resource in sorted(_resources(spec)):
        wants, has = asked(spec, resource), known(room.get(resource)) or 0.0
        if wants > has:
            yield phrase("has {has} in all of the {wants} {resource} that it asks for", resource=Code(resource),
                         has=_quantity(has, resource), wants=_quantity(wants, resource))  # fmt: skip


def asked(spec: Object, resource: str) -> float:
    """What a pod asks for: its containers and sidecars together, or the largest init container before them.

    kubernetes.io, "Init Containers", resource sharing; simplified where sidecars start between init containers.
    """
    inits, mains = spec.get("initContainers") or (), spec.get("containers") or ()
    sidecars = sum(_request(each, resource) for each in inits if each.get("restartPolicy") == "Always")
    first = max((_request(each, resource) for each in inits if each.get("restartPolicy") != "Always"), default=0.0)
    overhead = known((spec.get("overhead") or {}).get(resource)) or 0.0
    return max(sum(_request(each, resource) for each in mains), first) + sidecars + overhead


def _resources(spec: Object) -> set[str]:
    every = (*(spec.get("initContainers") or ()), *(spec.get("containers") or ()))
    return {name for each in every for name in (each.get("resources") or {}).get("requests") or ()}


def _request(container: Object, resource: str) -> float:
    return known(((container.get("resources") or {}).get("requests") or {}).get(resource)) or 0.0


def _quantity(number: float, resource: str) -> Quantity:
    if resource in {"memory", "ephemeral-storage"} or resource.startswith("hugepages-"):
        return Quantity(number / MIB, "MiB", 0)
    return Quantity(number, "", 0 if number == int(number) else 2)


def _tolerated(taint: Object, spec: Object) -> bool:
    """kubernetes/api core/v1 toleration.go, ToleratesTaint."""
    for each in spec.get("tolerations") or ():
        effect, key = each.get("effect"), each.get("key")
        if (effect and effect != taint.get("effect")) or (key and key != taint.get("key")):
            continue
        if each.get("operator") == "Exists" or (key and (each.get("value") or "") == (taint.get("value") or "")):
            return True
    return False


def _taint(taint: Object) -> str:
    value = f"={taint['value']}" if taint.get("value") else ""
    return f"{taint.get('key')}{value}:{taint.get('effect')}"


def _mismatch(spec: Object, node: Object) -> str:
    """The part of its node selector or required affinity that *node* lacks; empty where it has all."""
    labels = node["metadata"].get("labels") or {}
    for key, value in (spec.get("nodeSelector") or {}).items():
        if labels.get(key) != value:
            return f"{key}={value}"
    affinity = (spec.get("affinity") or {}).get("nodeAffinity") or {}
    terms = (affinity.get("requiredDuringSchedulingIgnoredDuringExecution") or {}).get("nodeSelectorTerms") or ()
    missing = [_missing(term, labels, _name(node)) for term in terms]  # one of the terms is enough
    return missing[0] if missing and all(missing) else ""


def _missing(term: Object, labels: Mapping[str, str], name: str) -> str:
    every = [(each, labels) for each in term.get("matchExpressions") or ()]
    every += [(each, {"metadata.name": name}) for each in term.get("matchFields") or ()]
    for each, values in every:
        if not _met(each, values):
            wanted = ",".join(each.get("values") or ())
            return f"{each['key']} {each['operator']} {wanted}".strip()
    return "" if every else "affinity"  # an empty term matches nothing


def _met(each: Object, labels: Mapping[str, str]) -> bool:
    have, values = labels.get(each["key"]), [str(value) for value in each.get("values") or ()]
    match each["operator"]:
        case "In":
            return have in values
        case "NotIn":
            return have not in values
        case "Exists":
            return have is not None
        case "DoesNotExist":
            return have is None
        case "Gt":
            return _number(have) > _number(values[0]) if have else False
        case _:
            return _number(have) < _number(values[0]) if have else False


def _number(text: str | None) -> int:
    return int(text) if text and text.lstrip("-").isdecimal() else 0


def _names(names: list[str]) -> Phrase:
    shown = Code(", ".join(sorted(names)[:NAMED]))
    more = len(names) - NAMED
    if more <= 0:
        return phrase("{names}", names=shown)
    return counted("{names} and {n} other node", "{names} and {n} other nodes", more, names=shown)


def _name(node: Object) -> str:
    return str(node["metadata"]["name"])


def _spec(node: Object) -> Object:
    return node.get("spec") or {}
