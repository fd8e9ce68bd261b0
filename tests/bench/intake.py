"""Durable webhooks a second at 50 connections, beside the floor; both in turns, so that both meet the same machine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.bench.common import BrokenError, Row, ms, quantile
from tests.bench.programs import module
from tests.bench.setups import CHATS, Running, config, pult, settle

CONNECTIONS, TURN, TURNS = 50, 2.0, 3
RATE_BUDGET, RATIO_BUDGET, P99_BUDGET = 1300.0, 0.7, 0.080


@dataclass
class Burst:
    """What came of sending as fast as answers come. Latencies in seconds."""

    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float:
        return len(self.latencies) / self.seconds

    def add(self, found: Any) -> None:
        """BrokenError: not everything was accepted, so the figure would be of something else."""
        if set(found["statuses"]) != {"200"}:
            raise BrokenError(f"answers by status: {found['statuses']}")
        self.seconds += found["seconds"]
        self.latencies += found["latencies"]


def burst(url: str, folder: Path, first: int, into: Burst, seconds: float = TURN) -> int:
    """Send for *seconds* from 50 connections, groups numbered from *first* on; the next free number."""
    args = ("--connections", str(CONNECTIONS), "--seconds", str(seconds), "--first", str(first))
    with module("sender", url, *args, cwd=folder) as sender:
        found = sender.result(seconds + 40)
    into.add(found)
    return first + len(found["latencies"])


def measure(folder: Path, sim: str) -> list[Row]:
    """pult with the chats of the department attached; the floor has none."""
    folder.mkdir()
    bare, ours = Burst(), Burst()
    with (
        module("floor", str(folder / "floor.db"), cwd=folder) as floor,
        pult(config(folder, CHATS.format(sim=sim))) as running,
    ):
        _, url = floor.line("http://", 10)
        settle(running)
        _turns(folder, url, running, bare, ours)
    return _rows(ours, bare)


def _turns(folder: Path, floor: str, running: Running, bare: Burst, ours: Burst) -> None:
    warm, first, second = Burst(), 0, 0
    first = burst(floor, folder, first, warm, 0.5)
    second = burst(running.url, folder, second, warm, 0.5)
    for _ in range(TURNS):
        settle(running)
        first = burst(floor, folder, first, bare)
        second = burst(running.url, folder, second, ours)


def _rows(ours: Burst, bare: Burst) -> list[Row]:
    ratio = ours.rate / bare.rate
    what = f"webhook → 200, durable, {CONNECTIONS} connections, SQLite, chats attached"
    return [
        Row(
            what, f"{ours.rate:,.0f}/s", f"≥ {RATE_BUDGET:,.0f}/s and ≥ {RATIO_BUDGET} × floor", f"{bare.rate:,.0f}/s",
            f"{ratio:.2f} ×", ours.rate >= RATE_BUDGET and ratio >= RATIO_BUDGET,
        ),
        *_percentiles(ours.latencies, bare.latencies),
    ]  # fmt: skip


def _percentiles(ours: Sequence[float], bare: Sequence[float]) -> list[Row]:
    rows = []
    for name, part, budget in (("p50", 0.5, None), ("p99", 0.99, P99_BUDGET)):
        value, least = quantile(ours, part), quantile(bare, part)
        shown, met = (f"< {ms(budget)}", value < budget) if budget else ("", None)
        rows.append(Row(f"the same, {name}", ms(value), shown, ms(least), f"{value / least:.1f} ×", met))
    return rows
