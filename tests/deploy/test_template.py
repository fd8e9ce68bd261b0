"""The template that a service of the department copies: what brings it, and what pult is told, speak of the same."""

from __future__ import annotations

import tomllib
from pathlib import Path

import jsonschema
import pytest
import yaml

from bot.domain.services import Service
from config.department import department
from config.loader import EXAMPLE, parse
from tests.deploy.built import DEPLOY, ROOT, TEMPLATES, Object, built, kinds, title
from tests.deploy.schemas import SPECS
from tests.deploy.test_gitops import CLUSTERS, FLUX, generated
from tests.pult_process import toml
from tests.test_docs_blocks import joined

TEMPLATE = DEPLOY / "template"
BRINGS = sorted((TEMPLATE / "gitops").glob("*.yaml"))


def objects(path: Path) -> tuple[Object, ...]:
    return tuple(yaml.safe_load_all(path.read_text()))


@pytest.fixture
def api() -> Service:
    """As pult reads it, beside everything else of the example's."""
    whole = joined(tomllib.loads(EXAMPLE.read_text()), tomllib.loads((TEMPLATE / "pult.toml").read_text()))
    for person in whole["people"]:
        person["token"] = f"token of {person['name']}"
    text = "\n".join(f"{key} = {toml(value)}" for key, value in whole.items())
    return department(parse(text, EXAMPLE, {}, sealed=True)).services.named("api")


@pytest.mark.parametrize("path", BRINGS, ids=lambda path: path.name)
def test_what_brings_it_has_known_fields_alone(path: Path) -> None:
    for each in objects(path):
        jsonschema.validate(each["spec"], SPECS[each["apiVersion"], each["kind"]])


def test_argo_cd_brings_what_pult_looks_for(api: Service) -> None:
    (made,) = kinds(objects(TEMPLATE / "gitops/argocd.yaml"), "ApplicationSet")
    found = {
        name: (each["spec"]["destination"]["name"], each["spec"]["destination"]["namespace"], each["spec"]["source"])
        for name, each in generated(made, *CLUSTERS).items()
    }
    assert found.keys() == {each.gitops.application for each in api.environments}
    for each in api.environments:
        cluster, namespace, source = found[each.gitops.application]
        assert (cluster, namespace) == (each.cluster, each.namespace)
        assert f"{source['path']}/kustomization.yaml" == each.gitops.path
        assert source["repoURL"] == f"https://github.com/{each.gitops.repo}"
        assert source["targetRevision"] == each.gitops.branch


def test_flux_brings_the_same(api: Service) -> None:
    for region in FLUX:
        brought = objects(TEMPLATE / f"gitops/flux-{region}.yaml")
        (source,) = kinds(brought, "GitRepository")
        found = {each["metadata"]["name"]: each["spec"]["path"] for each in kinds(brought, "Kustomization")}
        assert found == {
            each.gitops.application: f"./{Path(each.gitops.path).parent}"
            for each in api.environments
            if each.cluster == region
        }
        assert source["spec"]["url"] == "https://github.com/dept/api"


@pytest.mark.parametrize("folder", TEMPLATES, ids=title)
def test_its_project_lets_in_what_is_built_and_nothing_of_the_clusters(folder: Path) -> None:
    (project,) = kinds(objects(TEMPLATE / "gitops/argocd.yaml"), "AppProject")
    allowed = {(each["group"], each["kind"]) for each in project["spec"]["namespaceResourceWhitelist"]}
    assert {(each["apiVersion"].rpartition("/")[0], each["kind"]) for each in built(folder)} <= allowed
    assert "clusterResourceWhitelist" not in project["spec"]
    assert ("", "Secret") not in allowed


def test_the_page_names_every_part_of_it() -> None:
    page = (ROOT / "docs/gitops.md").read_text()
    for name in ("base", "overlays", "gitops", "pult.toml"):
        assert (TEMPLATE / name).exists()
        assert f"deploy/template/{name}" in page
    assert {path.name for path in BRINGS} == {"argocd.yaml", *(f"flux-{region}.yaml" for region in FLUX)}
