"""A strict Slack in this process, pult's own Slack against it, and a clock that the test moves."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.domain.cards import Card, Place, Priority
from bot.platforms.slack.settings import SlackSettings

HTTP = Path(__file__).parent.parent / "fixtures" / "slack-http"
START = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)


class Clock:
    """Both sides' time. ``sleep`` really waits, but a thousandth."""

    def __init__(self, at=START):
        self.at = at

    def now(self):
        return self.at

    def forward(self, seconds):
        self.at += timedelta(seconds=seconds)

    async def sleep(self, seconds):
        await asyncio.sleep(seconds / 1000)


def settings(base, **more):
    return SlackSettings(**({"bot_token": "xoxb-sim", "api_url": f"{base}/api/"} | more))


def card(subject="alert:a-7k2f", place="slack:C0INC", **more):
    where = Place(place) if isinstance(place, str) else place
    base = {"wanted": 1, "shown": 0, "ref": None, "attempts": 0, "created_at": START, "changed_at": START}
    return Card(subject, where, Priority.NORMAL, **(base | more))


async def until(condition):
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.005)


def body(case):
    return json.loads((HTTP / case / "body.json").read_text())


def recorded(case):
    """Headers in lower case and the bytes that were signed."""
    headers = json.loads((HTTP / case / "headers.json").read_text())["headers"]
    form = HTTP / case / "body.txt"
    raw = form.read_bytes() if form.exists() else (HTTP / case / "body.json").read_bytes()
    return {name.lower(): value for name, value in headers.items()}, raw
