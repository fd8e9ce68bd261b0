"""Webhook → message posted at 10/s, up to the moment Slack hears of it. Its own time is not in it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.bench.common import BrokenError, Row, latency
from tests.bench.programs import Program, module
from tests.bench.setups import config, pult, settle

RATE, SECONDS, FLOOR_SECONDS = 10, 20, 6
LANES = 40
"""Channels, so that Slack's rate (one post a second in each) never makes anybody wait: it is not what is measured."""
P50_BUDGET, P99_BUDGET = 0.006, 0.015
SLACK = """
[slack]
bot_token = "xoxb-sim"
signing_secret = "sim-signing-secret"
api_url = "{slack}/api/"
"""


def measure(folder: Path) -> list[Row]:
    """No Prometheus is configured: what a dependency takes is not pult's time."""
    folder.mkdir()
    ours, bare = _pult(folder), _floor(folder)
    return latency("webhook → message posted, 10/s", ours["ages"], (P50_BUDGET, P99_BUDGET), bare["ages"])


def _pult(folder: Path) -> Any:
    with _probe(folder, SECONDS) as probe:
        _, slack = probe.line("http://", 10)
        routes = "".join(
            f'[[routes]]\nmatch = {{ lane = "{lane:03d}" }}\nto = ["slack:C0LANE{lane:03d}"]\n' for lane in range(LANES)
        )
        more = SLACK.format(slack=slack) + routes + '[[routes]]\nto = ["console:ops"]\n'
        with pult(config(folder, more)) as running:
            settle(running)
            return _sent(probe, running.url, SECONDS)


def _floor(folder: Path) -> Any:
    with _probe(folder, FLOOR_SECONDS) as probe:
        _, slack = probe.line("http://", 10)
        with module("floor", str(folder / "floor.db"), "--slack", f"{slack}/api/", cwd=folder) as floor:
            _, url = floor.line("http://", 10)
            return _sent(probe, url, FLOOR_SECONDS)


def _probe(folder: Path, seconds: float) -> Any:
    args = ("--rate", str(RATE), "--seconds", str(seconds), "--lanes", str(LANES))
    return module("probe", *args, cwd=folder, stdin=True)


def _sent(probe: Program, url: str, seconds: float) -> Any:
    probe.tell(url)
    found = probe.result(seconds + 40)
    if found["missing"] or set(found["statuses"]) != {"200"}:
        raise BrokenError(f"{found['missing']} posts are missing, answers by status: {found['statuses']}")
    return found
