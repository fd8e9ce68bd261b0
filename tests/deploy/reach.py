"""Who reaches whom, by NetworkPolicy and CiliumNetworkPolicy: their meaning, without a cluster.

Kubernetes: a pod that a policy selects in a direction takes there only what some rule of some policy allows. Cilium's
are added to these, and a name is allowed only for what has been looked up through its own DNS rule. matchPattern's "*"
stands for letters of one part of a name (cilium/cilium pkg/fqdn/matchpattern).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.adapters.kubernetes.anatomy import selects

Object = dict[str, Any]
NAMESPACE = "kubernetes.io/metadata.name"
IN_CILIUM = "k8s:io.kubernetes.pod.namespace"


@dataclass(frozen=True)
class Pod:
    """``ports``: those that have a name."""

    namespace: str
    labels: Mapping[str, str]
    ports: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Host:
    """Something outside, by its name."""

    name: str


@dataclass(frozen=True)
class Entity:
    """What Cilium knows by itself."""

    name: str


Party = Pod | Host | Entity


def reaches(objects: tuple[Object, ...], source: Party, target: Party, port: int, protocol: str = "TCP") -> bool:
    """Whether *source* may connect to *target*: it may go out, and it may come in."""
    return _out(objects, source, target, port, protocol) and _in(objects, source, target, port, protocol)


def _out(objects: tuple[Object, ...], source: Party, target: Party, port: int, protocol: str) -> bool:
    if not isinstance(source, Pod):
        return True
    plain, cilium = _policies(objects, source, "Egress"), _cilium(objects, source)
    if not plain and not cilium:
        return True
    return any(
        _plain(rule, "to", target, port, protocol, target) for each in plain for rule in each.get("egress") or ()
    ) or any(_named(rule, target, port, protocol, cilium) for rule in _rules(cilium))


def _in(objects: tuple[Object, ...], source: Party, target: Party, port: int, protocol: str) -> bool:
    if not isinstance(target, Pod):
        return True
    plain = _policies(objects, target, "Ingress")
    return not plain or any(
        _plain(rule, "from", source, port, protocol, target) for each in plain for rule in each.get("ingress") or ()
    )


def _policies(objects: tuple[Object, ...], pod: Pod, direction: str) -> list[Object]:
    return [
        each["spec"]
        for each in objects
        if each["kind"] == "NetworkPolicy"
        and each["metadata"]["namespace"] == pod.namespace
        and direction in each["spec"]["policyTypes"]
        and selects(each["spec"]["podSelector"], pod.labels)
    ]


def _cilium(objects: tuple[Object, ...], pod: Pod) -> list[Object]:
    return [
        each["spec"]
        for each in objects
        if each["kind"] == "CiliumNetworkPolicy"
        and each["metadata"]["namespace"] == pod.namespace
        and selects(each["spec"]["endpointSelector"], pod.labels)
    ]


def _rules(specs: list[Object]) -> Iterator[Object]:
    for spec in specs:
        yield from spec.get("egress") or ()


def _plain(rule: Object, way: str, peer: Party, port: int, protocol: str, target: Party) -> bool:
    peers = rule.get(way)
    if peers is not None and not any(_peer(each, peer) for each in peers):
        return False
    ports = rule.get("ports")
    return ports is None or any(
        each.get("protocol", "TCP") == protocol and _number(each["port"], target) == port for each in ports
    )


def _number(port: int | str, target: Party) -> int | None:
    if isinstance(port, int):
        return port
    return target.ports.get(port) if isinstance(target, Pod) else None


def _peer(each: Object, peer: Party) -> bool:
    """Both selectors of one entry have to hold; a pod without a namespaceSelector would be of the policy's own."""
    if not isinstance(peer, Pod) or "ipBlock" in each:
        return False
    return selects(each["namespaceSelector"], {NAMESPACE: peer.namespace}) and (
        "podSelector" not in each or selects(each["podSelector"], peer.labels)
    )


def _named(rule: Object, target: Party, port: int, protocol: str, policies: list[Object]) -> bool:
    ports = {(int(each["port"]), each["protocol"]) for entry in rule["toPorts"] for each in entry["ports"]}
    if (port, protocol) not in ports:
        return False
    match target:
        case Pod():
            labels = {IN_CILIUM: target.namespace, **{f"k8s:{name}": value for name, value in target.labels.items()}}
            return any(selects(each, labels) for each in rule.get("toEndpoints") or ())
        case Entity(name):
            return name in (rule.get("toEntities") or ())
        case Host(name):
            return any(_pattern(each, name) for each in rule.get("toFQDNs") or ()) and _looked_up(policies, name)


def _looked_up(policies: list[Object], name: str) -> bool:
    """Without a DNS rule that Cilium's proxy answers for, it never learns the name's addresses."""
    shown = (
        each
        for rule in _rules(policies)
        for entry in rule["toPorts"]
        for each in (entry.get("rules") or {}).get("dns") or ()
    )
    return any(_pattern(each, name) for each in shown)


def _pattern(each: Object, name: str) -> bool:
    if "matchName" in each:
        return bool(each["matchName"] == name)
    written = each["matchPattern"]
    if written == "*":
        return True
    return bool(re.fullmatch(re.escape(written).replace(r"\*", "[-a-zA-Z0-9_]*"), name))
