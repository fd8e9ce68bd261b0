"""What the overlays come to: kubectl builds them, tests look at the objects."""

from __future__ import annotations

import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from tests.real import missing

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
OVERLAYS = tuple(sorted(path.parent for path in DEPLOY.glob("overlays/*/kustomization.yaml")))
PRODUCTION = tuple(path for path in OVERLAYS if path.name.startswith("production"))
TEMPLATES = tuple(sorted(path.parent for path in DEPLOY.glob("template/overlays/*/kustomization.yaml")))
GITOPS = (DEPLOY / "gitops/argocd", DEPLOY / "gitops/flux/nyc2", DEPLOY / "gitops/flux/sfo3")
POSTGRES = (DEPLOY / "postgres/nyc2", DEPLOY / "postgres/sfo3")
MONITORING = DEPLOY / "monitoring"
STAGE = "pult.dev/stage"
Object = dict[str, Any]
Key = tuple[str, str, str, str]


def tool(name: str) -> str:
    """A program of the development group. Skips the test where it is not installed; in CI that is a failure."""
    beside = Path(sys.executable).with_name(name)
    found = str(beside) if beside.exists() else shutil.which(name)
    if found is None:
        missing(f"no {name} here: it comes with requirements/dev.txt")
    return found


@cache
def built(folder: Path) -> tuple[Object, ...]:
    """Every object of the kustomization in *folder*."""
    done = subprocess.run([tool("kubectl"), "kustomize", str(folder)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return tuple(yaml.safe_load_all(done.stdout))


def key(each: Object) -> Key:
    meta = each["metadata"]
    return each["apiVersion"], each["kind"], meta.get("namespace", ""), meta["name"]


def kinds(objects: tuple[Object, ...], *wanted: str) -> list[Object]:
    return [each for each in objects if each["kind"] in wanted]


def workload(objects: tuple[Object, ...]) -> Object:
    (found,) = kinds(objects, "Deployment", "StatefulSet")
    return found


def namespace(objects: tuple[Object, ...]) -> str:
    return str(workload(objects)["metadata"]["namespace"])


def title(folder: Path) -> str:
    return str(folder.relative_to(DEPLOY))
