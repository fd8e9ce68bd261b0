"""``status [service]``: one screen of what matters now. What can't be known says so."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Mapping

from bot.domain.alerts import SEVERITIES, Group
from bot.domain.errors import TemporaryError, UserError
from bot.domain.messages import Block, Button, Facts, Lines, Tone
from bot.domain.operations import STATE_WORDS
from bot.domain.phrases import Code, Phrase, Quantity, phrase, verbatim
from bot.domain.services import Catalogue, Service
from bot.domain.slo import Slo
from bot.ports.cluster import Cluster
from bot.ports.commands import Call, Command, Reply
from bot.ports.metrics import Metrics
from bot.ports.store import Store
from handlers.cards.alert import SEVERITY_WORDS
from handlers.commands.replies import said, workload
from handlers.commands.slo import standing

Trouble = Callable[[], Mapping[str, str]]
SHOWN = 5


def duty(
    store: Store, cluster: Cluster, metrics: Metrics | None, slos: tuple[Slo, ...], services: Catalogue,
    trouble: Trouble,
) -> Command:  # fmt: skip
    """Alerts, operations, budgets, rollouts, and destinations that can't be reached."""

    async def run(call: Call) -> Reply:
        service = services.named(call.args[0]) if call.args else None
        groups, operations = await store.read(lambda tx: (tx.open_groups(), tx.live_operations()))
        chosen = tuple(g for g in groups if service is None or g.service == service.name)
        async with asyncio.TaskGroup() as tasks:
            rollouts = tasks.create_task(_rollouts(cluster, (service,) if service else tuple(services)))
            budgets = tasks.create_task(
                _budgets(metrics, tuple(s for s in slos if service is None or s.service == service.name))
            )
        live = tuple(
            phrase("{id} {title}: {state}", id=Code(o.id), title=o.plan.title, state=STATE_WORDS[o.state])
            for o in operations
        )
        silent = tuple(phrase("{destination}: {why}", destination=Code(d), why=w) for d, w in trouble().items())
        blocks: list[Block] = [Facts(((phrase("Alerts"), _alerts(chosen)), *rollouts.result(), *budgets.result()))]
        blocks += [Lines(lines[:SHOWN], max(0, len(lines) - SHOWN)) for lines in (live, silent) if lines]
        title = phrase("Status of {service}", service=service.name) if service else phrase("Status")
        return said(
            title,
            *blocks,
            tone=_tone(chosen, silent),
            buttons=(Button(phrase("Alerts"), "alerts"), Button(phrase("SLOs"), "slo")),
        )

    example = services.names[0] if services.names else "api"
    return Command(
        ("status", "статус"),
        "status [service]",
        phrase("one screen of what matters now"),
        run,
        examples=("status", f"status {example}"),
    )


def _alerts(groups: tuple[Group, ...]) -> Phrase:
    counts = Counter(group.severity for group in groups)
    parts = {level: counts[level] for level in SEVERITIES if counts[level]}
    if not parts:
        return phrase("nothing is firing")
    values: dict[str, Phrase] = {
        level: phrase("{level}: {n}", n=count, level=SEVERITY_WORDS[level]) for level, count in parts.items()
    }
    return Phrase(", ".join(f"{{{level}}}" for level in parts), values)


async def _rollouts(cluster: Cluster, services: Iterable[Service]) -> tuple[tuple[Phrase, Phrase], ...]:
    async def one(service: Service) -> tuple[Phrase, Phrase]:
        return verbatim(service.name), await _running(cluster, service)

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one(service)) for service in services]
    return tuple(task.result() for task in tasks)


async def _running(cluster: Cluster, service: Service) -> Phrase:
    parts: dict[str, Phrase] = {}
    for environment in service.production:
        try:
            rollout = await cluster.rollout(workload(environment))
            said_ = phrase(
                "{cluster} {ready}/{desired}", cluster=environment.cluster, ready=rollout.ready, desired=rollout.desired
            )
        except (TemporaryError, UserError):
            said_ = phrase("{cluster} unknown", cluster=environment.cluster)
        parts[f"e{len(parts)}"] = said_
    return Phrase(", ".join(f"{{{name}}}" for name in parts), parts)


async def _budgets(metrics: Metrics | None, slos: Iterable[Slo]) -> tuple[tuple[Phrase, Phrase], ...]:
    if metrics is None:
        return ()
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(standing(metrics, slo)) for slo in slos if slo.kind != "freshness"]
    return tuple(
        (
            phrase("{service} {name}", service=item.slo.service, name=item.slo.name),
            phrase("unknown")
            if item.left is None
            else phrase("{left} of the budget left", left=Quantity(item.left * 100, "%", 0)),
        )
        for item in (task.result() for task in tasks)
    )


def _tone(groups: tuple[Group, ...], silent: tuple[Phrase, ...]) -> Tone:
    if any(group.severity == "critical" for group in groups):
        return Tone.CRITICAL
    return Tone.WARNING if groups or silent else Tone.OK
