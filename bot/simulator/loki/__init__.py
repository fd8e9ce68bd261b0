"""A simulated Loki: what the department's pods wrote, also those that are gone, asked in LogQL."""

from aiohttp import web

from bot.simulator.loki.api import Api
from bot.simulator.world import World

__all__ = ["application"]


def application(world: World) -> web.Application:
    """The HTTP API, to be mounted at ``/loki``: its own paths begin with ``/loki/api/v1`` again, as in life."""
    app = web.Application()
    app.add_routes(Api(world).routes())
    return app
