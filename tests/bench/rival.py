"""The same storm for a real Alertmanager that posts to Slack and Telegram by itself, at their true rates.

It waits for nothing (``group_wait: 0s``) and keeps its default ``group_interval``: what a chat refused is tried again
after that (Telegram sooner), all at once as before.
"""

from __future__ import annotations

import json
import shutil
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests import real
from tests.bench import chats
from tests.bench.bodies import Bodies
from tests.bench.chats import SLACK_OTHERS, SLACK_PAGES, TELEGRAM_PAGES, Chat

CONFIG = """
route:
  receiver: others
  group_by: [alertname, service]
  group_wait: 0s
  group_interval: 5m
  repeat_interval: 4h
  routes: [{{ receiver: pages, matchers: [severity = critical] }}]
receivers:
  - name: pages
    slack_configs: [{{ channel: {pages}, {slack} }}]
    telegram_configs: [{{ bot_token: "424242:SIM", chat_id: {group}, api_url: "{sim}/telegram" }}]
  - name: others
    slack_configs: [{{ channel: {others}, {slack} }}]
"""
SLACK = 'api_url: "{sim}/slack/api/chat.postMessage", http_config: {{ authorization: {{ credentials: xoxb-sim }} }}'


@dataclass(frozen=True)
class Rival:
    """What came of it after *watched* seconds. ``sent`` and the times in ``heard``: seconds since 1970."""

    watched: float
    sent: Mapping[int, float]
    heard: Mapping[Chat, Mapping[int, float]]
    calls: Mapping[str, Counter[str]]

    def arrived(self, chat: Chat) -> str:
        """How many of the groups meant for *chat* are there, and how long the slowest of them took."""
        wanted = [number for number in self.sent if (number in self.pages) is (chat is not SLACK_OTHERS)]
        ages = [self.heard[chat][number] - self.sent[number] for number in wanted if number in self.heard[chat]]
        slowest = f", {max(ages):.1f} s" if ages else ""
        return f"{len(ages)} of {len(wanted)}{slowest}"

    pages: frozenset[int] = frozenset()


def storm(folder: Path, sim: str, groups: int, rate: float, critical_every: int, watched: float) -> Rival | None:
    """None: there is no Alertmanager here."""
    if shutil.which("prometheus-alertmanager") is None:
        return None
    folder.mkdir()
    config = CONFIG.format(
        sim=sim, slack=SLACK.format(sim=sim), pages=SLACK_PAGES.id, others=SLACK_OTHERS.id, group=TELEGRAM_PAGES.id
    )
    bodies = Bodies("warning", critical_every=critical_every)
    with real.alertmanager(folder, config) as alertmanager:
        began = time.monotonic()
        sent = _send(alertmanager.url, bodies, groups, rate)
        time.sleep(max(0.0, began + watched - time.monotonic()))
        return Rival(
            watched=watched,
            sent=sent,
            heard={chat: chat.heard(sim) for chat in (SLACK_PAGES, SLACK_OTHERS, TELEGRAM_PAGES)},
            calls={platform: chats.calls(sim, platform) for platform in ("slack", "telegram")},
            pages=frozenset(number for number in sent if bodies.critical(number)),
        )


def _send(url: str, bodies: Bodies, groups: int, rate: float) -> Mapping[int, float]:
    """Each alert at its due time, over the API that Prometheus uses."""
    sent: dict[int, float] = {}
    began = time.monotonic()
    with httpx.Client(base_url=url, timeout=30) as client:
        for at in range(groups):
            time.sleep(max(0.0, began + at / rate - time.monotonic()))
            number, body = bodies.take()
            alert = json.loads(body)["alerts"][0]
            kept = {name: alert[name] for name in ("labels", "annotations", "startsAt", "generatorURL")}
            sent[number] = time.time()
            client.post("/api/v2/alerts", json=[kept]).raise_for_status()
    return sent
