"""The signals that end what runs until somebody stops it."""

from __future__ import annotations

import asyncio
import signal


def stopping() -> asyncio.Event:
    """Set once SIGTERM or SIGINT came. Call it on the event loop."""
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    return stop
