"""What the GitOps controllers share: reading the wanted image from a repository and putting it into a cluster."""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Protocol

import yaml

from bot.simulator.kubernetes import deploymentstatus, rolloutstatus
from bot.simulator.kubernetes.cluster import Cluster
from bot.simulator.kubernetes.fields import managed
from bot.simulator.kubernetes.kinds import DEPLOYMENT, ROLLOUT
from bot.simulator.kubernetes.wire import Json, meta, spec_of, status_of

_REPOSITORY: Final = re.compile(r"github\.com/([^/]+/[^/]+?)(?:\.git)?$")


class Repositories(Protocol):
    """Git as a controller sees it."""

    def head(self, repository: str, branch: str) -> str | None:
        """Commit of a branch; None when either is unknown."""
        ...

    def text(self, repository: str, path: str, ref: str) -> str | None:
        """A file at a branch, tag or commit; None when it is not there."""
        ...


class ManifestError(Exception):
    """The manifests cannot be read: the sentence a controller shows in its status."""


@dataclass(frozen=True)
class Wanted:
    """What Git says: at *revision* the Deployment *name* in *namespace* runs *image*, in *replicas* pods.

    None: Git leaves the number alone.
    """

    revision: str
    namespace: str
    name: str
    image: str
    replicas: int | None = None


def repository_of(url: str) -> str:
    """``owner/name`` of a repository URL."""
    found = _REPOSITORY.search(url)
    if found is None:
        raise ManifestError(f"repository not found: {url}")
    return found[1]


def wanted(git: Repositories, url: str, folder: str, ref: str, namespace: str) -> Wanted:
    """Read ``kustomization.yaml`` in *folder* at *ref*. ManifestError says what is wrong with it."""
    repository = repository_of(url)
    path = f"{folder.removeprefix('./').strip('/')}/kustomization.yaml"
    revision = git.head(repository, ref) or ref
    text = git.text(repository, path, revision)
    if text is None:
        raise ManifestError(f"unable to resolve '{ref}': {path} does not exist in {repository}")
    try:
        image, counts = _read(text)
    except (yaml.YAMLError, KeyError, IndexError, TypeError) as error:
        raise ManifestError(f"kustomize build failed: {path}: {error}") from error
    name = repository.split("/")[1]
    return Wanted(revision, namespace, name, image, dict(counts).get(name))


@lru_cache(maxsize=64)
def _read(text: str) -> tuple[str, tuple[tuple[str, int], ...]]:
    """The first entry of ``images``, and all of ``replicas``.

    Cached: controllers ask at every tick, the file seldom changes.
    """
    kustomization = yaml.safe_load(text)
    entry = kustomization["images"][0]
    image = entry.get("newName", entry["name"])
    counts = tuple((each["name"], int(each["count"])) for each in kustomization.get("replicas") or ())
    return f"{image}@{entry['digest']}" if "digest" in entry else f"{image}:{entry['newTag']}", counts


def live(cluster: Cluster, goal: Wanted) -> Json | None:
    """The Rollout of that name where there is one, else the Deployment."""
    return cluster.store.find(ROLLOUT, goal.namespace, goal.name) or cluster.store.find(
        DEPLOYMENT, goal.namespace, goal.name
    )


def kind_of(found: Json | None) -> Json:
    """Group, version and kind, as ``status.resources`` names them."""
    group, _, version = str(found["apiVersion"] if found else DEPLOYMENT.api_version).rpartition("/")
    return {"group": group, "version": version, "kind": found["kind"] if found else DEPLOYMENT.name}


def in_sync(cluster: Cluster, goal: Wanted) -> bool:
    found = live(cluster, goal)
    if found is None or image_of(found) != goal.image:
        return False
    return goal.replicas in {None, spec_of(found).get("replicas", 1)}


def image_of(deployment: Json) -> str:
    return str(spec_of(deployment)["template"]["spec"]["containers"][0]["image"])


def apply(cluster: Cluster, goal: Wanted, manager: str) -> None:
    """Put the wanted image and number into the workload, as *manager*; the rest of it is as Git has it already."""
    found = live(cluster, goal)
    if found is None:
        raise ManifestError(f'deployments.apps "{goal.name}" not found')
    template = spec_of(found)["template"]
    first, *others = template["spec"]["containers"]
    containers = [first | {"image": goal.image}, *others]
    spec = spec_of(found) | {"template": template | {"spec": template["spec"] | {"containers": containers}}}
    if goal.replicas is not None:
        spec |= {"replicas": goal.replicas}
    after = managed(found, found | {"spec": spec}, manager, cluster.now())
    cluster.store.put(ROLLOUT if found["kind"] == ROLLOUT.name else DEPLOYMENT, after)


def health(deployment: Json | None) -> str:
    """Argo CD's word for a workload (gitops-engine pkg/health, argo-cd resource_customizations/argoproj.io/Rollout)."""
    if deployment is None:
        return "Missing"
    status = status_of(deployment)
    if deployment["kind"] == ROLLOUT.name:
        return rolloutstatus.health(deployment)
    if spec_of(deployment).get("paused"):
        return "Suspended"
    if status.get("observedGeneration", 0) < meta(deployment)["generation"]:
        return "Progressing"
    if deploymentstatus.stuck(status):
        return "Degraded"
    return "Healthy" if deploymentstatus.complete(deployment) else "Progressing"
