"""``status [service]``: one screen of what matters now. What can't be known says so."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.domain.alerts import CRITICAL, Group
from bot.domain.conditions import told
from bot.domain.invariants import Budget, Invariant
from bot.domain.messages import Block, Button, Facts, Lines, Tone
from bot.domain.operations import STATE_WORDS, Operation, State
from bot.domain.phrases import Code, Phrase, Quantity, phrase
from bot.domain.releases import Fate
from bot.domain.services import Catalogue, Service
from bot.domain.slo import Slo
from bot.ports.budgets import Budgets
from bot.ports.commands import Call, Command, Reply
from bot.ports.store import Store, Tx
from handlers.cards import budget
from handlers.cards.alert import by_severity
from handlers.commands.releases_known import FATE_WORDS
from handlers.commands.replies import said
from handlers.commands.status_running import Running, Runs
from handlers.commands.vitals import Fact, Part, Vitals
from handlers.operating.freezing import Frozen

SHOWN = 5
LOOKED_AT = 5
"""Latest rows of an environment: plans that wait, or never got there, stand before what came last."""
BUDGETS = 12
"""Budgets with a line of their own, the worst first: more would push the rest off the screen."""


def duty(
    store: Store, running: Running, budgets: Budgets | None, slos: tuple[Slo, ...], services: Catalogue,
    vitals: Vitals,
) -> Command:  # fmt: skip
    """Alerts, operations, budgets, rollouts, and destinations that can't be reached."""

    async def run(call: Call) -> Reply:
        service = services.named(call.args[0]) if call.args else None
        chosen = (service,) if service else tuple(services)
        known = await store.read(lambda tx: _known(tx, vitals, chosen, service, call.now))
        promised = tuple(slo for slo in slos if service is None or slo.service == service.name)
        async with asyncio.TaskGroup() as tasks:
            rollouts = tasks.create_task(running.of(service) if service else running.every(services))
            left = tasks.create_task(_budgets(budgets, promised))
        title = phrase("Status of {service}", service=service.name) if service else phrase("Status")
        return _screen(title, known, rollouts.result(), left.result(), vitals.trouble())

    example = services.example
    return Command(
        ("status", "статус"),
        "status [service]",
        phrase("one screen of what matters now"),
        run,
        examples=("status", f"status {example}"),
    )


@dataclass(frozen=True)
class _Known:
    """What the store tells. ``facts`` stand under the line of alerts, ``vitals`` after them."""

    groups: tuple[Group, ...]
    operations: tuple[Operation, ...]
    facts: tuple[Fact, ...]
    vitals: Part


def _known(tx: Tx, vitals: Vitals, chosen: tuple[Service, ...], service: Service | None, now: datetime) -> _Known:
    names = ("", *(each.name for each in chosen)) if service is None else (service.name,)
    return _Known(
        tuple(group for group in tx.open_groups() if service is None or group.service == service.name),
        tuple(each for each in tx.live_operations() if service is None or each.plan.service == service.name),
        (*_frozen(tx, vitals.frozen, names, now), *_released(tx, chosen)),
        vitals.read(tx, now),
    )


def _screen(title: Phrase, known: _Known, runs: Runs, left: Part, trouble: Mapping[str, Phrase]) -> Reply:
    live = tuple(
        phrase("{id} {title}: {state}", id=Code(each.id), title=each.plan.title, state=STATE_WORDS[each.state])
        for each in known.operations
    )
    silent = tuple(phrase("{destination}: {why}", destination=Code(d), why=why) for d, why in trouble.items())
    facts = ((phrase("Alerts"), _alerts(known.groups)), *known.facts, *known.vitals.facts, *runs.facts, *left.facts)
    blocks: list[Block] = [Facts(facts)]
    blocks += [Lines(lines[:SHOWN], max(0, len(lines) - SHOWN)) for lines in (runs.why, live, silent) if lines]
    well = runs.well and left.well and known.vitals.well and not silent and not _paused(known.operations)
    buttons = (Button(phrase("Alerts"), "alerts"), Button(phrase("SLOs"), "slo"))
    return said(title, *blocks, tone=_tone(known.groups, well=well), buttons=buttons)


def _frozen(tx: Tx, frozen: Frozen, names: Iterable[str], now: datetime) -> tuple[Fact, ...]:
    """Each freeze once, however many of the services it covers; the empty name stands for all of them."""
    found = dict.fromkeys(freeze for name in names if (freeze := frozen(tx, name, now)))
    return tuple((phrase("Frozen"), told(freeze)) for freeze in found)


def _released(tx: Tx, services: Iterable[Service]) -> tuple[Fact, ...]:
    """What came to production last, wherever it did."""
    found = (tx.deployments(each.name, place.name, LOOKED_AT) for each in services for place in each.production)
    rows = [row for those in found for row in those if row.fate not in {Fate.WAITING, Fate.ENDED}]
    if not rows:
        return ()
    last = max(rows, key=lambda row: row.at)
    told = phrase(
        "{service} {version} in {environment}: {fate}, {at}",
        service=last.service, version=last.version, environment=last.environment, fate=FATE_WORDS[last.fate],
        at=last.since or last.at,
    )  # fmt: skip
    return ((phrase("Last release"), told),)


def _paused(operations: Iterable[Operation]) -> bool:
    """Whether something half-done waits for a person."""
    return any(operation.state is State.PAUSED for operation in operations)


def _alerts(groups: tuple[Group, ...]) -> Phrase:
    return by_severity(Counter(group.severity for group in groups)) if groups else phrase("nothing is firing")


async def _budgets(budgets: Budgets | None, slos: Sequence[Slo]) -> Part:
    if budgets is None:
        return Part()
    found = sorted(await budgets.standings(slos), key=budget.urgency)
    lines = tuple(map(_budget, found[:BUDGETS]))
    if left := found[BUDGETS:]:
        bad = sum(not item.healthy for item in left)
        lines += ((phrase("Other SLOs"), phrase("{n}, {bad} of them not known to be well", n=len(left), bad=bad)),)
    return Part(lines, all(item.healthy for item in found))


def _budget(item: Budget) -> Fact:
    if isinstance(item, Invariant) or item.left is None:
        return budget.name(item), budget.left(item)
    return budget.name(item), phrase("{left} of the budget left", left=Quantity(item.left * 100, "%", 0))


def _tone(groups: tuple[Group, ...], *, well: bool) -> Tone:
    """Green only for what is known to be well."""
    if any(group.severity == CRITICAL for group in groups):
        return Tone.CRITICAL
    return Tone.OK if well and not groups else Tone.WARNING
