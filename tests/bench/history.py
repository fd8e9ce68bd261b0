"""Intake and commands on a store with a long past, beside an empty one; in turns, on the same machine."""

from __future__ import annotations

import asyncio
import statistics
from pathlib import Path

from bot.adapters.sql import open_store
from tests.bench import past
from tests.bench.asking import ask
from tests.bench.common import BrokenError, Row, ms, quantile
from tests.bench.intake import Burst, burst
from tests.bench.programs import module
from tests.bench.setups import Running, config, pult, settle

GROUPS = 200_000
RATIO_BUDGET = 1.2
TURNS, INTAKE_TURNS, SECONDS = 3, 3, 0.8
TEXTS = ("alerts", "help", "audit")
ASKED = 120
PRUNING_TURNS, PRUNING_SECONDS, PRUNED_FROM = 3, 4.0, 500_000
"""Turns with and without forgetting, of so many seconds; the first group's number, which no other turn comes to."""
ROUTES = '[[routes]]\nto = ["console:ops"]\n'


def measure(folder: Path) -> list[Row]:
    """Without chats: what is compared is the store."""
    folder.mkdir()
    folders = [folder / "empty", folder / "full"]
    for each in folders:
        each.mkdir()
        asyncio.run(_schema(each / "pult.db"))
    past.write(folders[1] / "pult.db", GROUPS)
    with pult(config(folders[0], ROUTES)) as empty, pult(config(folders[1], ROUTES)) as full:
        settle(empty, full)
        rows = [_commands(empty, full), _intake(folder, empty, full)]
    return [*rows, *_pruning(folder, folders[1] / "pult.db")]


async def _schema(store: Path) -> None:
    async with open_store(f"sqlite:///{store}"):
        pass


def _commands(empty: Running, full: Running) -> Row:
    """Nothing fires in either store: what differs is what lies behind."""
    bare, ours = [], []
    for _ in range(TURNS):
        bare += ask(empty.url, TEXTS, ASKED // TURNS)
        ours += ask(full.url, TEXTS, ASKED // TURNS)
    return _row("command → answer, p50", quantile(ours, 0.5), quantile(bare, 0.5))


def _intake(folder: Path, empty: Running, full: Running) -> Row:
    """Medians of short turns, the first of each left out: it warms the caches."""
    times: dict[str, list[float]] = {empty.url: [], full.url: []}
    first = 0
    for turn in range(1 + INTAKE_TURNS):
        for url in (empty.url, full.url) if turn % 2 else (full.url, empty.url):
            settle(empty, full)
            found = Burst()
            first = burst(url, folder, first, found, SECONDS)
            times[url].append(1 / found.rate)
    ours, bare = (statistics.median(times[each.url][1:]) for each in (full, empty))
    return _row("webhook → 200, time per event", ours, bare)


def _pruning(folder: Path, store: Path) -> list[Row]:
    """Intake while the past is forgotten, beside the same intake while it is not; in turns."""
    resting, pruning = Burst(), Burst()
    with module("pruning", f"sqlite:///{store}", cwd=folder, stdin=True) as running:
        _, url = running.line("http://", 10)
        first = burst(url, folder, PRUNED_FROM, Burst(), SECONDS)
        for _ in range(PRUNING_TURNS):
            for order, into in (("rest", resting), ("prune", pruning)):
                running.tell(order)
                first = burst(url, folder, first, into, PRUNING_SECONDS)
        running.tell("end")
        rows = int(running.result(10)["rows"])
    if not rows:
        raise BrokenError("nothing was forgotten")
    value, floor = quantile(pruning.latencies, 0.99), quantile(resting.latencies, 0.99)
    name = f"webhook → 200, p99, while the past is forgotten, {rows:,} rows meanwhile (floor: while it is not)"
    budget = f"≤ {RATIO_BUDGET} × at rest"
    return [Row(name, ms(value), budget, ms(floor), f"{value / floor:.2f} ×", value <= RATIO_BUDGET * floor)]


def _row(what: str, value: float, floor: float) -> Row:
    ratio = value / floor
    name = f"{what}, after {GROUPS:,} groups (floor: an empty store)"
    return Row(name, ms(value), f"≤ {RATIO_BUDGET} × empty", ms(floor), f"{ratio:.2f} ×", ratio <= RATIO_BUDGET)
