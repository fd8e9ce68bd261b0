"""A program: pult's own intake before a store with a long past, which it forgets in steps while it is told to.

The same classes and pauses as in ``pult run``, without chats; a line ``prune`` or ``rest`` on its standard input turns
the forgetting on and off, a line ``end`` ends it. It prints its address, and at the end how many rows went.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import threading
from datetime import UTC, datetime, timedelta

import uvloop
from aiohttp import web

from bot.adapters.clock import SystemClock
from bot.adapters.sql import SqlStore, open_store
from bot.domain.retention import STEP, pause
from bot.domain.routes import Route
from bot.domain.services import Catalogue
from bot.edge.webhooks import Webhooks
from bot.engine.intake import Intake
from bot.engine.meters import Meters
from handlers import hearing
from handlers.alerting.rules import Rules
from handlers.webhooks import alertmanager
from tests.bench.sender import TOKEN


class Pruner:
    """Forgets all that is older than an hour, while it is ``on``."""

    def __init__(self, store: SqlStore) -> None:
        self._store, self.on, self.rows = store, asyncio.Event(), 0

    async def run(self) -> None:
        while True:
            await self.on.wait()
            now = datetime.now(UTC)
            gone = await self._store.write(lambda tx, now=now: tx.forget(now - timedelta(hours=1), STEP))
            self.rows += gone.rows
            wait = pause(datetime.now(UTC) - now)
            await asyncio.sleep(wait.total_seconds())


def _listen(loop: asyncio.AbstractEventLoop, told: asyncio.Queue[str]) -> None:
    for line in sys.stdin:
        loop.call_soon_threadsafe(told.put_nowait, line.strip())


async def _main(url: str) -> None:
    told: asyncio.Queue[str] = asyncio.Queue()
    threading.Thread(target=_listen, args=(asyncio.get_running_loop(), told), daemon=True).start()
    async with open_store(url) as store:
        clock = SystemClock()
        intake = Intake(store, clock, hearing(Rules((Route(("console:ops",)),)), Catalogue(())))
        webhooks = Webhooks({"alertmanager": alertmanager.source(TOKEN)}, intake, clock, Meters("bench"))
        app = web.Application()
        app.add_routes([web.post("/webhooks/{source}", webhooks.handle)])
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0, backlog=1024).start()
        print(f"http://127.0.0.1:{runner.addresses[0][1]}", flush=True)
        pruner = Pruner(store)
        pruning = asyncio.create_task(pruner.run())
        while (line := await told.get()) != "end":
            pruner.on.set() if line == "prune" else pruner.on.clear()
        pruning.cancel()
        await runner.cleanup()
        print(json.dumps({"rows": pruner.rows}), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    uvloop.run(_main(parser.parse_args().url))


if __name__ == "__main__":
    main()
