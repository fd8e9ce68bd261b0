"""Slash commands in the simulated Slack, timed by it: from the envelope's leaving to the answer's arrival."""

from __future__ import annotations

import itertools
import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import httpx

from tests.bench.common import BrokenError
from tests.bench.setups import PEOPLE, drive

Channels = Sequence[Mapping[str, str]]

OPS: Channels = ({"channel": "C0OPS"},)
EVERYWHERE: Channels = (*OPS, {"channel": "C0INC"}, {"channel": "C0REL"}, {})
"""Asked in turn; the last is the person's own chat with pult."""
ANSWERS = ("response_url", "chat.postEphemeral")
ANSWER_DEADLINE = 30.0


def slashes(sim: str, texts: Sequence[str], times: int, pause: float, channels: Channels = EVERYWHERE) -> list[float]:
    """Seconds each of *times* answers took, one command every *pause* seconds, channels in turn."""
    before = len(_answers(sim))
    people = [person for _, person, *_ in PEOPLE for _ in channels]
    asking = zip(itertools.cycle(people), itertools.cycle(channels), itertools.cycle(texts), strict=False)
    for person, channel, text in itertools.islice(asking, times):
        drive(sim, "slack", "slash", user=person, text=text, **channel)
        time.sleep(pause)
    deliveries = [each for each in _look(sim, "deliveries")["deliveries"] if each["kind"] == "slash_commands"]
    asked = [datetime.fromisoformat(each["attempts"][0]["at"]) for each in deliveries[-times:]]
    until = time.monotonic() + ANSWER_DEADLINE
    while len(answers := _answers(sim)[before:]) < times:
        if time.monotonic() > until:
            raise BrokenError(f"{times} commands in Slack, {len(answers)} answers")
        time.sleep(0.1)
    return [(at - since).total_seconds() for since, at in zip(asked, answers, strict=True)]


def _answers(sim: str) -> list[datetime]:
    """When each private answer arrived."""
    calls = [call for call in _look(sim, "calls")["calls"] if call["method"] in ANSWERS and call["status"] == 200]
    return [datetime.fromisoformat(call["at"]) for call in calls]


def _look(sim: str, what: str) -> Any:
    return httpx.get(f"{sim}/slack/_drive/{what}", timeout=30).json()
