"""The Logs port over the cluster itself: what containers that are still there have written."""

from __future__ import annotations

import asyncio
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import chain

from bot.adapters.kubernetes import containers, judge
from bot.adapters.kubernetes.client import Api
from bot.adapters.kubernetes.containers import Reading
from bot.adapters.kubernetes.found import pods_of
from bot.adapters.kubernetes.judge import Object
from bot.adapters.kubernetes.verdicts import GoneError
from bot.adapters.kubernetes.workloads import Workloads
from bot.domain import loglines
from bot.domain.errors import PultError, UserError
from bot.domain.phrases import Code, Phrase, counted, phrase
from bot.domain.services import Environment
from bot.ports.clock import Clock
from bot.ports.logs import Found, Line, Wanted

AT_ONCE = 8
"""Logs of one cluster that are read side by side: each is a connection from the API server to a kubelet."""
PODS = 40
"""Pods that are read for one question; more are named as a number."""
SEARCHED = 20_000
"""Lines of one container that are searched for a word."""
LINE_BYTES = 1_024
"""What a line may take on an average before a log is cut to its end."""
SKEW = timedelta(seconds=1)
"""How far a node's clock may be behind ours: lines younger than that are left to the next question, so that none is
lost between two."""
NAME = re.compile(r"[a-z0-9][a-z0-9.-]{0,252}")
"""A pod's name: apimachinery pkg/api/validation, NameIsDNSSubdomain."""
MOST = 4 * 1024 * 1024
"""Bytes of one container's log that are kept, some 25,000 lines; eight are held at once."""


@dataclass(frozen=True)
class _Part:
    """What one log said. ``cut``: it was longer."""

    lines: list[Line]
    cut: bool


@dataclass(frozen=True)
class _Reads:
    """What all logs said. ``lost``: some could not be read; of ``silent`` others have nothing to say."""

    parts: list[_Part]
    silent: list[Phrase]
    lost: bool


class KubernetesLogs:
    """Reads every container of a workload's pods; times are asked for as ages, so no clock but the kubelet's counts."""

    def __init__(self, apis: Mapping[str, Api], clock: Clock) -> None:
        self._workloads, self._clock = Workloads(apis), clock
        self._turns = {name: asyncio.Semaphore(AT_ONCE) for name in apis}

    async def lines(self, environment: Environment, wanted: Wanted) -> Found:
        """Merged by time."""
        until = max(wanted.since, wanted.until - SKEW)
        wanted = replace(wanted, until=until)
        pods = containers.chosen(await self._pods(environment, wanted.pod), wanted.pod)
        tail = SEARCHED if wanted.grep else wanted.limit
        reads = await self._read(environment, pods[:PODS], wanted, tail)
        found, cut = await asyncio.to_thread(merged, reads.parts, wanted)
        unread = len(pods) - PODS
        more = [counted("{n} other pod was not read", "{n} other pods were not read", unread)] if unread > 0 else []
        return Found(found, until, cut, (*reads.silent, *more))

    async def errors(self, environment: Environment, since: datetime, until: datetime) -> int | None:
        """None as well where anything of it could not be read whole."""
        wanted = Wanted(since, until)
        pods = await self._pods(environment)
        if len(pods) > PODS or not any(at <= until for at in containers.started(pods)):
            return None
        reads = await self._read(environment, pods, wanted, 0)
        if reads.lost or any(part.cut for part in reads.parts):
            return None
        return await asyncio.to_thread(_errors, reads.parts)

    async def check(self) -> str:
        """There is nothing of its own that could be down."""
        return "logs are read from the pods themselves"

    async def _pods(self, environment: Environment, name: str = "") -> list[Object]:
        """All of them, or only the one that bears the whole *name*: a workload may have thousands."""
        api, namespace = self._workloads.api(environment.cluster), environment.namespace
        selector = judge.selector(await self._workloads.of(environment))
        if NAME.fullmatch(name):
            only = f"metadata.name={name}"
            method = "list_namespaced_pod"
            found = await api.call("CoreV1Api", method, namespace, label_selector=selector, field_selector=only)
            if found.get("items"):
                return list(found["items"])
        return await pods_of(api, namespace, selector)

    async def _read(self, environment: Environment, pods: list[Object], wanted: Wanted, tail: int) -> _Reads:
        """Everything at once; what fails is told while the rest counts. Raises when all of it fails."""
        plan = list(chain.from_iterable(containers.readings(pod, wanted) for pod in pods))
        silent = [each for each in plan if isinstance(each, Phrase)]
        async with asyncio.TaskGroup() as group:
            tasks = [
                (each, group.create_task(self._part(environment, each, wanted, tail)))
                for each in plan
                if isinstance(each, Reading)
            ]
        parts, failed = [], []
        for reading, task in tasks:
            match task.result():
                case _Part() as part:
                    parts.append(part)
                case GoneError():  # between the list and this
                    continue
                case error:
                    failed.append(error)
                    silent.append(_why(reading, error))
        if failed and not parts:
            raise failed[0]
        return _Reads(parts, silent, bool(failed))

    async def _part(self, environment: Environment, reading: Reading, wanted: Wanted, tail: int) -> _Part | PultError:
        api = self._workloads.api(environment.cluster)
        age = (self._clock.now() - wanted.since).total_seconds()
        options = {"container": reading.container, "timestamps": True, "since_seconds": max(1, math.ceil(age) + 1)}
        if reading.previous:
            options["previous"] = True
        if tail:
            options["tail_lines"] = tail + 1
        most = min(MOST, tail * LINE_BYTES) or MOST
        try:
            async with self._turns[environment.cluster]:
                method, place = "read_namespaced_pod_log", (reading.pod, environment.namespace)
                text, partial = await api.text("CoreV1Api", method, *place, most=most, **options)
        except PultError as error:
            return error
        found = await asyncio.to_thread(containers.lines, text, reading.source, wanted, partial=partial)
        return _Part(found, partial or bool(tail and text.count("\n") > tail))


def merged(parts: Iterable[_Part], wanted: Wanted) -> tuple[tuple[Line, ...], bool]:
    """The newest lines of all sources, masked, oldest first, and whether there were more."""
    parts = list(parts)
    every = sorted(chain.from_iterable(part.lines for part in parts), key=lambda line: line.at)
    kept = every[-wanted.limit :]
    shown = dict[int, str]()
    for source in dict.fromkeys(line.source for line in kept):
        places = [at for at, line in enumerate(kept) if line.source == source]
        shown.update(zip(places, loglines.masked([kept[at].text for at in places]), strict=True))
    texts = [replace(line, text=shown[at]) for at, line in enumerate(kept)]
    found = tuple(line for line in texts if loglines.has(line.text, wanted.grep))
    return found, len(every) > len(kept) or any(part.cut for part in parts)


def _errors(parts: list[_Part]) -> int:
    return loglines.errors(line.text for part in parts for line in part.lines)


def _why(reading: Reading, error: PultError) -> Phrase:
    if isinstance(error, UserError):
        return phrase("{pod}: {trouble}", pod=Code(reading.source), trouble=error.phrase)
    return phrase("{pod}: its log did not come in time", pod=Code(reading.source))
