"""/version, /api, /apis and the resource lists: enough for clients that look before they ask."""

from typing import Final

from bot.simulator.kubernetes.kinds import KINDS, VIRTUAL_GROUPS, Kind
from bot.simulator.kubernetes.wire import Json

VERSION: Final = {
    "major": "1",
    "minor": "33",
    "gitVersion": "v1.33.1",
    "gitCommit": "8adc0f041b8e7ad1d30e29cc59c6ae7a15e19828",
    "gitTreeState": "clean",
    "buildDate": "2025-05-15T08:19:08Z",
    "goVersion": "go1.24.2",
    "compiler": "gc",
    "platform": "linux/amd64",
}
_VERBS: Final = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"]
_REVIEW: Final = {
    "name": "selfsubjectaccessreviews",
    "singularName": "selfsubjectaccessreview",
    "namespaced": False,
    "kind": "SelfSubjectAccessReview",
    "verbs": ["create"],
}
_METRICS: Final = [
    {"name": plural, "singularName": "", "namespaced": plural == "pods", "kind": kind, "verbs": ["get", "list"]}
    for plural, kind in (("pods", "PodMetrics"), ("nodes", "NodeMetrics"))
]


def answer(path: str) -> Json | None:
    """The discovery document at *path*, or None."""
    parts = tuple(part for part in path.split("/") if part)
    match parts:
        case ("version",):
            return dict(VERSION)
        case ("api",):
            return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []}
        case ("apis",):
            return {"kind": "APIGroupList", "apiVersion": "v1", "groups": [_group(*item) for item in _groups().items()]}
        case ("apis", group) if group in _groups():
            return {"kind": "APIGroup", "apiVersion": "v1"} | _group(group, _groups()[group])
        case ("api", "v1") | ("apis", _, _):
            return _versioned(parts)
        case _:
            return None


def _versioned(parts: tuple[str, ...]) -> Json | None:
    match parts:
        case ("api", version):
            return _resources("", version)
        case (_, group, version) if _groups().get(group) == version:
            return _resources(group, version)
        case _:
            return None


def _groups() -> dict[str, str]:
    return {kind.group: kind.version for kind in KINDS if kind.group} | VIRTUAL_GROUPS


def _group(name: str, version: str) -> Json:
    entry = {"groupVersion": f"{name}/{version}", "version": version}
    return {"name": name, "versions": [entry], "preferredVersion": entry}


def _resources(group: str, version: str) -> Json:
    found = [entry for kind in KINDS if (kind.group, kind.version) == (group, version) for entry in _entries(kind)]
    if group == "authorization.k8s.io":
        found = [dict(_REVIEW)]
    elif group == "metrics.k8s.io":
        found = [dict(entry) for entry in _METRICS]
    wire = f"{group}/{version}" if group else version
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": wire, "resources": found}


def _entries(kind: Kind) -> list[Json]:
    base = {"singularName": kind.name.lower(), "namespaced": kind.namespaced, "kind": kind.name}
    found = [base | {"name": kind.plural, "verbs": list(_VERBS)}]
    if kind.status:
        found.append(base | {"name": f"{kind.plural}/status", "verbs": ["get", "patch", "update"]})
    if kind.scalable:
        scale = {"kind": "Scale", "group": "autoscaling", "version": "v1", "verbs": ["get", "patch", "update"]}
        found.append(base | {"name": f"{kind.plural}/scale"} | scale)
    if kind.plural == "pods":
        found.append(base | {"name": "pods/log", "verbs": ["get"]})
        found.append(base | {"name": "pods/eviction", "kind": "Eviction", "verbs": ["create"]})
    return found
