"""A strict Slack workspace: Web API, Socket Mode, signed HTTP requests, response urls."""

from collections.abc import AsyncIterator

from aiohttp import web

from bot.simulator.slack.api import Api
from bot.simulator.slack.courier import Courier
from bot.simulator.slack.drive import Drive
from bot.simulator.slack.person import Person
from bot.simulator.slack.state import Workspace
from bot.simulator.world import World

WORKSPACE = web.AppKey("slack_workspace", Workspace)
COURIER = web.AppKey("slack_courier", Courier)
_UPLOADS = 16 * 1024 * 1024
"""Bytes one request may carry: a graph, not a film."""

__all__ = ["COURIER", "WORKSPACE", "Courier", "Person", "Workspace", "application"]


def application(world: World) -> web.Application:
    """Slack at `/api/<method>`, `/socket`, `/upload/…`, `/hooks/…`; driven at `/_drive/…`. State: `world.slack`."""
    ws = Workspace(world.clock.now, world.random)
    world.slack = ws
    courier = Courier(ws, world.seconds)
    api = Api(ws, world.faults)

    async def sending(_app: web.Application) -> AsyncIterator[None]:
        async with courier.running():
            yield

    async def closing(_app: web.Application) -> None:
        await courier.sockets.close()

    app = web.Application(client_max_size=_UPLOADS)
    app[WORKSPACE] = ws
    app[COURIER] = courier
    app.cleanup_ctx.append(sending)
    app.on_shutdown.append(closing)
    app.add_routes(
        [
            web.route("*", "/api/{method}", api.call),
            web.get("/socket", courier.sockets.serve),
            web.post("/upload/{id}", api.upload),
            web.post("/hooks/{kind}/{id}/{secret}", api.hook),
            *Drive(ws, courier).routes(),
        ]
    )
    return app
