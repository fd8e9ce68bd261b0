"""Where deployment files say how many pods there are; only the number changes."""

from __future__ import annotations

import pytest

from bot.domain.errors import UserError
from bot.domain.manifests_replicas import with_replicas
from bot.domain.manifests_tree import Folder, Named

API = Named("deployment", "api")
MAIN = "deploy/production/kustomization.yaml"
KUSTOMIZATION = "kind: Kustomization\nresources:\n  - api.yaml\nimages: []  # by digest\n"
BESIDE = "deploy/production/api.yaml"
DEPLOYMENT = "kind: Deployment\nmetadata: {name: api}\nspec:\n  replicas: 4 # for the peak\n  template: {}\n"


def changed(texts: dict[str, str], path: str = MAIN, count: int = 6) -> dict[str, str]:
    was = Folder(path, texts)
    now = with_replicas(was, API, count)
    return {name: text for name, text in now.texts.items() if was.texts[name] != text}


def test_a_kustomizations_own_number_has_the_last_word() -> None:
    own = KUSTOMIZATION + "replicas:\n  - name: web\n    count: 2\n  - name: api\n    count: 4 # more at night\n"
    found = changed({MAIN: own, BESIDE: DEPLOYMENT})
    assert found == {MAIN: own.replace("count: 4", "count: 6")}


def test_else_the_manifest_or_patch_beside_it() -> None:
    assert changed({MAIN: KUSTOMIZATION, BESIDE: DEPLOYMENT}) == {
        BESIDE: DEPLOYMENT.replace("replicas: 4", "replicas: 6")
    }
    patch = "deploy/production/patch.yaml"
    assert list(changed({MAIN: KUSTOMIZATION, BESIDE: DEPLOYMENT, patch: DEPLOYMENT})) == [patch]


def test_else_an_entry_of_its_own() -> None:
    bare = DEPLOYMENT.replace("  replicas: 4 # for the peak\n", "")
    found = changed({MAIN: KUSTOMIZATION, BESIDE: bare})
    assert found == {MAIN: KUSTOMIZATION + "replicas:\n  - name: api\n    count: 6\n"}
    more = changed({MAIN: found[MAIN].replace("api\n    count", "web\n    count")})
    assert more[MAIN].endswith("replicas:\n  - name: web\n    count: 6\n  - name: api\n    count: 6\n")


@pytest.mark.parametrize("text", [DEPLOYMENT, DEPLOYMENT.replace("  replicas: 4 # for the peak\n", "")])
def test_a_manifest_alone(text: str) -> None:
    other = DEPLOYMENT.replace("api", "other")
    found = changed({"a.yaml": f"{other}---\n{text}"}, "a.yaml")["a.yaml"]
    assert found.startswith(f"{other}---\n")
    assert "replicas: 6" in found.partition("---")[2]


@pytest.mark.parametrize(
    ("text", "now"),
    [
        ("replicaCount: 4\nimage: {}\n", "replicaCount: 6\nimage: {}\n"),
        ("api:\n  replicas: 4\nweb:\n  replicas: 2\n", "api:\n  replicas: 6\nweb:\n  replicas: 2\n"),
        ("kind: HelmRelease\nspec:\n  values:\n    replicaCount: 4\n",
         "kind: HelmRelease\nspec:\n  values:\n    replicaCount: 6\n"),
    ],
)  # fmt: skip
def test_helm_values(text: str, now: str) -> None:
    assert changed({"values.yaml": text}, "values.yaml") == {"values.yaml": now}


@pytest.mark.parametrize(("text", "n"), [("image: {}\n", 0), ("replicaCount: 4\napi: {replicas: 3}\n", 2)])
def test_values_that_do_not_say_it_once(text: str, n: int) -> None:
    with pytest.raises(UserError, match=f"says in {n} places how many pods api has"):
        changed({"values.yaml": text}, "values.yaml")
