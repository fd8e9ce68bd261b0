"""``pods <service>``: its pods in every cluster, in words a person understands."""

from __future__ import annotations

import asyncio

from bot.domain.errors import TemporaryError, UserError
from bot.domain.messages import Block, Lines, Paragraph, Table, Tone
from bot.domain.phrases import Code, Phrase, phrase, verbatim
from bot.domain.services import Catalogue, Environment
from bot.ports.cluster import Cluster, Pod
from bot.ports.commands import Call, Command, Reply
from handlers.commands.replies import argument, said, workload

SHOWN = 30


def duty(cluster: Cluster, services: Catalogue) -> Command:
    """All clusters are asked at once; one that is out of reach says so while the others answer."""

    async def run(call: Call) -> Reply:
        service = services.named(argument(call, 0, "pods <service>"))
        places = (
            tuple(e for e in service.environments if e.name == call.args[1]) or (service.environment(call.args[1]),)
            if len(call.args) > 1
            else service.production
        )
        async with asyncio.TaskGroup() as group:
            tasks = [(place, group.create_task(_pods(cluster, place))) for place in places]
        found = [(place, task.result()) for place, task in tasks]
        known = [pod for _, pods in found if not isinstance(pods, Phrase) for pod in pods]
        ready, total = sum(pod.ready for pod in known), len(known)
        blocks = [block for place, pods in found for block in _blocks(place, pods)]
        healthy = 0 < ready == total and not any(isinstance(pods, Phrase) for _, pods in found)
        title = phrase("{service}: {ready} of {total} pods ready", service=service.name, ready=ready, total=total)
        return said(title, *blocks, tone=Tone.OK if healthy else Tone.WARNING)

    example = services.names[0] if services.names else "api"
    return Command(
        ("pods", "поды"), "pods <service>", phrase("its pods, and what ails them"), run, examples=(f"pods {example}",)
    )


async def _pods(cluster: Cluster, place: Environment) -> tuple[Pod, ...] | Phrase:
    """The pods, or why they are not known."""
    try:
        return await cluster.pods(workload(place))
    except TemporaryError:
        return phrase("{cluster} does not answer: nothing is known of its pods.", cluster=Code(place.cluster))
    except UserError as error:
        return error.phrase


def _blocks(place: Environment, pods: tuple[Pod, ...] | Phrase) -> tuple[Block, ...]:
    if isinstance(pods, Phrase):
        return (Paragraph(pods),)
    header = (phrase("Pod"), phrase("State"), phrase("Restarts"), phrase("Node"))
    rows = tuple(_row(pod) for pod in pods[:SHOWN])
    table = (Table(header, rows),) if rows else ()
    troubles = tuple(phrase("{pod}: {trouble}", pod=Code(pod.name), trouble=pod.trouble) for pod in pods if pod.trouble)
    more = (Lines(troubles),) if troubles else ()
    return (
        Paragraph(phrase("{environment} in {cluster}", environment=place.name, cluster=place.cluster)),
        *table,
        *more,
    )


def _row(pod: Pod) -> tuple[Phrase, ...]:
    state = phrase("ready") if pod.ready else verbatim(pod.phase)
    return (verbatim(pod.name), state, phrase("{n}", n=pod.restarts), verbatim(pod.node or "–"))
