"""Messages with what other systems know, where they answer in time; else without."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from typing import Any

from bot.domain.breakers import AFTER
from bot.domain.errors import PermanentError, TemporaryError
from bot.domain.messages import Message
from bot.ports.presenters import Presenter

ENRICH_DEADLINE = 1.0
"""Seconds. A value and a trend are worth so much waiting to somebody who is being paged."""

log = logging.getLogger(__name__)


async def drawn(presenter: Presenter, state: Any, subject: str) -> Message:  # noqa: ANN401 - each presenter's own state
    """*state* as a message, enriched where that takes at most ``ENRICH_DEADLINE``."""
    message = presenter.draw(state)
    if presenter.enrich is None:
        return message
    try:
        async with asyncio.timeout(ENRICH_DEADLINE):
            return await presenter.enrich(state, message)
    except (TimeoutError, TemporaryError, PermanentError) as error:
        log.info("card goes without extras", extra={"subject": subject, "error": str(error)})
        return replace(message, again=AFTER)
