"""A simulated DigitalOcean API: databases that fail over, DNS, load balancers, node pools, money."""

from aiohttp import web

from bot.simulator.digitalocean.state import Cloud
from bot.simulator.digitalocean.surface import Surface
from bot.simulator.world import World

__all__ = ["application"]


def application(world: World) -> web.Application:
    """The API, to be mounted at ``/digitalocean``; sets ``world.cloud`` when it is not set yet."""
    cloud = world.cloud
    if not isinstance(cloud, Cloud):
        cloud = world.cloud = Cloud(world)
    app = web.Application(client_max_size=4 * 1024 * 1024)
    Surface(world, cloud).mount(app.router)
    return app
