"""A program that is the API servers of two clusters with ten thousand pods: lists in pages, and watches with churn.

It prints its address. Each pod is as large as a real one, with its managed fields. ``POST /churn/<n>``: n pods change a
second. ``POST /kill/<cluster>/<n>``: the n-th pod is killed for its memory; the answer is when, in Unix time. ``POST
/spoil/<n>``: every n-th pod of each cluster has one of three troubles. The deployment ``everything`` owns all pods.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import uvloop
from aiohttp import web

PODS, WORKLOADS = 5_000, 250
NODES = 100
EVERYTHING = "everything"
PADDING = 6_000
"""Bytes of managed fields and specification that pult has no use for."""
FIRST = 1_000_000


class Pods:
    """The pods of one cluster, and who watches them."""

    def __init__(self) -> None:
        self.version = FIRST
        self.all = [pod(number) for number in range(PODS)]
        self.heard: set[asyncio.Queue[bytes]] = set()
        self._pages: dict[tuple[int, int, str], bytes] = {}

    def text(self, start: int, size: int, app: str = "") -> bytes:
        """As :meth:`page`, kept until something changes: what the server works is not what is measured."""
        key = start, size, app
        if key not in self._pages:
            self._pages[key] = json.dumps(self.page(start, size, app)).encode()
        return self._pages[key]

    def page(self, start: int, size: int, app: str = "") -> dict[str, Any]:
        end, found = start + size, self.all
        if app:
            found = [pod for pod in found if pod["metadata"]["labels"]["app"] == app]
        rest = {"continue": str(end)} if end < len(found) else {}
        return {"metadata": {"resourceVersion": str(self.version), **rest}, "items": found[start:end]}

    def changes(self, number: int, status: dict[str, Any]) -> None:
        self.version += 1
        self._pages.clear()
        found = self.all[number]
        found["metadata"]["resourceVersion"] = str(self.version)
        found["status"] = status
        line = json.dumps({"type": "MODIFIED", "object": found}).encode() + b"\n"
        for queue in self.heard:
            queue.put_nowait(line)


def pod(number: int) -> dict[str, Any]:
    """One that is well."""
    app = f"app-{number % WORKLOADS:03d}"
    owner = {"kind": "ReplicaSet", "name": f"{app}-5f6d7c8b9", "controller": True}
    meta = {
        "name": f"{app}-5f6d7c8b9-{number:05d}", "namespace": "production", "uid": f"uid-{number:05d}",
        "resourceVersion": str(FIRST), "creationTimestamp": "2026-11-01T08:00:00Z", "ownerReferences": [owner],
        "labels": {"app": app, "pod-template-hash": "5f6d7c8b9"}, "managedFields": [{"fieldsV1": "f" * PADDING}],
    }  # fmt: skip
    resources = {"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"memory": "256Mi"}}
    main = {"name": "main", "image": "registry.example/dept/app:1", "resources": resources}
    return {
        "metadata": meta,
        "spec": {"containers": [main], "nodeName": f"node-{number % NODES:03d}"},
        "status": well(0),
    }


def well(probes: int) -> dict[str, Any]:
    state = {"running": {"startedAt": "2026-11-01T08:00:05Z"}}
    container = {"name": "main", "image": "i", "ready": True, "restartCount": 0, "state": state, "lastState": {}}
    ready = {"type": "Ready", "status": "True", "lastProbeTime": str(probes)}
    return {"phase": "Running", "conditions": [ready], "containerStatuses": [container]}


def killed(at: datetime) -> dict[str, Any]:
    status = well(0)
    ended = {"exitCode": 137, "reason": "OOMKilled", "finishedAt": at.isoformat(timespec="seconds")}
    status["containerStatuses"][0] |= {"restartCount": 1, "lastState": {"terminated": ended}}
    return status


def image_missing() -> dict[str, Any]:
    status = well(0)
    waiting = {"waiting": {"reason": "ImagePullBackOff", "message": 'Back-off pulling image "i"'}}
    status["containerStatuses"][0] |= {"ready": False, "state": waiting}
    return status | {"phase": "Pending"}


def unplaced() -> dict[str, Any]:
    why = f"0/{NODES} nodes are available: {NODES} Insufficient cpu. preemption: 0/{NODES} nodes are available."
    return {"phase": "Pending", "conditions": [{"type": "PodScheduled", "status": "False", "message": why}]}


def deployment(name: str) -> dict[str, Any]:
    """Of the pods that bear its name in the label ``app``, or of all."""
    size = PODS if name == EVERYTHING else PODS // WORKLOADS
    labels = {"tier": "all"} if name == EVERYTHING else {"app": name}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "main", "image": "i"}]}}
    counts = dict.fromkeys(("replicas", "updatedReplicas", "readyReplicas", "availableReplicas"), size)
    return {
        "metadata": {"name": name, "uid": name, "generation": 1, "resourceVersion": "1"},
        "spec": {"replicas": size, "selector": {"matchLabels": labels}, "template": template},
        "status": {"observedGeneration": 1, **counts},
    }


def node(number: int) -> dict[str, Any]:
    """With the fifty images that a kubelet tells of."""
    images = [{"names": [f"registry.example/dept/app-{image:03d}@sha256:{'0' * 64}"] * 2} for image in range(50)]
    ready = {"type": "Ready", "status": "True"}
    size = {"cpu": "4", "memory": "8152400Ki", "pods": "110"}
    return {
        "metadata": {"name": f"node-{number:03d}", "labels": {"kubernetes.io/hostname": f"node-{number:03d}"}},
        "spec": {}, "status": {"allocatable": size, "conditions": [ready], "images": images},
    }  # fmt: skip


class Servers:
    """Both clusters, under ``/nyc2`` and ``/sfo3``; of every other kind there is nothing."""

    def __init__(self) -> None:
        self.clusters = {"nyc2": Pods(), "sfo3": Pods()}
        self.pace = 0

    def routes(self) -> Iterator[web.RouteDef]:
        yield web.post("/churn/{pace}", self.churned)
        yield web.post("/kill/{cluster}/{number}", self.kill)
        yield web.post("/spoil/{each}", self.spoil)
        yield web.get("/{cluster}/{path:.*}", self.get)

    async def get(self, request: web.Request) -> web.StreamResponse:
        pods = self.clusters[request.match_info["cluster"]]
        mine = request.path.endswith("/pods")
        if "watch" in request.query:
            return await self._watch(request, pods, mine=mine)
        kind, _, name = request.path.removesuffix("/").rpartition("/")
        if kind.endswith("/deployments"):
            return web.json_response(deployment(name))
        if name == "nodes":
            return web.json_response({"metadata": {}, "items": [node(number) for number in range(NODES)]})
        if not mine:
            return web.json_response({"metadata": {"resourceVersion": str(FIRST)}, "items": []})
        size = int(request.query.get("limit", PODS))
        on = request.query.get("fieldSelector", "").partition("spec.nodeName=node-")[2].partition(",")[0]
        if on:
            return web.json_response({"metadata": {}, "items": pods.all[int(on) :: NODES]})
        if only := request.query.get("fieldSelector", "").partition("metadata.name=")[2]:
            return web.json_response({"metadata": {}, "items": [pods.all[int(only.rpartition("-")[2])]]})
        app = request.query.get("labelSelector", "").partition("app=")[2]
        body = pods.text(int(request.query.get("continue", 0)), size, app)
        return web.Response(body=body, content_type="application/json")

    async def _watch(self, request: web.Request, pods: Pods, *, mine: bool) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        queue: asyncio.Queue[bytes] = asyncio.Queue()
        if mine:
            pods.heard.add(queue)
        with suppress(ConnectionResetError, asyncio.CancelledError):
            while True:
                await response.write(await queue.get())
        pods.heard.discard(queue)
        return response

    async def churned(self, request: web.Request) -> web.Response:
        self.pace = int(request.match_info["pace"])
        return web.Response()

    async def kill(self, request: web.Request) -> web.Response:
        now = time.time()
        number = int(request.match_info["number"])
        self.clusters[request.match_info["cluster"]].changes(number, killed(datetime.fromtimestamp(now, UTC)))
        return web.Response(text=str(now))

    async def spoil(self, request: web.Request) -> web.Response:
        now = datetime.now(UTC)
        for cluster in self.clusters.values():
            for at, number in enumerate(range(0, PODS, int(request.match_info["each"]))):
                status = (killed(now), image_missing(), unplaced())[at % 3]
                cluster.changes(number, status)
        return web.Response()

    async def churning(self) -> None:
        """Readiness and heartbeats, as in a cluster that lives."""
        number = 0
        while True:
            await asyncio.sleep(0.05)
            for _ in range(self.pace // 20):
                number += 1
                cluster = self.clusters["nyc2" if number % 2 else "sfo3"]
                cluster.changes(WORKLOADS + number % (PODS - WORKLOADS), well(number))


async def main() -> None:
    servers = Servers()
    app = web.Application()
    app.add_routes(servers.routes())
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    sys.stdout.write(f"http://127.0.0.1:{runner.addresses[0][1]}\n")
    sys.stdout.flush()
    await servers.churning()


if __name__ == "__main__":
    uvloop.run(main())
