"""The manifests hold together, and the role holds exactly what the cluster adapter calls."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.adapters.kubernetes import gitops, past
from bot.domain.services import NAMESPACES

ROOT = Path(__file__).parents[2]
BASE = ROOT / "deploy" / "base"
GITOPS = ROOT / "deploy" / "gitops"
RESOURCES = {
    "deployment": "deployments", "stateful_set": "statefulsets", "daemon_set": "daemonsets", "pod": "pods",
    "replica_set": "replicasets", "controller_revision": "controllerrevisions", "event": "events",
    "pod_log": "pods/log",
}  # fmt: skip
VERBS = {"read": "get", "list": "list", "patch": "patch", "delete": "delete"}


def _objects() -> list[dict[str, Any]]:
    names = yaml.safe_load((BASE / "kustomization.yaml").read_text())["resources"]
    return [each for name in names for each in yaml.safe_load_all((BASE / name).read_text())]


def test_every_file_is_listed() -> None:
    listed = set(yaml.safe_load((BASE / "kustomization.yaml").read_text())["resources"])
    assert listed == {path.name for path in BASE.glob("*.yaml")} - {"kustomization.yaml"}


def _granted(role: dict[str, Any]) -> set[tuple[str, str]]:
    return {(verb, what) for rule in role["rules"] for verb in rule["verbs"] for what in rule["resources"]}


def test_role_holds_exactly_the_verbs_that_are_called() -> None:
    role = next(each for each in _objects() if each["kind"] == "ClusterRole")
    folder = ROOT / "bot" / "adapters" / "kubernetes"
    source = "".join((folder / f"{name}.py").read_text() for name in ("cluster", "found", "past", "logs", "happenings"))
    kinds = re.findall(r'"(?:deployment|statefulset|daemonset)": "(\w+)"', source)
    calls = set(re.findall(r'"(read|list|patch|delete)_namespaced_(\w+)"', source))
    generic = re.findall(r'f"(read|patch)_namespaced_\{', source)
    calls |= {(verb, kind) for verb in generic for kind in kinds}
    revisions = re.search(r'made = "(\w+)" if .* else "(\w+)"', source)
    assert revisions
    calls |= {("list", kind) for kind in revisions.groups()}
    assert _granted(role) == {(VERBS[verb], RESOURCES[kind]) for verb, kind in calls}


def test_nodes_are_seen_by_their_events_alone() -> None:
    (role,) = (each for each in _objects() if each["kind"] == "Role")
    assert (role["metadata"]["namespace"], _granted(role)) == (past.NODE_EVENTS, {("list", "events")})


@pytest.mark.parametrize(
    ("tool", "kinds"), [("argocd", [gitops.APPLICATION]), ("flux", [gitops.KUSTOMIZATION, gitops.HELMRELEASE])]
)
def test_each_gitops_tool_has_a_role_of_its_own(tool: str, kinds: list[tuple[str, str, str]]) -> None:
    role, binding = yaml.safe_load_all((GITOPS / f"{tool}.yaml").read_text())
    held = {(group, what) for rule in role["rules"] for group in rule["apiGroups"] for what in rule["resources"]}
    assert held == {(group, plural) for group, _, plural in kinds}
    assert {verb for verb, _ in _granted(role)} == {"get"}
    assert (binding["roleRef"]["name"], binding["metadata"]["namespace"]) == (
        role["metadata"]["name"],
        NAMESPACES[tool],
    )


def test_nothing_moves_the_bindings_to_another_namespace() -> None:
    assert "namespace" not in yaml.safe_load((BASE / "kustomization.yaml").read_text())
    clusterwide = {"Namespace", "ClusterRole"}
    placed = {each["kind"]: each["metadata"].get("namespace") for each in _objects() if each["kind"] not in clusterwide}
    assert None not in placed.values()


def test_the_pod_is_restricted() -> None:
    pod = next(each for each in _objects() if each["kind"] == "StatefulSet")["spec"]["template"]["spec"]
    container = pod["containers"][0]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert {"startupProbe", "readinessProbe", "livenessProbe"} <= container.keys()
