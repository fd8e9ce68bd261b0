"""Argo CD and Flux bring the same objects, in the same order, and tell pult in words that it reads."""

from __future__ import annotations

import json
import re
import shutil
import tomllib
from datetime import UTC, datetime
from fnmatch import fnmatch
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.domain.releases import Fate
from bot.domain.services import Catalogue, Environment, GitOps, Service
from bot.ports.webhooks import Delivery
from handlers.webhooks import argocd
from handlers.webhooks.names import Names
from tests.deploy.built import (
    DEPLOY,
    OVERLAYS,
    PRODUCTION,
    ROOT,
    STAGE,
    Object,
    built,
    key,
    kinds,
    title,
    workload,
)

ARGOCD = DEPLOY / "gitops/argocd"
FLUX = {region: DEPLOY / f"gitops/flux/{region}" for region in ("nyc2", "sfo3")}
NOW = datetime(2026, 11, 24, 8, 31, tzinfo=UTC)
WAVE = "argocd.argoproj.io/sync-wave"
STAGES = ("access", "schema", "run", "watch")
CLUSTERS = tuple(
    {"name": region, "labels": {"argocd.argoproj.io/secret-type": "cluster", "pult.dev/region": region}}
    for region in FLUX
)
"""The clusters that Argo CD knows, as their Secrets describe them."""


def applications(*clusters: Object) -> dict[str, Object]:
    """What the ApplicationSet makes of *clusters*."""
    (made,) = kinds(built(ARGOCD), "ApplicationSet")
    return generated(made, *clusters)


def generated(made: Object, *clusters: Object) -> dict[str, Object]:
    """What *made* makes of *clusters*: cluster generators, and Go's templates as far as used."""
    found = {}
    for generator in (each["clusters"] for each in made["spec"]["generators"]):
        for cluster in clusters:
            if generator["selector"]["matchLabels"].items() <= cluster["labels"].items():
                values = {f"values.{name}": value for name, value in generator["values"].items()}
                filled = _filled(made["spec"]["template"], values | {"name": cluster["name"]})
                found[filled["metadata"]["name"]] = filled
    return found


def _filled(value: Any, known: dict[str, str]) -> Any:
    match value:
        case dict():
            return {name: _filled(each, known) for name, each in value.items()}
        case list():
            return [_filled(each, known) for each in value]
        case str():
            return re.sub(r"\{\{\.([\w.]+)\}\}", lambda found: known[found[1]], value)
    return value


def by_argocd() -> dict[str, Path]:
    """Application → the folder that it brings."""
    made = applications(*CLUSTERS)
    return {name: ROOT / each["spec"]["source"]["path"] for name, each in made.items()}


def stages(region: str) -> list[Object]:
    """Flux's Kustomizations of *region*, each after those that it depends on."""
    left = {each["metadata"]["name"]: each for each in kinds(built(FLUX[region]), "Kustomization")}
    done: list[Object] = []
    while left:
        ready = [
            name
            for name, each in left.items()
            if all(need["name"] not in left for need in each["spec"].get("dependsOn", ()))
        ]
        assert ready, "they wait for each other"
        done += [left.pop(name) for name in ready]
    return done


def brought(stage: Object, tmp_path: Path) -> tuple[Object, ...]:
    """What kustomize-controller applies: it adds the Kustomization's patches to those in the folder."""
    whole = shutil.copytree(DEPLOY, tmp_path / stage["metadata"]["name"] / "deploy").parent / stage["spec"]["path"]
    path = whole / "kustomization.yaml"
    written = yaml.safe_load(path.read_text())
    path.write_text(yaml.safe_dump(written | {"patches": written["patches"] + stage["spec"]["patches"]}))
    return built(whole)


def overlay(stage: Object) -> Path:
    return ROOT / stage["spec"]["path"]


@pytest.mark.parametrize("region", FLUX)
def test_both_tools_bring_the_same_objects(region: str, tmp_path: Path) -> None:
    """Argo CD each overlay at once, Flux in stages: together nothing is left out, and nothing comes twice."""
    flux: dict[Path, list[Object]] = {}
    for stage in stages(region):
        flux.setdefault(overlay(stage), []).extend(brought(stage, tmp_path))
    made = applications(*(each for each in CLUSTERS if each["name"] == region))
    argo = {ROOT / each["spec"]["source"]["path"] for each in made.values()}
    assert set(flux) == argo
    for folder, objects in flux.items():
        assert sorted(objects, key=key) == sorted(built(folder), key=key)


@pytest.mark.parametrize("region", FLUX)
def test_both_tools_bring_them_in_the_same_order(region: str, tmp_path: Path) -> None:
    """Flux's stages one after the other; Argo CD's waves rise with them."""
    waves: dict[Path, list[tuple[int, int]]] = {}
    for stage in stages(region):
        assert stage["spec"]["wait"] is True, "else the next one begins at once"
        found = [int(each["metadata"]["annotations"][WAVE]) for each in brought(stage, tmp_path)]
        waves.setdefault(overlay(stage), []).append((min(found), max(found)))
    for ordered in waves.values():
        assert all(before[1] < after[0] for before, after in pairwise(ordered))


@pytest.mark.parametrize("folder", OVERLAYS, ids=title)
def test_every_object_has_its_stage_and_wave(folder: Path) -> None:
    waves: dict[str, set[str]] = {}
    for each in built(folder):
        waves.setdefault(each["metadata"]["labels"][STAGE], set()).add(each["metadata"]["annotations"][WAVE])
    assert set(waves) <= set(STAGES)
    assert waves["access"] == {"-2", "-1"}
    assert {name: found for name, found in waves.items() if name != "access"}.items() <= {
        "schema": {"0"}, "run": {"1"}, "watch": {"2"},
    }.items()  # fmt: skip


@pytest.mark.parametrize("folder", PRODUCTION, ids=title)
def test_the_schema_is_brought_up_by_both(folder: Path) -> None:
    (job,) = kinds(built(folder), "Job")
    notes = job["metadata"]["annotations"]
    assert notes["argocd.argoproj.io/hook"] == "Sync", "before a sync its secrets and policies would not be there"
    assert notes["argocd.argoproj.io/hook-delete-policy"] == "BeforeHookCreation", "a Job's image can't be changed"
    assert notes["kustomize.toolkit.fluxcd.io/force"] == "Enabled", "as above"
    assert "ttlSecondsAfterFinished" not in job["spec"], "Flux would make it anew every time it looks"
    pods = [each["spec"]["template"]["spec"]["containers"][0]["image"] for each in (job, workload(built(folder)))]
    assert pods[0] == pods[1]


def test_each_argo_cd_makes_what_its_own_clusters_are_for() -> None:
    nyc2, sfo3 = CLUSTERS
    assert set(applications(nyc2)) == {"pult", "pult-staging"}
    assert set(applications(sfo3)) == {"pult-sfo3"}
    assert set(by_argocd().values()) == set(OVERLAYS)


def test_the_project_allows_what_is_brought_and_no_more() -> None:
    (project,) = kinds(built(ARGOCD), "AppProject")
    spec, used = project["spec"], set()
    namespaces = {(each["name"], each["namespace"]) for each in spec["destinations"]}
    used_namespaces: set[tuple[str, str]] = set()
    for made in applications(*CLUSTERS).values():
        assert made["spec"]["source"]["repoURL"] in spec["sourceRepos"]
        for each in built(ROOT / made["spec"]["source"]["path"]):
            group = each["apiVersion"].rpartition("/")[0]
            inside = each["metadata"].get("namespace")
            used.add((bool(inside), group, each["kind"]))
            if inside:
                used_namespaces.add((made["spec"]["destination"]["name"], inside))
    allowed = {(False, each["group"], each["kind"]) for each in spec["clusterResourceWhitelist"]}
    allowed |= {(True, each["group"], each["kind"]) for each in spec["namespaceResourceWhitelist"]}
    assert (used, used_namespaces) == (allowed, namespaces)
    assert not any(fnmatch("*", each) for each in spec["sourceRepos"])


def test_pult_finds_what_both_tools_make() -> None:
    """The names in pult.toml are those of the Applications; in Flux the stage that runs pult has the same."""
    text = tomllib.loads((PRODUCTION[0] / "pult.toml").read_text())
    (service,) = (each for each in text["services"] if each["name"] == "pult")
    told = {each["gitops"]["application"]: each for each in service["environments"]}
    assert {name: ROOT / Path(each["gitops"]["path"]).parent for name, each in told.items()} == by_argocd()
    made = applications(*CLUSTERS)
    for name, each in told.items():
        assert made[name]["spec"]["destination"] == {"name": each["cluster"], "namespace": each["namespace"]}
    running = {stage["metadata"]["name"]: overlay(stage) for region in FLUX for stage in stages(region)}
    assert {name: running[name] for name in told} == by_argocd()


def notifications() -> Object:
    (found,) = kinds(built(ARGOCD), "ConfigMap")
    return {name: yaml.safe_load(text) for name, text in found["data"].items()}


def rendered(template: str, app: Object) -> bytes:
    """The template's body for *app*: the two forms of Go's templates that it uses."""

    def told(found: re.Match[str]) -> str:
        value: Any = {"app": app}
        for name in found[1].split("."):
            value = value.get(name) if value else None
        return json.dumps(value)

    link = re.sub(r"\{\{printf [^}]*\| toJson\}\}", '"https://argocd.example/applications/argocd/pult"', template)
    return re.sub(r"\{\{toJson \.([\w.]+)\}\}", told, link).encode()


def application(phase: str, health: str) -> Object:
    operation = {"phase": phase, "message": "one or more objects failed", "startedAt": "2026-11-24T08:30:00Z",
                 "finishedAt": "2026-11-24T08:30:40Z", "syncResult": {"revision": "9d2f" * 10}}  # fmt: skip
    return {
        "metadata": {"name": "pult", "namespace": "argocd"}, "spec": {"project": "pult"},
        "status": {
            "sync": {"status": "Synced", "revision": "9d2f" * 10}, "health": {"status": health},
            "operationState": operation,
            "summary": {"images": ["registry.digitalocean.com/dept/pult@sha256:" + "ab" * 32]},
        },
    }  # fmt: skip


CASES = [("Succeeded", "Healthy", Fate.GOOD), ("Succeeded", "Degraded", Fate.BAD), ("Failed", "Healthy", None)]


@pytest.mark.parametrize(("phase", "health", "fate"), CASES)
def test_pult_reads_what_argo_cd_tells(phase: str, health: str, fate: Fate | None) -> None:
    """The shipped template, filled in as Argo CD does, through pult's own reader."""
    body = notifications()["template.pult"]["webhook"]["pult"]["body"]
    gitops = GitOps("argocd", "pult", "dept/pult", "deploy/overlays/production-nyc2/kustomization.yaml")
    production = Environment("production", "nyc2", "pult", "deployment", "pult", gitops)
    service = Service("pult", "pult", "deployment", "pult", ("nyc2",), (production,), repo="dept/pult")
    heard = argocd.parse(Delivery({}, rendered(body, application(phase, health)), NOW), Names(Catalogue([service])))
    assert {each.fate for each in heard.sightings} == ({fate} if fate else set())
    assert any(each.fires for each in heard.troubles) == (fate is not Fate.GOOD)


def test_argo_cd_tells_pult_where_it_listens_and_what_it_asks_for() -> None:
    told = notifications()
    service = told["service.webhook.pult"]
    template = told["template.pult"]["webhook"]["pult"]
    (account,) = {each["metadata"]["namespace"] for each in kinds(built(PRODUCTION[0]), "Deployment")}
    assert (service["url"], template["path"]) == (f"http://pult.{account}.svc", f"/webhooks/{argocd.NAME}")
    assert {"name": "Authorization", "value": "Bearer $pult-token"} in service["headers"]
    (external,) = kinds(built(ARGOCD), "ExternalSecret")
    assert external["spec"]["target"] == {"name": "argocd-notifications-secret", "creationPolicy": "Merge"}
    assert [each["secretKey"] for each in external["spec"]["data"]] == ["pult-token"]
    (subscription,) = told["subscriptions"]
    triggers = [name for name in told if name.startswith("trigger.")]
    assert [f"trigger.{name}" for name in subscription["triggers"]] == triggers


def test_the_docs_show_the_same_template() -> None:
    page = (ROOT / "docs/integrations.md").read_text()
    (block,) = (yaml.safe_load(each) for each in re.findall(r"```yaml\n(data:\n.*?)```", page, re.DOTALL))
    shown = {name: yaml.safe_load(text) for name, text in block["data"].items()}
    mine = notifications()
    for each in (shown, mine):
        each.pop("service.webhook.pult")
    assert shown == mine


@pytest.mark.parametrize("region", FLUX)
def test_flux_tells_pult_which_cluster_it_is_in(region: str) -> None:
    objects = built(FLUX[region])
    (provider,), (alert,) = kinds(objects, "Provider"), kinds(objects, "Alert")
    assert provider["spec"]["type"] == "generic-hmac"
    assert provider["spec"]["address"].endswith("/webhooks/flux")
    assert alert["spec"]["eventMetadata"] == {"cluster": region}
    assert alert["spec"]["eventSeverity"] == "info", "with error alone nobody hears that it is well again"
    (external,) = kinds(objects, "ExternalSecret")
    assert provider["spec"]["secretRef"]["name"] == external["spec"]["target"]["name"]
    sources = {each["metadata"]["name"] for each in kinds(objects, "GitRepository")}
    assert {each["spec"]["sourceRef"]["name"] for each in kinds(objects, "Kustomization")} <= sources
