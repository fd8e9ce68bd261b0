"""What disruption budgets would say to evictions now: each is rehearsed, nothing goes."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from bot.domain.errors import TemporaryError, UserError
from bot.domain.phrases import Code, Phrase, counted, phrase
from bot.ports.evictions import Evictions, Standing

AT_ONCE = 8
"""Questions to one API server."""
DEADLINE = 10.0
"""Seconds for all of them; what did not answer by then is unknown."""
NAMED = 5
"""Pods that can't go now and are named."""

Evidence = tuple[tuple[Phrase, Phrase], ...]


async def rehearsal(evictions: Evictions, pods: Sequence[Standing]) -> Evidence:
    """Rows for a plan's card: how many might go now, and why the others might not."""
    said = await answers(evictions, pods)
    refused = [(pod, said[pod.uid]) for pod in pods if said.get(pod.uid) is not None]
    able, unknown = sum(pod.uid in said for pod in pods) - len(refused), sum(pod.uid not in said for pod in pods)
    said_so = counted("{able} of {n} pod might go now", "{able} of {n} pods might go now, one at a time", len(pods),
                      able=able)  # fmt: skip
    rows = [(phrase("Rehearsed"), said_so)]
    rows += [(phrase("{pod}", pod=Code(pod.name)), why) for pod, why in refused[:NAMED] if why is not None]
    if len(refused) > NAMED:
        rows.append(
            (phrase("And more"), counted("{n} pod can't go now", "{n} pods can't go now", len(refused) - NAMED))
        )
    if unknown:
        rows.append(
            (
                phrase("Unknown"),
                counted("of {n} pod the API server did not say", "of {n} pods the API server did not say", unknown),
            )
        )
    return tuple(rows)


async def answers(evictions: Evictions, pods: Sequence[Standing]) -> Mapping[str, Phrase | None]:
    """By uid: None where it might go, else why not. One that is missing is unknown."""
    said: dict[str, Phrase | None] = {}
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(pod: Standing) -> None:
        async with gate:
            try:
                said[pod.uid] = await evictions.evict(pod, rehearse=True)
            except UserError as error:
                said[pod.uid] = error.phrase
            except TemporaryError as error:
                said[pod.uid] = error.said or phrase("the API server does not answer")

    try:
        async with asyncio.timeout(DEADLINE), asyncio.TaskGroup() as group:
            for pod in pods:
                group.create_task(one(pod))
    except TimeoutError:
        pass
    return said
