"""A simulated Prometheus: PromQL over series that are pure functions of the world's history."""

from aiohttp import web

from bot.simulator.prometheus.api import Api
from bot.simulator.prometheus.metrics import Metrics

__all__ = ["Metrics", "application"]


def application(metrics: Metrics) -> web.Application:
    """The HTTP API, to be mounted at ``/prometheus``."""
    app = web.Application(client_max_size=4 * 1024 * 1024)
    app.add_routes(Api(metrics).routes())
    return app
