"""What exactly to write into the manifests for each finding of posture, where there is one thing to write."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from bot.domain.anatomy import Anatomy
from bot.domain.manifests_edit import Tree, document
from bot.domain.manifests_tree import Change, Folder, Named, changed, with_manifest, with_patch
from bot.domain.posture import Finding, Flaw


@dataclass(frozen=True)
class Manifest:
    """A manifest of its own: ``name`` of the file, and what is in it."""

    name: str
    tree: Tree


@dataclass(frozen=True)
class Patch:
    """A patch of another object, the ``kind`` called ``of``: ``name`` of the file, and what is in it."""

    name: str
    kind: str
    of: str
    tree: Tree


Remedy: TypeAlias = Change | Manifest | Patch
"""A change of the workload, one more manifest, or a patch of one that is there."""


def remedy(finding: Finding, anatomy: Anatomy, named: Named, namespace: str) -> Remedy | None:
    """None: only a person can say what is right (which probe, which image, how many replicas), or ``rightsize``."""
    match finding.flaw:
        case Flaw.NO_BUDGET:
            return Manifest(f"pdb-{named.name}.yaml", _budget(named.name, anatomy, namespace))
        case Flaw.NO_POLICY:
            return _policy(named, anatomy, namespace)
        case Flaw.STUCK_BUDGET:
            return Patch(
                f"posture-pdb-{finding.about}.yaml", "PodDisruptionBudget", finding.about, _loosened(finding.about)
            )
        case Flaw.NOT_SPREAD:
            return Change("", ((("topologySpreadConstraints",), [_spread(anatomy)]),))
        case _:
            return _of_container(finding, anatomy)


def shown(found: Remedy, named: Named) -> str:
    """The YAML to read: a manifest as a whole, a change as the patch that makes it."""
    if isinstance(found, Manifest | Patch):
        return document(found.tree)
    return changed(Folder.empty(), named, found, "patch.yaml").texts["patch.yaml"]


def applied(folder: Folder, found: Remedy, named: Named) -> Folder:
    """*folder* with it. UserError: it can't be written there."""
    match found:
        case Manifest(name, tree):
            return with_manifest(folder, name, tree)
        case Patch(name, kind, of, tree):
            return with_patch(folder, name, kind, of, tree)
        case Change():
            return changed(folder, named, found, f"posture-{named.name}.yaml")


def _of_container(finding: Finding, anatomy: Anatomy) -> Change | None:
    container = next((each for each in anatomy.containers if each.name == finding.about), None)
    if container is None:
        return None
    match finding.flaw:
        case Flaw.NOT_READY_PROBED if container.port:
            probe: Tree = {"tcpSocket": {"port": container.port}, "periodSeconds": 5}
            return Change(container.name, ((("readinessProbe",), probe),))
        case Flaw.ROOT:
            return _secured(container.name, runAsNonRoot=True, allowPrivilegeEscalation=False)
        case Flaw.PRIVILEGED:
            return _secured(container.name, privileged=False, allowPrivilegeEscalation=False)
        case Flaw.WRITABLE:
            return _secured(container.name, readOnlyRootFilesystem=True)
        case _:
            return None


def _secured(container: str, **settings: bool) -> Change:
    return Change(container, tuple((("securityContext", name), value) for name, value in settings.items()))


def _budget(name: str, anatomy: Anatomy, namespace: str) -> Tree:
    """One pod at a time: that holds for any number of replicas, where a number of those to stay may forbid all."""
    return {
        "apiVersion": "policy/v1", "kind": "PodDisruptionBudget",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"maxUnavailable": 1, "selector": {"matchLabels": dict(anatomy.labels)}},
    }  # fmt: skip


def _loosened(name: str) -> Tree:
    """Both may not stand together, so the one goes as the other comes."""
    return {
        "apiVersion": "policy/v1", "kind": "PodDisruptionBudget",
        "metadata": {"name": name}, "spec": {"minAvailable": None, "maxUnavailable": 1},
    }  # fmt: skip


def _policy(named: Named, anatomy: Anatomy, namespace: str) -> Manifest | None:
    """Closes every port that no container declares; None where none is declared, since that would close them all."""
    ports: list[Tree] = [{"port": each.port} for each in anatomy.containers if each.port]
    if not ports:
        return None
    tree: Tree = {
        "apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy",
        "metadata": {"name": named.name, "namespace": namespace},
        "spec": {
            "podSelector": {"matchLabels": dict(anatomy.labels)}, "policyTypes": ["Ingress"],
            "ingress": [{"ports": ports}],
        },
    }  # fmt: skip
    return Manifest(f"networkpolicy-{named.name}.yaml", tree)


def _spread(anatomy: Anatomy) -> Tree:
    """Over nodes where there is room, and started all the same where there is none."""
    return {
        "maxSkew": 1, "topologyKey": "kubernetes.io/hostname", "whenUnsatisfiable": "ScheduleAnyway",
        "labelSelector": {"matchLabels": dict(anatomy.labels)},
    }  # fmt: skip
