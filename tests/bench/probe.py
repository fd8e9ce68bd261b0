"""A program that posts notifications and is the Slack they arrive at: one clock for both ends.

It prints its address, waits for a line with pult's, sends, and prints when each number was first heard of, in seconds
after its webhook. Its own answering is not in these figures: the clock is read before it answers.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import sys
import time
from itertools import count

import uvloop
from aiohttp import web

from tests.bench.bodies import Bodies
from tests.bench.sender import Sender

NUMBER = re.compile(rb"bench-(\d{6})")
LAST_ONES = 10.0
"""Seconds that the last posts may take."""
WARM = 40
"""Posts before those that count: connections are made, code is warm, every lane is open."""


class FakeSlack:
    """Says yes to every call. ``heard``: when each number was first posted, on the monotonic clock."""

    def __init__(self) -> None:
        self.heard: dict[int, float] = {}
        self._stamps = count(1)

    async def call(self, request: web.Request) -> web.Response:
        body, now = await request.read(), time.monotonic()
        if found := NUMBER.search(body):
            self.heard.setdefault(int(found[1]), now)
        return web.json_response(
            {
                "ok": True, "ts": f"{1_790_000_000 + next(self._stamps)}.000100", "channel": "C0OPS",
                "url": "https://dept.slack.example/", "team": "dept", "team_id": "T0DEPT", "user": "pult",
                "user_id": "U0PULT", "bot_id": "B0PULT", "messages": [], "response_metadata": {"next_cursor": ""},
            }
        )  # fmt: skip


async def _main(given: argparse.Namespace) -> None:
    slack = FakeSlack()
    app = web.Application()
    app.add_routes([web.route("*", "/api/{method}", slack.call)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(f"http://127.0.0.1:{runner.addresses[0][1]}", flush=True)
    url = (await asyncio.to_thread(sys.stdin.readline)).strip()
    sender = Sender(url, Bodies("warning", lanes=given.lanes))
    await sender.steady(given.rate, given.seconds + WARM / given.rate)
    until = time.monotonic() + LAST_ONES
    while len(slack.heard) < len(sender.sent) and time.monotonic() < until:
        await asyncio.sleep(0.05)
    ages = [at - sender.sent[number] for number, at in slack.heard.items() if number >= WARM]
    hooks = [seconds for number, seconds in sender.latencies.items() if number >= WARM]
    missing = len(sender.sent) - len(slack.heard)
    print(json.dumps({"ages": ages, "hooks": hooks, "missing": missing, "statuses": sender.statuses}))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rate", type=float, default=10.0)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--lanes", type=int, default=1)
    uvloop.run(_main(parser.parse_args()))


if __name__ == "__main__":
    main()
