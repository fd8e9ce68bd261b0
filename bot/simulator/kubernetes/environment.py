"""What a container read from Secrets when it started: later changes of them reach it with its next start only."""

from base64 import b64decode
from collections.abc import Iterator
from urllib.parse import urlsplit

from bot.simulator.kubernetes.cluster import Cluster
from bot.simulator.kubernetes.kinds import SECRET
from bot.simulator.kubernetes.objects import DATABASE_KEY
from bot.simulator.kubernetes.wire import Json, meta, namespace_of, spec_of


def started(cluster: Cluster, pod: Json) -> None:
    """Remember where the pod's containers were told that the database is; empty where the Secret does not say."""
    for reference in _references(pod):
        secret = cluster.store.find(SECRET, namespace_of(pod), reference["name"]) or {}
        value = b64decode((secret.get("data") or {}).get(reference["key"], "")).decode(errors="replace")
        cluster.notes.databases[meta(pod)["uid"]] = urlsplit(value).hostname or ""


def database(cluster: Cluster, pod: Json) -> str | None:
    """The host that the pod's requests to the database go to; None where it has no use for one."""
    return cluster.notes.databases.get(meta(pod)["uid"])


def _references(pod: Json) -> Iterator[Json]:
    for container in spec_of(pod)["containers"]:
        for entry in container.get("env") or ():
            if entry["name"] == DATABASE_KEY and "secretKeyRef" in (entry.get("valueFrom") or {}):
                yield entry["valueFrom"]["secretKeyRef"]
