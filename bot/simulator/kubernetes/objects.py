"""The objects a department's cluster starts with, as plain data. Pure."""

from base64 import b64encode
from hashlib import sha256
from typing import Final

from bot.simulator.kubernetes.images import PRODUCTION, STAGING, image
from bot.simulator.kubernetes.wire import Json

REPLICAS: Final = {
    "nyc2": {"api": 4, "bots": 2, "worker": 2, "web": 2},
    "sfo3": {"api": 2, "bots": 1, "worker": 1, "web": 1},
}
PRIMARY: Final = "nyc2"
DATABASE_SECRET: Final = "api-database"  # noqa: S105 - a name
DATABASE_KEY: Final = "DATABASE_URL"
NODES: Final = 3
PORT: Final = 8080
DEADLINE: Final = 60
"""progressDeadlineSeconds: short, so that a stuck rollout shows within a minute."""
NAMESPACES: Final = ("argocd", "default", "flux-system", "kube-system", "production", "pult", "staging")


def namespace(name: str) -> Json:
    labels = {"kubernetes.io/metadata.name": name}
    return {"metadata": {"name": name, "labels": labels}, "spec": {}, "status": {"phase": "Active"}}


def node(region: str, number: int) -> Json:
    name = f"{region}-pool-a-{number}"
    size = {"cpu": "4", "memory": "8152400Ki", "pods": "110"}
    ready = {
        "type": "Ready",
        "status": "True",
        "reason": "KubeletReady",
        "message": "kubelet is posting ready status",
        "lastHeartbeatTime": "2026-01-15T16:02:11Z",
        "lastTransitionTime": "2026-01-15T16:02:11Z",
    }
    labels = {
        "kubernetes.io/hostname": name,
        "topology.kubernetes.io/region": region,
        "node.kubernetes.io/instance-type": "s-4vcpu-8gb",
        "doks.digitalocean.com/node-pool": "pool-a",
    }
    address = {"type": "InternalIP", "address": f"10.20.0.{10 + number}"}
    status = {"capacity": size, "allocatable": size, "conditions": [ready], "addresses": [address]}
    return {
        "metadata": {"name": name, "labels": labels},
        "spec": {"podCIDR": f"10.244.{number}.0/24"},
        "status": status,
    }


def deployment(space: str, service: str, replicas: int) -> Json:
    version = (STAGING if space == "staging" else PRODUCTION)[service]
    container = {
        "name": service,
        "image": image(service, version),
        "ports": [{"containerPort": PORT, "protocol": "TCP"}],
        "resources": {"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"memory": "512Mi"}},
        "readinessProbe": {"httpGet": {"path": "/healthz", "port": PORT, "scheme": "HTTP"}, "periodSeconds": 2},
        "terminationMessagePath": "/dev/termination-log",
        "terminationMessagePolicy": "File",
        "imagePullPolicy": "IfNotPresent",
    }
    if (space, service) == ("production", "api"):
        source = {"secretKeyRef": {"name": DATABASE_SECRET, "key": DATABASE_KEY}}
        container["env"] = [{"name": DATABASE_KEY, "valueFrom": source}]
    pod = {
        "containers": [container],
        "restartPolicy": "Always",
        "terminationGracePeriodSeconds": 30,
        "dnsPolicy": "ClusterFirst",
        "securityContext": {},
        "schedulerName": "default-scheduler",
    }
    return {
        "metadata": {"name": service, "namespace": space, "labels": {"app": service}},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": service}},
            "template": {"metadata": {"labels": {"app": service}}, "spec": pod},
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": "25%", "maxSurge": "25%"}},
            "revisionHistoryLimit": 10,
            "progressDeadlineSeconds": DEADLINE,
        },
        "status": {},
    }


def database(region: str) -> Json:
    """The Secret by which production's api finds the database: in the primary's region by its network, else not."""
    near = "private-" if region == PRIMARY else ""
    url = f"postgresql://api:simulated-db-password@{near}db-{PRIMARY}.db.dept.example:25060/api?sslmode=require"
    data = {DATABASE_KEY: b64encode(url.encode()).decode(), "PGSSLMODE": b64encode(b"require").decode()}
    metadata = {"name": DATABASE_SECRET, "namespace": "production"}
    return {"metadata": metadata, "type": "Opaque", "data": data}


def budget(service: str) -> Json:
    selector = {"matchLabels": {"app": service}}
    return {
        "metadata": {"name": service, "namespace": "production"},
        "spec": {"maxUnavailable": 1, "selector": selector},
        "status": {},
    }


def autoscaler(service: str, least: int, most: int) -> Json:
    target = {"kind": "Deployment", "name": service, "apiVersion": "apps/v1"}
    resource = {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 70}}
    spec = {
        "scaleTargetRef": target,
        "minReplicas": least,
        "maxReplicas": most,
        "metrics": [{"type": "Resource", "resource": resource}],
    }
    return {"metadata": {"name": service, "namespace": "production"}, "spec": spec, "status": {}}


def service_of(space: str, name: str) -> Json:
    digest = sha256(f"{space}/{name}".encode()).digest()
    spec = {
        "selector": {"app": name},
        "ports": [{"port": 80, "targetPort": PORT, "protocol": "TCP"}],
        "clusterIP": f"10.245.{digest[0]}.{digest[1]}",
        "type": "ClusterIP",
    }
    return {"metadata": {"name": name, "namespace": space, "labels": {"app": name}}, "spec": spec, "status": {}}


def application(service: str, revision: str) -> Json:
    """The Argo CD Application of production; no syncPolicy.automated, so pult has to sync."""
    source = {
        "repoURL": f"https://github.com/dept/{service}.git",
        "path": "deploy/production",
        "targetRevision": "main",
    }
    destination = {"server": "https://kubernetes.default.svc", "namespace": "production"}
    entry = {
        "id": 0,
        "revision": revision,
        "deployStartedAt": "2026-01-15T16:10:00Z",
        "deployedAt": "2026-01-15T16:10:31Z",
        "source": source,
        "initiatedBy": {"username": "admin"},
    }
    spec = {"destination": destination, "project": "default", "source": source, "syncPolicy": {"syncOptions": []}}
    metadata = {"name": service, "namespace": "argocd"}
    return {"metadata": metadata, "spec": spec, "status": {"history": [entry] if revision else []}}


def kustomization(service: str) -> Json:
    spec = {
        "interval": "10m0s",
        "path": "./deploy/production",
        "prune": True,
        "sourceRef": {"kind": "GitRepository", "name": service},
        "targetNamespace": "production",
        "timeout": "2m0s",
        "wait": True,
    }
    return {"metadata": {"name": service, "namespace": "flux-system"}, "spec": spec, "status": {}}


def gitrepository(service: str) -> Json:
    spec = {"interval": "1m0s", "url": f"https://github.com/dept/{service}.git", "ref": {"branch": "main"}}
    return {"metadata": {"name": service, "namespace": "flux-system"}, "spec": spec, "status": {}}


def helmrepository(name: str) -> Json:
    spec = {"interval": "10m0s", "url": "https://charts.example/dept"}
    return {"metadata": {"name": name, "namespace": "flux-system"}, "spec": spec, "status": {}}


def helmrelease(service: str) -> Json:
    chart = {"chart": service, "version": "2.x", "sourceRef": {"kind": "HelmRepository", "name": "dept"}}
    spec = {"interval": "10m0s", "chart": {"spec": chart}, "targetNamespace": "production"}
    return {"metadata": {"name": service, "namespace": "flux-system"}, "spec": spec, "status": {}}
