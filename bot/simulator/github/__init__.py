"""A simulated GitHub REST API with real history behind it."""

from aiohttp import web

from bot.simulator.github.seeding import seed
from bot.simulator.github.state import WORK, Forge
from bot.simulator.github.surface import Surface
from bot.simulator.world import World

__all__ = ["application"]


def application(world: World) -> web.Application:
    """The API, to be mounted at ``/github``; sets ``world.github`` when it is not set yet."""
    forge = world.github
    if not isinstance(forge, Forge):
        forge = world.github = Forge()
        seed(forge, world.clock.now())
        forge.work = world.seconds(WORK)
    app = web.Application(client_max_size=4 * 1024 * 1024)
    Surface(world, forge).mount(app.router)
    return app
