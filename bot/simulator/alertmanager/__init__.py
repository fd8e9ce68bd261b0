"""A simulated Alertmanager: API v2, grouping, silences, webhooks as the real one sends them."""

from aiohttp import web

from bot.simulator.alertmanager.api import Api
from bot.simulator.alertmanager.manager import Manager
from bot.simulator.alertmanager.timing import Timing

__all__ = ["Manager", "Timing", "application"]


def application(manager: Manager) -> web.Application:
    """API v2, to be mounted at ``/alertmanager``."""
    app = web.Application(client_max_size=16 * 1024 * 1024)
    app.add_routes(Api(manager).routes())
    return app
