"""Opens Slack. Cheap to import: slack_sdk, which takes 0.2 s, comes with the first opening."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from bot.platforms.slack.settings import SlackSettings
from bot.ports.clock import Clock
from bot.ports.painter import Painter

if TYPE_CHECKING:
    from bot.platforms.slack.transport import SlackChat


@asynccontextmanager
async def open_slack(
    settings: SlackSettings, clock: Clock, painter: Painter | None = None
) -> AsyncGenerator[SlackChat]:
    """A workspace, not yet spoken to: no call is made before the first post, ``listen`` or ``check``.

    *painter*: draws a page's graph for workspaces that show no charts; without one they see it in words.
    """
    from bot.platforms.slack.api import Api, session  # noqa: PLC0415 - late on purpose
    from bot.platforms.slack.inbound import Inbound  # noqa: PLC0415
    from bot.platforms.slack.pictures import Pictures  # noqa: PLC0415
    from bot.platforms.slack.rates import Budgets  # noqa: PLC0415
    from bot.platforms.slack.shown import Refusals  # noqa: PLC0415
    from bot.platforms.slack.transport import Outbound, SlackChat  # noqa: PLC0415

    async with session() as connections:
        api = Api(settings, connections)
        pictures = Pictures(api, painter)
        outbound = Outbound(api, Budgets(settings.posts_per_second, clock.now), Refusals(clock.now), pictures)
        try:
            yield SlackChat(settings, outbound, Inbound(settings, connections, clock))
        finally:
            await pictures.close()
