"""A program that is the API servers of two clusters with ten thousand pods: lists in pages, and watches with churn.

It prints its address. Each pod is as large as a real one, with its managed fields. ``POST /churn/<n>``: n pods change a
second. ``POST /kill/<cluster>/<n>``: the n-th pod is killed for its memory; the answer is when, in Unix time.
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
PADDING = 6_000
"""Bytes of managed fields and specification that pult has no use for."""
FIRST = 1_000_000


class Pods:
    """The pods of one cluster, and who watches them."""

    def __init__(self) -> None:
        self.version = FIRST
        self.all = [pod(number) for number in range(PODS)]
        self.heard: set[asyncio.Queue[bytes]] = set()

    def page(self, start: int, size: int) -> dict[str, Any]:
        end = start + size
        rest = {"continue": str(end)} if end < PODS else {}
        return {"metadata": {"resourceVersion": str(self.version), **rest}, "items": self.all[start:end]}

    def changes(self, number: int, status: dict[str, Any]) -> None:
        self.version += 1
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
    return {"metadata": meta, "spec": {"containers": [{"name": "main"}]}, "status": well(0)}


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


class Servers:
    """Both clusters, under ``/nyc2`` and ``/sfo3``; of every other kind there is nothing."""

    def __init__(self) -> None:
        self.clusters = {"nyc2": Pods(), "sfo3": Pods()}
        self.pace = 0

    def routes(self) -> Iterator[web.RouteDef]:
        yield web.post("/churn/{pace}", self.churned)
        yield web.post("/kill/{cluster}/{number}", self.kill)
        yield web.get("/{cluster}/{path:.*}", self.get)

    async def get(self, request: web.Request) -> web.StreamResponse:
        pods = self.clusters[request.match_info["cluster"]]
        mine = request.path.endswith("/pods")
        if "watch" in request.query:
            return await self._watch(request, pods, mine=mine)
        if not mine:
            return web.json_response({"metadata": {"resourceVersion": str(FIRST)}, "items": []})
        size = int(request.query.get("limit", PODS))
        return web.json_response(pods.page(int(request.query.get("continue", 0)), size))

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
