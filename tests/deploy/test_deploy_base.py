"""The manifests hold together, and the role holds exactly what the cluster adapter calls."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
BASE = ROOT / "deploy" / "base"
RESOURCES = {"deployment": "deployments", "stateful_set": "statefulsets", "daemon_set": "daemonsets", "pod": "pods"}
VERBS = {"read": "get", "list": "list", "patch": "patch", "delete": "delete"}


def _objects() -> list[dict[str, Any]]:
    names = yaml.safe_load((BASE / "kustomization.yaml").read_text())["resources"]
    return [each for name in names for each in yaml.safe_load_all((BASE / name).read_text())]


def test_every_file_is_listed() -> None:
    listed = set(yaml.safe_load((BASE / "kustomization.yaml").read_text())["resources"])
    assert listed == {path.name for path in BASE.glob("*.yaml")} - {"kustomization.yaml"}


def test_role_holds_exactly_the_verbs_that_are_called() -> None:
    role = next(each for each in _objects() if each["kind"] == "ClusterRole")
    granted = {(verb, what) for rule in role["rules"] for verb in rule["verbs"] for what in rule["resources"]}
    source = (ROOT / "bot" / "adapters" / "kubernetes" / "cluster.py").read_text()
    kinds = re.findall(r'"(?:deployment|statefulset|daemonset)": "(\w+)"', source)
    calls = set(re.findall(r'"(read|list|patch|delete)_namespaced_(\w+)"', source))
    generic = re.findall(r'f"(read|patch)_namespaced_\{', source)
    calls |= {(verb, kind) for verb in generic for kind in kinds}
    assert granted == {(VERBS[verb], RESOURCES[kind]) for verb, kind in calls}


def test_the_pod_is_restricted() -> None:
    pod = next(each for each in _objects() if each["kind"] == "StatefulSet")["spec"]["template"]["spec"]
    container = pod["containers"][0]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert {"startupProbe", "readinessProbe", "livenessProbe"} <= container.keys()
