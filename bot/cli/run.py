"""``pult run``: the bot, until SIGTERM or SIGINT."""

from __future__ import annotations

import asyncio
import gc
import logging
import sys

import uvloop

from bot.cli.signals import stopping
from bot.compose import pult
from config.settings import Settings

log = logging.getLogger(__name__)
TURN = 0.001
"""Seconds for which a thread may keep the interpreter from the others, five times less than Python's own: a webhook
waits for several turns while a reader works through a thousand groups (measured: nine in ten within 19 ms, not 39)."""


def run(settings: Settings) -> None:
    """Serve until a signal; returns once everything is handed over."""
    sys.setswitchinterval(TURN)
    uvloop.run(_serve(settings))


async def _serve(settings: Settings) -> None:
    stop = stopping()
    async with pult(settings) as running:
        log.info("accepting", extra={"url": running.url})
        async with asyncio.TaskGroup() as group:
            group.create_task(_say_ready(running.ready))
            await stop.wait()
            running.ready.set()
        log.info("stopping")


async def _say_ready(ready: asyncio.Event) -> None:
    await ready.wait()
    _settle()
    log.info("ready")


def _settle() -> None:
    """What is loaded now stays for good: full collections need not walk it (measured pauses of 130 ms and more)."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
