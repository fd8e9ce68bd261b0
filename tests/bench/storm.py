"""A storm: 500 groups in 10 s, 20 of them critical, with Slack's and Telegram's true rates; beside an Alertmanager.

Nothing is lost when every group stands in each destination that its route names: on a card of its own, or in the storm
that gathered it there. The store's word is not enough: the chat must have got a message or a file that names it.
"""

from __future__ import annotations

import sqlite3
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.bench import chats, rival
from tests.bench.asking import ask
from tests.bench.chats import NAME, SLACK_OTHERS, SLACK_PAGES, TELEGRAM_PAGES, Chat
from tests.bench.common import BrokenError, Row, ms, quantile
from tests.bench.programs import module
from tests.bench.rival import Rival
from tests.bench.setups import Running, department, department_config, pult, settle
from tests.bench.slashing import OPS, slashes

GROUPS, SECONDS, CRITICAL_EVERY = 500, 10.0, 25
PAGES = frozenset(range(0, GROUPS, CRITICAL_EVERY))
OTHERS = frozenset(range(GROUPS)) - PAGES
CONSOLE = "console:ops"
WANTED = {
    SLACK_PAGES.destination: PAGES, TELEGRAM_PAGES.destination: PAGES, SLACK_OTHERS.destination: OTHERS,
    CONSOLE: PAGES | OTHERS,
}  # fmt: skip
"""By the demo's routes."""
CALM_SECONDS = 8.0
TEXTS = ("alerts", "help", "whoami")
ASKED = 250
SLASHES, SLASH_PAUSE = 6, 1.2
WITHIN, PATIENCE, LOOK = 30.0, 120.0, 0.5
COMMAND_BUDGET, GROWTH_BUDGET, P99_GROWTH = 0.250, 30e6, 2.0
"""Seconds; bytes that pass as flat; how much slower than in the calm an intake passes as unchanged."""
CARDS = (
    "SELECT destination, service FROM groups JOIN cards ON subject = 'alert:' || groups.id"
    " WHERE dead = 0 AND shown >= wanted"
)
GATHERED = (
    "SELECT storms.destination, service FROM gathered JOIN storms ON storms.id = storm"
    " JOIN cards ON subject = 'storm:' || storm AND cards.destination = storms.destination"
    " WHERE dead = 0 AND shown >= wanted"
)


@dataclass(frozen=True)
class Outcome:
    """What became of it. ``lasted``: from its first webhook until everything stood, or until patience ended."""

    storm: Any
    answers: Sequence[float]
    typed: Sequence[float]
    cards: Mapping[str, frozenset[int]]
    gathered: Mapping[str, frozenset[int]]
    heard: Mapping[str, Mapping[int, float]]
    calls: Mapping[str, Counter[str]]
    lasted: float

    def standing(self, destination: str) -> frozenset[int]:
        """Groups that stand there: by the store's word, and, on a chat, by what it got."""
        kept = (self.cards[destination] | self.gathered[destination]) & WANTED[destination]
        return kept if destination == CONSOLE else kept & self.heard[destination].keys()


def measure(folder: Path) -> list[Row]:
    """Everything configured, Prometheus too."""
    folder.mkdir()
    with department(folder.with_name(f"{folder.name}-department")) as sim, pult(department_config(folder, sim)) as run:
        settle(run)
        calm = _send(folder, run, "--severity", "info", "--first", "900000", seconds=CALM_SECONDS)
        settle(run)
        before = run.program.usage().resident
        outcome = _storm(folder, run, sim)
        after = run.program.usage().resident
    with department(folder.with_name("rival-department")) as sim:
        rate = GROUPS / SECONDS
        beside = rival.storm(folder / "rival", sim, GROUPS, rate, CRITICAL_EVERY, max(60.0, outcome.lasted))
    memory = f"{before / 1e6:.0f} → {after / 1e6:.0f} MB"
    return [
        *_deliveries(outcome, beside),
        *_traffic(outcome, beside),
        *_effects(outcome, calm),
        Row("storm: memory, before → after", memory, "flat", met=after - before < GROWTH_BUDGET),
    ]


def _storm(folder: Path, running: Running, sim: str) -> Outcome:
    """People ask while it rages, on the console and in the channel that it fills."""
    offset = time.time() - time.monotonic()
    with ThreadPoolExecutor(2) as pool:
        asking = pool.submit(ask, running.url, TEXTS, ASKED)
        typing = pool.submit(slashes, sim, TEXTS, SLASHES, SLASH_PAUSE, OPS)
        storm = _send(folder, running, "--critical-every", str(CRITICAL_EVERY), seconds=SECONDS)
        storm["sent"] = {int(number): at + offset for number, at in storm["sent"].items()}
        until = time.monotonic() + PATIENCE
        while _missing(found := _look(folder, sim)) and time.monotonic() < until:
            time.sleep(LOOK)
        lasted = time.monotonic() - storm["began"]
        return Outcome(
            storm, asking.result(120), typing.result(120), *found,
            {platform: chats.calls(sim, platform) for platform in ("slack", "telegram")}, lasted,
        )  # fmt: skip


Found = tuple[Mapping[str, frozenset[int]], Mapping[str, frozenset[int]], Mapping[str, Mapping[int, float]]]


def _look(folder: Path, sim: str) -> Found:
    """Who stands where: on cards, in storms, and by the chats' own account."""
    with closing(sqlite3.connect(f"file:{folder}/pult.db?mode=ro", uri=True)) as database:
        cards, gathered = _numbers(database, CARDS), _numbers(database, GATHERED)
    return cards, gathered, {chat.destination: chat.heard(sim) for chat in (SLACK_PAGES, SLACK_OTHERS, TELEGRAM_PAGES)}


def _numbers(database: sqlite3.Connection, query: str) -> Mapping[str, frozenset[int]]:
    found: dict[str, set[int]] = {destination: set() for destination in WANTED}
    for destination, service in database.execute(query):
        if destination in found and (name := NAME.search(service)):
            found[destination].add(int(name[1]))
    return {destination: frozenset(numbers) for destination, numbers in found.items()}


def _missing(found: Found) -> bool:
    cards, gathered, heard = found
    return any(
        not wanted <= cards[each] | gathered[each] or (each in heard and not wanted <= heard[each].keys())
        for each, wanted in WANTED.items()
    )


def _send(folder: Path, running: Running, *more: str, seconds: float) -> Any:
    args = (running.url, "--rate", str(GROUPS / SECONDS), "--seconds", str(seconds), *more)
    with module("sender", *args, cwd=folder) as sender:
        found = sender.result(seconds + 40)
    if set(found["statuses"]) != {"200"}:
        raise BrokenError(f"answers by status: {found['statuses']}")
    return found


def _deliveries(outcome: Outcome, beside: Rival | None) -> list[Row]:
    wanted = sum(map(len, WANTED.values()))
    lost = wanted - sum(len(outcome.standing(each)) for each in WANTED)
    what = f"storm: {GROUPS} groups ({len(PAGES)} critical) in {SECONDS:.0f} s (floor: Alertmanager by itself), lost"
    never = f"{_never(beside)} of {len(OTHERS) + 2 * len(PAGES)}" if beside else ""
    until = f"not in {beside.watched:.0f} s" if beside and _never(beside) else ""
    return [
        Row(what, f"{lost} of {wanted:,}", "0", never, met=lost == 0),
        _pages(outcome, SLACK_PAGES, beside),
        _pages(outcome, TELEGRAM_PAGES, beside),
        _others(outcome, beside),
        _order(outcome),
        Row(
            "storm: from its first webhook until everything stood where it belongs",
            f"{outcome.lasted:.1f} s",
            "",
            until,
        ),
    ]


def _never(beside: Rival) -> int:
    pages = [beside.heard[chat].keys() for chat in (SLACK_PAGES, TELEGRAM_PAGES)]
    return len(OTHERS - beside.heard[SLACK_OTHERS].keys()) + sum(len(PAGES - each) for each in pages)


def _pages(outcome: Outcome, chat: Chat, beside: Rival | None) -> Row:
    standing = outcome.standing(chat.destination)
    sent, heard = outcome.storm["sent"], outcome.heard[chat.destination]
    slowest = max((heard[number] - sent[number] for number in standing), default=0.0)
    return Row(
        f"storm: criticals on {chat.platform}, the slowest",
        f"{len(standing)} of {len(PAGES)}, {slowest:.1f} s",
        f"all, < {WITHIN:.0f} s",
        beside.arrived(chat) if beside else "",
        met=len(standing) == len(PAGES) and slowest < WITHIN,
    )


def _others(outcome: Outcome, beside: Rival | None) -> Row:
    there = SLACK_OTHERS.destination
    standing, own = outcome.standing(there), outcome.cards[there] & OTHERS
    shown = f"{len(standing)} of {len(OTHERS)}: {len(own)} on cards, {len(standing - own)} in the storm's list"
    floor = beside.arrived(SLACK_OTHERS) if beside else ""
    return Row("storm: the others on slack", shown, "all", floor, met=len(standing) == len(OTHERS))


def _order(outcome: Outcome) -> Row:
    """Both chats are Slack's: pages and others share its limits, where Telegram's hold for pages only."""
    began = min(outcome.storm["sent"].values())
    critical, other = (
        max((at for number, at in outcome.heard[chat.destination].items() if number in wanted), default=began) - began
        for chat, wanted in ((SLACK_PAGES, PAGES), (SLACK_OTHERS, OTHERS))
    )
    return Row(
        "storm: order on slack, from the first webhook: last critical, last of the others",
        f"{critical:.1f} s, {other:.1f} s", "critical first", met=critical < other,
    )  # fmt: skip


def _traffic(outcome: Outcome, beside: Rival | None) -> list[Row]:
    return [
        Row(
            f"storm: {platform}'s posts, edits, refusals (429)",
            _counts(outcome.calls[platform]),
            "",
            _counts(beside.calls[platform]) if beside else "",
        )
        for platform in ("slack", "telegram")
    ]


def _counts(found: Counter[str]) -> str:
    return f"{found['posts']}, {found['edits']}, {found['refused']}"


def _effects(outcome: Outcome, calm: Any) -> list[Row]:
    latencies = (outcome.storm["latencies"], calm["latencies"], outcome.answers)
    hooks, quiet, asked = (quantile(each, 0.99) for each in latencies)
    slowest = max(outcome.typed)
    return [
        Row(
            "storm: webhook → 200, p99 (floor: the same rate, one quiet destination)",
            ms(hooks), "unchanged", ms(quiet), f"{hooks / quiet:.1f} ×", hooks <= quiet * P99_GROWTH,
        ),
        Row("storm: command → answer, p99", ms(asked), f"< {ms(COMMAND_BUDGET)}", met=asked < COMMAND_BUDGET),
        Row(
            f"storm: command → answer in the busy Slack channel, slowest of {len(outcome.typed)}",
            ms(slowest), f"< {ms(COMMAND_BUDGET)}", met=slowest < COMMAND_BUDGET,
        ),
    ]  # fmt: skip
