"""Opens Slack. Cheap to import: slack_sdk, which takes 0.2 s, comes with the first opening."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from bot.platforms.slack.settings import SlackSettings
from bot.ports.clock import Clock

if TYPE_CHECKING:
    from bot.platforms.slack.transport import SlackChat


@asynccontextmanager
async def open_slack(settings: SlackSettings, clock: Clock) -> AsyncGenerator[SlackChat]:
    """A workspace, not yet spoken to: no call is made before the first post, ``listen`` or ``check``."""
    from bot.platforms.slack.api import Api, session  # noqa: PLC0415 - late on purpose
    from bot.platforms.slack.inbound import Inbound  # noqa: PLC0415
    from bot.platforms.slack.rates import Edits  # noqa: PLC0415
    from bot.platforms.slack.transport import SlackChat  # noqa: PLC0415

    async with session() as connections:
        api = Api(settings, connections)
        yield SlackChat(settings, api, Edits(clock.now), Inbound(settings, connections, clock))
