"""A strict Bot API server for one bot: polling and webhook, HTML as Telegram reads it, its limits and its refusals."""

from collections.abc import AsyncIterator

from aiohttp import web

from bot.simulator.telegram.api import Api
from bot.simulator.telegram.drive import Drive
from bot.simulator.telegram.person import Person
from bot.simulator.telegram.state import Telegram
from bot.simulator.telegram.webhook import Sender
from bot.simulator.world import World

TELEGRAM = web.AppKey("telegram", Telegram)
_UPLOADS = 51 * 1024 * 1024
"""Bytes of one request: Telegram's largest document and its form."""

__all__ = ["TELEGRAM", "Person", "Telegram", "application"]


def application(world: World) -> web.Application:
    """The Bot API at `/bot<token>/<method>` and `/file/…`; driven at `/_drive/…`. State: `world.telegram`."""
    tg = Telegram(world.clock.now, world.random)
    world.telegram = tg
    sender = Sender(tg, world.seconds)
    api = Api(tg, world.faults)

    async def sending(_app: web.Application) -> AsyncIterator[None]:
        async with sender.running():
            yield

    async def closing(_app: web.Application) -> None:
        tg.updates.close()

    app = web.Application(client_max_size=_UPLOADS)
    app[TELEGRAM] = tg
    app.cleanup_ctx.append(sending)
    app.on_shutdown.append(closing)
    app.add_routes(
        [
            web.route("*", "/bot{token}/{method}", api.call),
            web.get("/file/bot{token}/{path:.+}", api.file),
            *Drive(tg).routes(),
        ]
    )
    return app
