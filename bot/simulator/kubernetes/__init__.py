"""A simulated Kubernetes API server for each region, with controllers that really roll pods."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from aiohttp import web

from bot.simulator.kubernetes import api
from bot.simulator.kubernetes.state import REGIONS, Clusters
from bot.simulator.world import World

__all__ = ["application", "kubeconfig"]


def application(world: World, cluster: str) -> web.Application:
    """The API server of one cluster, to be mounted at ``/k8s/<cluster>``. Starts that cluster's controllers."""
    clusters = world.clusters
    if not isinstance(clusters, Clusters):
        clusters = world.clusters = Clusters(world)
    found = clusters.cluster(cluster)
    app = web.Application(client_max_size=4 * 1024 * 1024)
    app.router.add_route("*", "/{path:.*}", api.handler(found, "kubernetes"))

    async def controllers(_: web.Application) -> AsyncIterator[None]:
        found.store.open()
        loop = asyncio.get_running_loop().create_task(clusters.run(cluster), name=f"controllers {cluster}")
        yield
        found.store.close()
        await loop

    async def end_watches(_: web.Application) -> None:
        found.store.close()

    app.cleanup_ctx.append(controllers)
    app.on_shutdown.append(end_watches)
    return app


def kubeconfig(base_url: str) -> dict[str, Any]:
    """A kubeconfig with one context per region; *base_url* is the simulator's, without a slash at the end."""
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": {"server": f"{base_url}/k8s/{name}"}} for name in REGIONS],
        "users": [{"name": "pult", "user": {"token": api.TOKEN}}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": "pult"}} for name in REGIONS],
        "current-context": REGIONS[0],
    }
