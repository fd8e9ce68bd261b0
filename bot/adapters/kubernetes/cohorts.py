"""A cohort in words, from its pods and what was heard of its example. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final, TypeAlias

from bot.adapters.kubernetes import judge_deaths, judge_images, judge_nodes
from bot.adapters.kubernetes.census import Gathered
from bot.adapters.kubernetes.inquiry import Heard
from bot.domain.loglines import brief
from bot.domain.phrases import Phrase, phrase
from bot.ports.diagnoses import Cohort, Health, Killed

Object: TypeAlias = dict[str, Any]
TEXT: Final = 200
"""Characters of an event's sentence."""


def cohort(gathered: Gathered, heard: Heard | None) -> Cohort:
    """*heard* is None where nothing more was asked."""
    names = [pod.name for pod in gathered.pods]
    trouble, details = gathered.trouble, tuple[Phrase, ...]()
    if heard is not None:
        trouble, details = _trouble(gathered, heard), tuple(_details(gathered, heard))
    death = heard.death if heard else None
    return Cohort(
        health=gathered.health,
        names=tuple(names),
        restarts=sum(pod.restarts for pod in gathered.pods),
        nodes=tuple(dict.fromkeys(pod.node for pod in gathered.pods if pod.node)),
        trouble=trouble,
        details=details,
        killed=Killed(names[0], death.container, death.at, death.limit) if death and death.memory else None,
        died=death is not None and death.reason not in judge_deaths.NOT_STARTED,
    )


def _trouble(gathered: Gathered, heard: Heard) -> Phrase | None:
    """The events say more of an image than the pod does, which only waits."""
    for container, waiting in _pulling(gathered.example):
        said = (str(event.get("message") or "") for event in heard.events if event.get("reason") == "Failed")
        told = (waiting.get("message") or "", *said)
        return judge_images.words(str(container.get("image", "")), str(waiting["reason"]), told)
    return gathered.trouble


def _pulling(pod: Object) -> Iterator[tuple[Object, Object]]:
    status = pod.get("status") or {}
    for each in (*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())):
        waiting = (each.get("state") or {}).get("waiting") or {}
        if waiting.get("reason") in judge_images.FAILING:
            yield each, waiting


def _details(gathered: Gathered, heard: Heard) -> Iterator[Phrase]:
    match gathered.health:
        case Health.PENDING:
            yield from judge_nodes.compared(gathered.example, heard.nodes, heard.taken)
        case Health.UNREADY:
            if said := judge_deaths.unready(heard.events):
                yield said
        case Health.STARTING:
            yield from _hindered(heard.events)
        case _:
            if heard.death:
                yield from judge_deaths.details(heard.death, heard.events, heard.using)
            elif not any(True for _ in _pulling(gathered.example)):
                yield from _hindered(heard.events)


def _hindered(events: Iterable[Object]) -> Iterator[Phrase]:
    """The last warning about a pod that does not get going: a volume, a sandbox, a secret that is missing."""
    for event in events:
        if event.get("type") == "Warning" and event.get("reason") != "BackOff":
            yield phrase(
                "its last event: {text}", text=brief(str(event.get("message") or event.get("reason") or ""), TEXT)
            )
            return
