"""Every resource type the simulated API server knows, in one table."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Kind:
    """One resource type. *status*: it has a status subresource, so a plain write cannot change its status."""

    group: str
    version: str
    plural: str
    name: str
    namespaced: bool = True
    status: bool = False
    scalable: bool = False
    custom: bool = False
    """A CRD: its list items carry kind and apiVersion, and strategic merge patch is refused (415)."""

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version


NAMESPACE: Final = Kind("", "v1", "namespaces", "Namespace", namespaced=False, status=True)
POD: Final = Kind("", "v1", "pods", "Pod", status=True)
EVENT: Final = Kind("", "v1", "events", "Event")
NODE: Final = Kind("", "v1", "nodes", "Node", namespaced=False, status=True)
SECRET: Final = Kind("", "v1", "secrets", "Secret")
CONFIGMAP: Final = Kind("", "v1", "configmaps", "ConfigMap")
ENDPOINTS: Final = Kind("", "v1", "endpoints", "Endpoints")
SERVICE: Final = Kind("", "v1", "services", "Service", status=True)
DEPLOYMENT: Final = Kind("apps", "v1", "deployments", "Deployment", status=True, scalable=True)
REPLICASET: Final = Kind("apps", "v1", "replicasets", "ReplicaSet", status=True, scalable=True)
STATEFULSET: Final = Kind("apps", "v1", "statefulsets", "StatefulSet", status=True, scalable=True)
DAEMONSET: Final = Kind("apps", "v1", "daemonsets", "DaemonSet", status=True)
CONTROLLERREVISION: Final = Kind("apps", "v1", "controllerrevisions", "ControllerRevision")
BUDGET: Final = Kind("policy", "v1", "poddisruptionbudgets", "PodDisruptionBudget", status=True)
AUTOSCALER: Final = Kind("autoscaling", "v2", "horizontalpodautoscalers", "HorizontalPodAutoscaler", status=True)
JOB: Final = Kind("batch", "v1", "jobs", "Job", status=True)
CRONJOB: Final = Kind("batch", "v1", "cronjobs", "CronJob", status=True)
NETWORKPOLICY: Final = Kind("networking.k8s.io", "v1", "networkpolicies", "NetworkPolicy")
LEASE: Final = Kind("coordination.k8s.io", "v1", "leases", "Lease")
# The Application CRD has no status subresource: whoever starts an operation clears status.operationState itself.
APPLICATION: Final = Kind("argoproj.io", "v1alpha1", "applications", "Application", custom=True)
ROLLOUT: Final = Kind("argoproj.io", "v1alpha1", "rollouts", "Rollout", status=True, scalable=True, custom=True)
KUSTOMIZATION: Final = Kind(
    "kustomize.toolkit.fluxcd.io", "v1", "kustomizations", "Kustomization", status=True, custom=True
)
HELMRELEASE: Final = Kind("helm.toolkit.fluxcd.io", "v2", "helmreleases", "HelmRelease", status=True, custom=True)
GITREPOSITORY: Final = Kind(
    "source.toolkit.fluxcd.io", "v1", "gitrepositories", "GitRepository", status=True, custom=True
)
HELMREPOSITORY: Final = Kind(
    "source.toolkit.fluxcd.io", "v1", "helmrepositories", "HelmRepository", status=True, custom=True
)

CERTIFICATE: Final = Kind("cert-manager.io", "v1", "certificates", "Certificate", status=True, custom=True)

KINDS: Final = (
    NAMESPACE,
    POD,
    EVENT,
    NODE,
    SECRET,
    CONFIGMAP,
    ENDPOINTS,
    SERVICE,
    DEPLOYMENT,
    REPLICASET,
    STATEFULSET,
    DAEMONSET,
    CONTROLLERREVISION,
    BUDGET,
    AUTOSCALER,
    JOB,
    CRONJOB,
    NETWORKPOLICY,
    LEASE,
    APPLICATION,
    ROLLOUT,
    KUSTOMIZATION,
    HELMRELEASE,
    GITREPOSITORY,
    HELMREPOSITORY,
    CERTIFICATE,
)

VIRTUAL_GROUPS: Final = {"authorization.k8s.io": "v1", "metrics.k8s.io": "v1beta1"}
"""Groups served by code, with nothing stored: group → version."""

_INDEX: Final = {(kind.group, kind.version, kind.plural): kind for kind in KINDS}


def find(group: str, version: str, plural: str) -> Kind | None:
    return _INDEX.get((group, version, plural))
