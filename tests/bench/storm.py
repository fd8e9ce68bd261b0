"""A storm: 500 groups in 10 s, 20 of them critical, against the strict department with Slack's and Telegram's rates."""

from __future__ import annotations

import re
import sqlite3
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx

from tests.bench.asking import ask
from tests.bench.common import BrokenError, Row, ms, quantile
from tests.bench.programs import module
from tests.bench.setups import Running, department_config, pult, settle
from tests.bench.slashing import OPS, slashes

GROUPS, SECONDS, CRITICAL_EVERY = 500, 10.0, 25
CRITICAL = GROUPS // CRITICAL_EVERY
CARDS = 3 * CRITICAL + 2 * (GROUPS - CRITICAL)
"""By the demo's routes: Slack, Telegram and console for a critical, Slack and console for the others."""
CALM_SECONDS = 8.0
TEXTS = ("alerts", "help", "whoami")
ASKED = 250
SLASHES, SLASH_PAUSE = 6, 1.2
WITHIN = 30.0
PATIENCE = 50.0
COMMAND_BUDGET, GROWTH_BUDGET, P99_GROWTH = 0.250, 30e6, 2.0
"""Seconds; bytes that pass as flat; how much slower than in the calm an intake passes as unchanged."""
NAME = re.compile(r"bench-(\d{6})")
CHATS = (("slack", "channel", "C0INC"), ("telegram", "chat", "-1001000000001"))


def measure(folder: Path, sim: str) -> list[Row]:
    """Everything configured, Prometheus too."""
    folder.mkdir()
    with pult(department_config(folder, sim)) as running:
        settle(running)
        calm = _send(folder, running, "--severity", "info", "--first", "900000", seconds=CALM_SECONDS)
        settle(running)
        before = running.program.usage().resident
        storm, answers, typed = _storm(folder, running, sim)
        told = _critical_times(sim, storm)
        after = running.program.usage().resident
        kept = _kept(folder / "pult.db")
    return [
        *_deliveries(storm, told, kept),
        *_effects(storm, calm, answers),
        _typed(typed),
        Row("storm: memory", f"{(after - before) / 1e6:+.0f} MB", "flat", met=after - before < GROWTH_BUDGET),
    ]


def _storm(folder: Path, running: Running, sim: str) -> tuple[Any, list[float], list[float]]:
    """People ask while it rages, on the console and in the channel that it fills."""
    with ThreadPoolExecutor(2) as pool:
        asking = pool.submit(ask, running.url, TEXTS, ASKED)
        typing = pool.submit(slashes, sim, TEXTS, SLASHES, SLASH_PAUSE, OPS)
        storm = _send(folder, running, "--critical-every", str(CRITICAL_EVERY), seconds=SECONDS)
        return storm, asking.result(120), typing.result(120)


def _send(folder: Path, running: Running, *more: str, seconds: float) -> Any:
    args = (running.url, "--rate", str(GROUPS / SECONDS), "--seconds", str(seconds), *more)
    with module("sender", *args, cwd=folder) as sender:
        found = sender.result(seconds + 40)
    if set(found["statuses"]) != {"200"}:
        raise BrokenError(f"answers by status: {found['statuses']}")
    return found


def _critical_times(sim: str, storm: Any) -> Mapping[str, Mapping[int, float]]:
    """By platform, per critical: seconds from its webhook to its message. Waits until all are there."""
    until = time.monotonic() + PATIENCE
    while True:
        found = {platform: _heard(sim, platform, key, chat, storm) for platform, key, chat in CHATS}
        if all(len(each) >= CRITICAL for each in found.values()) or time.monotonic() > until:
            return found
        time.sleep(0.5)


def _heard(sim: str, platform: str, key: str, chat: str, storm: Any) -> Mapping[int, float]:
    """The department's clock is this machine's wall clock; the sender's is monotonic: both are read here, now."""
    offset = time.time() - time.monotonic()
    answer = httpx.get(f"{sim}/{platform}/_drive/messages", params={key: chat}, timeout=30).json()
    found: dict[int, float] = {}
    for message in answer["messages"]:
        name = NAME.search(str(message["text"]) + str(message.get("blocks", "")))
        number = int(name[1]) if name else -1
        sent = storm["sent"].get(str(number))
        if sent is not None:
            at = datetime.fromisoformat(message["revisions"][0]["at"]).timestamp()
            found.setdefault(number, at - offset - sent)
    return found


def _kept(store: Path) -> Mapping[str, int]:
    """How many cards of the storm's groups (not those of the calm) are shown, and how many still due."""
    of_storm = "FROM cards JOIN groups ON subject = 'alert:' || id WHERE doc NOT LIKE '%\"info\"%' AND dead = 0"
    with closing(sqlite3.connect(f"file:{store}?mode=ro", uri=True)) as database:
        return {
            name: database.execute(f"SELECT count(*) {of_storm} AND shown {relation} wanted").fetchone()[0]
            for name, relation in (("shown", ">="), ("due", "<"))
        }


def _deliveries(storm: Any, told: Mapping[str, Mapping[int, float]], kept: Mapping[str, int]) -> list[Row]:
    lost = CARDS - kept["shown"] - kept["due"]
    cards = f"{kept['shown']} cards shown, {kept['due']} still due, {lost} lost"
    rows = [Row(f"storm: {GROUPS} groups in {SECONDS:.0f} s", cards, "0 lost", met=lost == 0)]
    for platform, times in told.items():
        last = max(times.values(), default=0.0)
        rows.append(
            Row(
                f"storm: criticals on {platform}, the slowest",
                f"{len(times)} of {CRITICAL}, {last:.1f} s",
                f"all, < {WITHIN:.0f} s",
                met=len(times) == CRITICAL and last < WITHIN,
            )
        )
    return rows


def _effects(storm: Any, calm: Any, answers: list[float]) -> list[Row]:
    hooks, quiet, asked = (quantile(each, 0.99) for each in (storm["latencies"], calm["latencies"], answers))
    return [
        Row(
            "storm: webhook → 200, p99 (floor: the same rate, one quiet destination)",
            ms(hooks), "unchanged", ms(quiet), f"{hooks / quiet:.1f} ×", hooks <= quiet * P99_GROWTH,
        ),
        Row("storm: command → answer, p99", ms(asked), f"< {ms(COMMAND_BUDGET)}", met=asked < COMMAND_BUDGET),
    ]  # fmt: skip


def _typed(answers: list[float]) -> Row:
    """The busy channel's own: Slack lets pult post there once a second, and the storm wants all of these."""
    slowest = max(answers)
    what = f"storm: command → answer in the busy Slack channel, slowest of {len(answers)}"
    return Row(what, ms(slowest), f"< {ms(COMMAND_BUDGET)}", met=slowest < COMMAND_BUDGET)
