"""Command → answer on an idle pult: over ``/api/ask``, and over Slack's Socket Mode as the workspace sees it."""

from __future__ import annotations

from pathlib import Path

from tests.bench.asking import ask
from tests.bench.common import Row, latency
from tests.bench.setups import CHATS, config, pult, settle
from tests.bench.slashing import slashes

TEXTS = ("help", "alerts", "whoami", "ops")
"""Commands that ask nobody but the store: dependencies' own time is not pult's."""
ASKED, WARM = 300, 40
SLASHES, SLASHES_WARM, PAUSE = 40, 8, 0.3
"""One command every 0.3 s in four channels: each channel has over a second, so no rate of Slack's is in the figures."""
BUDGETS = (0.008, 0.025)


def measure(folder: Path, sim: str) -> list[Row]:
    """With the department's chats attached."""
    folder.mkdir()
    with pult(config(folder, CHATS.format(sim=sim))) as running:
        settle(running)
        ask(running.url, TEXTS, WARM)
        rows = latency("command → answer, idle, /api/ask", ask(running.url, TEXTS, ASKED), BUDGETS)
        slashes(sim, TEXTS, SLASHES_WARM, PAUSE)
        return rows + latency("command → answer, idle, Slack Socket Mode", slashes(sim, TEXTS, SLASHES, PAUSE), BUDGETS)
