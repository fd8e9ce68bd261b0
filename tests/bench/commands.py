"""Command → answer on an idle pult: over ``/api/ask``, and over Slack's Socket Mode as the workspace sees it."""

from __future__ import annotations

import time
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx

from tests.bench.asking import ask
from tests.bench.common import BrokenError, Row, latency
from tests.bench.setups import CHATS, PEOPLE, config, drive, pult, settle

TEXTS = ("help", "alerts", "whoami", "ops")
"""Commands that ask nobody but the store: dependencies' own time is not pult's."""
ASKED, WARM = 300, 40
SLASHES = 48
SLASH_PAUSE = 0.3
CHANNELS = ({"channel": "C0OPS"}, {"channel": "C0INC"}, {"channel": "C0REL"}, {})
"""Asked in turn, the last the person's own: in each stays over a second between two, which is what Slack allows."""
BUDGETS = (0.008, 0.025)
ANSWER_DEADLINE = 10.0


def measure(folder: Path, sim: str) -> list[Row]:
    """With the department's chats attached."""
    folder.mkdir()
    with pult(config(folder, CHATS.format(sim=sim))) as running:
        settle(running)
        ask(running.url, TEXTS, WARM)
        rows = latency("command → answer, idle, /api/ask", ask(running.url, TEXTS, ASKED), BUDGETS)
        _slashes(sim, 8)
        return rows + latency("command → answer, idle, Slack Socket Mode", _slashes(sim, SLASHES), BUDGETS)


def _slashes(sim: str, times: int) -> list[float]:
    """Seconds from the envelope's leaving the workspace to the answer's arriving there, both by its clock."""
    before = len(_answers(sim))
    for number in range(times):
        person, channel = PEOPLE[number // len(CHANNELS) % len(PEOPLE)][1], CHANNELS[number % len(CHANNELS)]
        drive(sim, "slack", "slash", user=person, text=TEXTS[number % len(TEXTS)], **channel)
        time.sleep(SLASH_PAUSE)
    deliveries = [each for each in _look(sim, "deliveries")["deliveries"] if each["kind"] == "slash_commands"]
    asked = [datetime.fromisoformat(each["attempts"][0]["at"]) for each in deliveries[-times:]]
    until = time.monotonic() + ANSWER_DEADLINE
    while len(answers := _answers(sim)[before:]) < times:
        if time.monotonic() > until:
            raise BrokenError(f"{times} commands in Slack, {len(answers)} answers")
        time.sleep(0.1)
    return [(at - since).total_seconds() for since, at in zip(asked, answers, strict=True)]


def _answers(sim: str) -> list[datetime]:
    """When each private answer arrived: over a response url, or as an ephemeral message."""
    said = ("response_url", "chat.postEphemeral")
    calls = [call for call in _look(sim, "calls")["calls"] if call["method"] in said and call["status"] == 200]
    return [datetime.fromisoformat(call["at"]) for call in calls]


def _look(sim: str, what: str) -> Any:
    return httpx.get(f"{sim}/slack/_drive/{what}", timeout=30).json()
