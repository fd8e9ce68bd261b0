"""Where deployment files say how containers run, and the least change that says something else."""

from __future__ import annotations

import pytest
import yaml

from bot.domain.errors import UserError
from bot.domain.manifests_tree import Change, Folder, Named, changed, named_files, with_manifest, with_patch

API = Named("deployment", "api")
MAIN = "deploy/production/kustomization.yaml"
KUSTOMIZATION = "kind: Kustomization\nresources:\n  - ../base # shared\nimages: []\n"
DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: api}
spec:
  template:
    spec:
      containers:
        - name: api
          image: x # pinned elsewhere
          resources:
            requests: {cpu: 500m, memory: 512Mi}
            limits:
              cpu: "1"
              memory: 512Mi
"""
SMALLER = Change(
    "api",
    ((("resources", "requests", "cpu"), "81m"), (("resources", "requests", "memory"), "230Mi"),
     (("resources", "limits", "memory"), "230Mi")),
    (("resources", "limits", "cpu"),),
)  # fmt: skip


def test_in_a_manifest() -> None:
    folder = changed(Folder("api.yaml", {"api.yaml": DEPLOYMENT}), API, SMALLER, "patch.yaml")
    assert folder.texts["api.yaml"] == DEPLOYMENT.replace("500m, memory: 512Mi", "81m, memory: 230Mi").replace(
        '              cpu: "1"\n              memory: 512Mi', "              memory: 230Mi"
    )


def test_the_other_documents_of_a_file_stay() -> None:
    other = DEPLOYMENT.replace("name: api", "name: other")
    folder = changed(Folder("a.yaml", {"a.yaml": f"{other}---\n{DEPLOYMENT}"}), API, SMALLER, "patch.yaml")
    assert folder.texts["a.yaml"].startswith(f"{other}---\n")
    assert "81m" in folder.texts["a.yaml"]


def test_a_base_stays_and_the_overlay_gets_a_patch() -> None:
    folder = changed(Folder(MAIN, {MAIN: KUSTOMIZATION}), API, SMALLER, "rightsize-api.yaml")
    target = "    target:\n      kind: Deployment\n      name: api\n"
    assert folder.texts[MAIN] == f"{KUSTOMIZATION}patches:\n  - path: rightsize-api.yaml\n{target}"
    patch = yaml.safe_load(folder.texts["deploy/production/rightsize-api.yaml"])
    assert patch == {
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "api"},
        "spec": {"template": {"spec": {"containers": [{
            "name": "api",
            "resources": {"requests": {"cpu": "81m", "memory": "230Mi"}, "limits": {"memory": "230Mi", "cpu": None}},
        }]}}},
    }  # fmt: skip


def test_a_second_time_the_patch_itself_changes() -> None:
    once = changed(Folder(MAIN, {MAIN: KUSTOMIZATION}), API, SMALLER, "rightsize-api.yaml")
    more = Change("api", ((("resources", "requests", "cpu"), "90m"),))
    twice = changed(once, API, more, "rightsize-api.yaml")
    path = "deploy/production/rightsize-api.yaml"
    assert twice.texts[path] == once.texts[path].replace("81m", "90m")
    assert twice.texts[MAIN] == once.texts[MAIN]


def test_what_a_patch_takes_away_stays_taken_away() -> None:
    once = changed(Folder(MAIN, {MAIN: KUSTOMIZATION}), API, SMALLER, "p.yaml")
    assert changed(once, API, SMALLER, "p.yaml") == once


def test_another_container_joins_the_patch() -> None:
    once = changed(Folder(MAIN, {MAIN: KUSTOMIZATION}), API, SMALLER, "p.yaml")
    more = Change("side", ((("resources", "requests", "cpu"), "10m"),))
    patch = yaml.safe_load(changed(once, API, more, "p.yaml").texts["deploy/production/p.yaml"])
    names = [each["name"] for each in patch["spec"]["template"]["spec"]["containers"]]
    assert names == ["api", "side"]


def test_the_overlay_s_own_patch_has_the_last_word() -> None:
    main = "resources: [api.yaml]\npatches:\n  - path: size.yaml\n"
    texts = {MAIN: main, "deploy/production/api.yaml": DEPLOYMENT, "deploy/production/size.yaml": DEPLOYMENT}
    folder = changed(Folder(MAIN, texts), API, SMALLER, "rightsize-api.yaml")
    assert {path for path, text in folder.texts.items() if text != texts.get(path)} == {"deploy/production/size.yaml"}


def test_what_concerns_the_pod_becomes_a_patch_as_well() -> None:
    spread = Change("", ((("topologySpreadConstraints",), [{"maxSkew": 1}]),))
    folder = changed(Folder(MAIN, {MAIN: KUSTOMIZATION}), API, spread, "p.yaml")
    assert yaml.safe_load(folder.texts["deploy/production/p.yaml"])["spec"] == {
        "template": {"spec": {"topologySpreadConstraints": [{"maxSkew": 1}]}}
    }


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("image: x\nresources: {requests: {cpu: 1}}\n", ()),
        ("api:\n  resources:\n    limits: {cpu: 1}\n", ("api",)),
        ("kind: HelmRelease\nspec:\n  values:\n    resources: {limits: {cpu: 1}}\n", ("spec", "values")),
    ],
)
def test_in_helm_values(text: str, at: tuple[str, ...]) -> None:
    folder = changed(Folder("values.yaml", {"values.yaml": text}), API, SMALLER, "p.yaml")
    found = yaml.safe_load(folder.texts["values.yaml"])
    for name in at:
        found = found[name]
    assert found["resources"] == {"requests": {"cpu": "81m", "memory": "230Mi"}, "limits": {"memory": "230Mi"}}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("image: x\n", "in 0 places"),
        ("resources: {a: 1}\napi: {resources: {a: 1}}\n", "in 2 places"),
        ("x: &r {requests: {cpu: 1}}\nresources: *r\n", "anchor"),
        ("a: [\n", "no YAML"),
    ],
)
def test_what_can_t_be_changed_is_said(text: str, why: str) -> None:
    with pytest.raises(UserError, match=why):
        changed(Folder("values.yaml", {"values.yaml": text}), API, SMALLER, "p.yaml")


def test_files_of_the_folder_only() -> None:
    main = "resources: [../base, pdb.yaml, sub/x.yml, 'https://x/y.yaml']\npatches: [{path: p.yaml}, {patch: '{}'}]\n"
    assert named_files(MAIN, main) == (
        "deploy/production/pdb.yaml", "deploy/production/sub/x.yml", "deploy/production/p.yaml",
    )  # fmt: skip
    flux = "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nresources: [a.yaml]\n"
    assert named_files(MAIN, flux) == named_files("values.yaml", "image: x\n") == ()


def test_one_more_manifest() -> None:
    folder = with_manifest(Folder(MAIN, {MAIN: KUSTOMIZATION}), "pdb-api.yaml", {"kind": "X"})
    assert folder.texts["deploy/production/pdb-api.yaml"] == "kind: X\n"
    assert "  - ../base # shared\n  - pdb-api.yaml\nimages" in folder.texts[MAIN]
    assert with_manifest(folder, "pdb-api.yaml", {"kind": "X"}) == folder, "a second time changes nothing"


def test_one_more_manifest_behind_the_others() -> None:
    folder = with_manifest(Folder("a.yaml", {"a.yaml": DEPLOYMENT}), "pdb.yaml", {"kind": "X"})
    assert folder.texts == {"a.yaml": f"{DEPLOYMENT}---\nkind: X\n"}
    with pytest.raises(UserError, match="Helm values"):
        with_manifest(Folder("values.yaml", {"values.yaml": "image: x\n"}), "pdb.yaml", {"kind": "X"})


def test_a_patch_of_another_object() -> None:
    folder = with_patch(Folder(MAIN, {MAIN: KUSTOMIZATION}), "pdb.yaml", "X", "old", {"kind": "X"})
    assert yaml.safe_load(folder.texts[MAIN])["patches"] == [
        {"path": "pdb.yaml", "target": {"kind": "X", "name": "old"}}
    ]
    with pytest.raises(UserError, match="no kustomization"):
        with_patch(Folder("a.yaml", {"a.yaml": DEPLOYMENT}), "pdb.yaml", "X", "old", {"kind": "X"})


def test_a_patch_does_what_the_change_itself_does() -> None:
    """By the rules of a strategic merge: tables merge, null takes away."""
    folder = changed(Folder(MAIN, {MAIN: KUSTOMIZATION}), API, SMALLER, "p.yaml")
    patch = yaml.safe_load(folder.texts["deploy/production/p.yaml"])["spec"]["template"]["spec"]["containers"][0]
    direct = changed(Folder("a.yaml", {"a.yaml": DEPLOYMENT}), API, SMALLER, "p.yaml").texts["a.yaml"]
    base = yaml.safe_load(DEPLOYMENT)["spec"]["template"]["spec"]["containers"][0]
    merged = _merged(base, patch)
    assert merged == yaml.safe_load(direct)["spec"]["template"]["spec"]["containers"][0]


def _merged(base: object, patch: object) -> object:
    if not (isinstance(base, dict) and isinstance(patch, dict)):
        return patch
    found = {name: _merged(base.get(name), value) for name, value in patch.items() if value is not None}
    return {name: value for name, value in base.items() if name not in patch} | found
