"""The manifests hold together, and the doctor asks for no more than they grant."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.adapters.kubernetes import past, resources
from bot.adapters.kubernetes.resources import Resource
from bot.cli import permissions
from bot.domain.services import NAMESPACES, Environment, GitOps, Service

ROOT = Path(__file__).parents[2]
BASE = ROOT / "deploy" / "base"
GITOPS = ROOT / "deploy" / "gitops"
TOOLS = {"argocd": GITOPS / "argocd/role.yaml", "flux": GITOPS / "flux/common/role.yaml"}


def _objects() -> list[dict[str, Any]]:
    names = yaml.safe_load((BASE / "kustomization.yaml").read_text())["resources"]
    return [each for name in names for each in yaml.safe_load_all((BASE / name).read_text())]


def test_every_file_is_listed() -> None:
    listed = set(yaml.safe_load((BASE / "kustomization.yaml").read_text())["resources"])
    assert listed == {path.name for path in BASE.glob("*.yaml")} - {"kustomization.yaml"}


def _granted(role: dict[str, Any]) -> set[tuple[str, str]]:
    return {(verb, what) for rule in role["rules"] for verb in rule["verbs"] for what in rule["resources"]}


def test_the_doctor_asks_for_nothing_that_no_role_grants() -> None:
    """Else it would cry wolf; what a role grants beyond it is for kinds that are rare."""
    roles = [each for each in _objects() if each["kind"] == "ClusterRole"]
    roles += [next(yaml.safe_load_all(path.read_text())) for path in TOOLS.values()]
    granted = {
        (verb, f"{group}/{what}" if group or "/" in what else what)
        for role in roles
        for rule in role["rules"]
        for group in rule["apiGroups"]
        for verb in rule["verbs"]
        for what in rule["resources"]
    }
    environments = [
        Environment(f"{kind}-{tool}", "nyc2", "production", kind, "api", GitOps(tool, "api"))
        for kind in permissions.WORKLOADS
        for tool in permissions.TOOLS
    ]
    service = Service("api", "production", "deployment", "api", ("nyc2",), tuple(environments))
    asked = {each for verbs in permissions.needed([service], "nyc2").values() for each in verbs}
    every = {*permissions.LOOKS, *permissions.WATCHES, *permissions.SEES, *permissions.DRAINS, *permissions.MOVES}
    assert asked | every <= granted
    assert set(permissions.needed([service], "nyc2")) == {"production", *NAMESPACES.values()}
    assert permissions.needed([service], "sfo3") == {}


def test_what_is_bound_for_the_whole_cluster_lists_it_or_empties_nodes() -> None:
    roles = {each["metadata"]["name"]: each for each in _objects() if each["kind"] == "ClusterRole"}
    bound = {each["roleRef"]["name"] for each in _objects() if each["kind"] == "ClusterRoleBinding"}
    assert bound == {"pult-see", "pult-drain"}
    assert _granted(roles["pult-see"]) == set(permissions.SEES)
    assert _granted(roles["pult-drain"]) == {(verb, what.lstrip("/")) for verb, what in permissions.DRAINS}


def test_nodes_are_seen_by_their_events_alone() -> None:
    (role,) = (each for each in _objects() if each["kind"] == "Role")
    assert (role["metadata"]["namespace"], _granted(role)) == (past.NODE_EVENTS, {("list", "events")})


@pytest.mark.parametrize(
    ("tool", "kinds"),
    [
        ("argocd", [resources.APPLICATION]),
        ("flux", [resources.KUSTOMIZATION, resources.HELMRELEASE, *resources.SOURCES.values()]),
    ],
)
def test_each_gitops_tool_has_a_role_of_its_own(tool: str, kinds: list[Resource]) -> None:
    role, binding = yaml.safe_load_all(TOOLS[tool].read_text())
    held = {(group, what) for rule in role["rules"] for group in rule["apiGroups"] for what in rule["resources"]}
    assert held == {(group, plural) for group, _, plural in kinds}
    assert {verb for verb, _ in _granted(role)} == {"get", "patch"}
    assert (binding["roleRef"]["name"], binding["metadata"]["namespace"]) == (
        role["metadata"]["name"],
        NAMESPACES[tool],
    )


def test_nothing_moves_the_bindings_to_another_namespace() -> None:
    assert "namespace" not in yaml.safe_load((BASE / "kustomization.yaml").read_text())
    clusterwide = {"Namespace", "ClusterRole", "ClusterRoleBinding"}
    placed = {each["kind"]: each["metadata"].get("namespace") for each in _objects() if each["kind"] not in clusterwide}
    assert None not in placed.values()
