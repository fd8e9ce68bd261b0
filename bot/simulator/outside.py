"""What users see: a name leads to where DNS points now, and a service of that region answers, or not."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from bot.simulator.faults import REGIONS, SERVICES
from bot.simulator.world import World

NAMESPACE: Final = "production"


def application(world: World) -> web.Application:
    """To be mounted at ``/outside``: ``/api.dept.example/healthz`` is what the internet gets of that address."""

    async def healthz(request: web.Request) -> web.Response:
        service = request.match_info["host"].partition(".")[0]
        if service not in SERVICES:
            return web.json_response({"error": "no such host"}, status=404)
        region, why = _served(world, service)
        return web.json_response({"region": region, "error": why}, status=503 if why else 200)

    app = web.Application()
    app.router.add_get("/{host}/healthz", healthz)
    return app


def _served(world: World, service: str) -> tuple[str, str]:
    """The region that users reach, and why it does not serve them; an empty reason where it does."""
    region = world.cloud.traffic() if world.cloud else ""
    if world.cloud is None or world.clusters is None or region not in REGIONS:
        return region, "the name leads nowhere"
    if world.faults.active("region_down", region):
        return region, "nobody answers there"
    if not world.clusters.ready(region, NAMESPACE, service):
        return region, "no pod is ready"
    used = world.clusters.databases(region, NAMESPACE, service)
    if used and not any(world.cloud.accepts(host) for host in used):
        return region, "its database takes no writes"
    return region, ""
