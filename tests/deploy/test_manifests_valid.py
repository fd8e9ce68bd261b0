"""Everything that kubectl is given, against the schemas of Kubernetes and of the custom resources."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import jsonschema
import pytest
import yaml

from tests.deploy.built import DEPLOY, GITOPS, MONITORING, OVERLAYS, POSTGRES, TEMPLATES, built, title, tool
from tests.deploy.schemas import SPECS

EVERYTHING = (*OVERLAYS, *TEMPLATES, *GITOPS, *POSTGRES, MONITORING)
VERSIONS = ("1.30", "1.37")
"""The oldest Kubernetes that has everything used here on by default, and the newest with a schema."""


def test_no_folder_is_forgotten() -> None:
    """What can be applied is built here; the rest are parts of it."""
    parts = {"base", "common", *(path.name for path in (DEPLOY / "components").iterdir())}
    found = {path.parent for path in DEPLOY.glob("**/kustomization.yaml") if path.parent.name not in parts}
    assert found == set(EVERYTHING)


@pytest.mark.parametrize("version", VERSIONS)
def test_what_is_applied_by_itself_is_valid(version: str) -> None:
    words = [tool("kubernetes-validate"), "--strict", "-k", version, DEPLOY / "failover/connections.yaml"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("folder", EVERYTHING, ids=title)
@pytest.mark.parametrize("version", VERSIONS)
def test_kubernetes_own_kinds_are_valid(folder: Path, version: str, tmp_path: Path) -> None:
    own = [each for each in built(folder) if (each["apiVersion"], each["kind"]) not in SPECS]
    path = tmp_path / "built.yaml"
    path.write_text(yaml.safe_dump_all(own))
    words = [tool("kubernetes-validate"), "--strict", "-k", version, str(path)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert "find schema" not in done.stdout + done.stderr, "a kind that nobody knows: add it to schemas.py"


@pytest.mark.parametrize("folder", EVERYTHING, ids=title)
def test_custom_resources_have_known_fields_alone(folder: Path) -> None:
    for each in built(folder):
        if schema := SPECS.get((each["apiVersion"], each["kind"])):
            assert set(each) == {"apiVersion", "kind", "metadata", "spec"}
            jsonschema.validate(each["spec"], schema)


def test_a_wrong_field_is_found() -> None:
    (policy,) = (each for each in built(OVERLAYS[0]) if each["metadata"]["name"].startswith("dns"))
    schema = SPECS[policy["apiVersion"], policy["kind"]]
    with pytest.raises(jsonschema.ValidationError, match="toFqdn"):
        jsonschema.validate({**policy["spec"], "egress": [{"toFqdn": [], "toPorts": []}]}, schema)


@pytest.mark.parametrize("folder", EVERYTHING, ids=title)
def test_a_real_cluster_takes_them(folder: Path) -> None:
    """By server-side dry run, where a kubeconfig is given; its cluster needs the namespaces and the CRDs."""
    if not (config := os.environ.get("PULT_TEST_KUBECONFIG")):
        pytest.skip("no PULT_TEST_KUBECONFIG: no cluster to ask")
    words = [tool("kubectl"), "--kubeconfig", config, "apply", "--server-side", "--dry-run=server", "-k", str(folder)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
