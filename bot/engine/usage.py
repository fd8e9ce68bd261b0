"""Usage from Prometheus: one question a figure, over all pods and containers of a workload at once."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Mapping
from datetime import timedelta
from typing import Final, TypeVar

from bot.domain.errors import PermanentError, TemporaryError
from bot.domain.messages import Points
from bot.domain.services import Environment
from bot.domain.sizing import SHARE, STEP, WINDOW
from bot.domain.usage import Pods, Usage, highest, merged
from bot.engine.costqueries import REAL, SAFE, naming
from bot.ports.clock import Clock
from bot.ports.metrics import Metrics, Reading, Series

T = TypeVar("T")
PATIENCE: Final = 10.0
"""Seconds for all questions together; two weeks at 75 s take Prometheus a while."""
HOUR: Final = timedelta(hours=1)
PODS: Final = {
    "deployment": f"-{SAFE}{{1,10}}-{SAFE}{{5}}", "rollout": f"-{SAFE}{{1,10}}-{SAFE}{{5}}",
    "daemonset": f"-{SAFE}{{5}}", "statefulset": "-[0-9]+",
}  # fmt: skip
"""How each kind names its pods, behind its own name."""
_BY: Final = "by (region, cluster, pod, container)"
_OVER: Final = f"[{WINDOW.days}d:{int(STEP.total_seconds())}s]"


class PrometheusUsage:
    """``regions`` of each cluster tell whose series are meant. Without *metrics* nothing is known."""

    def __init__(
        self, metrics: Metrics | None, clock: Clock, regions: Mapping[str, str], patience: float = PATIENCE
    ) -> None:
        self._metrics, self._clock, self._patience = metrics, clock, patience
        self._named = naming(regions)

    async def usage(self, environment: Environment) -> Usage:
        """All questions at once; each fails alone."""
        if self._metrics is None:
            return Usage(silent=frozenset(("cpu", "memory")))
        end = self._clock.now().replace(minute=0, second=0, microsecond=0)
        figures, curves = figure_queries(environment), curve_queries(environment)
        async with asyncio.TaskGroup() as group:
            read = {
                name: group.create_task(self._tried(self._metrics.query(text, self._clock.now())))
                for name, text in figures.items()
            }
            drawn = {
                name: group.create_task(self._tried(self._metrics.span(text, end - WINDOW, end, HOUR)))
                for name, text in curves.items()
            }
        told = {name: task.result() for name, task in read.items()}
        hours = {name: task.result() for name, task in drawn.items()}
        return Usage(
            merged({name: self._pods(each, environment.cluster) for name, each in told.items() if each}),
            self._curves(hours["cpu"], environment.cluster),
            self._curves(hours["memory"], environment.cluster),
            frozenset(_silent(told)),
        )

    async def _tried(self, work: Awaitable[T]) -> T | None:
        """None: no answer in time, or a refusal (too many samples for this Prometheus, say)."""
        try:
            async with asyncio.timeout(self._patience):
                return await work
        except (TemporaryError, PermanentError, TimeoutError):
            return None

    def _pods(self, reading: Reading, cluster: str) -> Pods:
        found: dict[tuple[str, str], float] = {}
        for sample in reading.samples:
            if self._named(sample.labels) == cluster and "pod" in sample.labels:
                found[sample.labels.get("container", ""), sample.labels["pod"]] = sample.value
        return found

    def _curves(self, series: tuple[Series, ...] | None, cluster: str) -> Mapping[str, Points]:
        found: dict[str, list[Points]] = {}
        for each in series or ():
            if self._named(each.labels) == cluster:
                found.setdefault(each.labels.get("container", ""), []).append(each.points)
        return {container: highest(every) for container, every in found.items()}


def figure_queries(environment: Environment) -> Mapping[str, str]:
    """Instant queries by the name of the figure that each tells of each pod's containers.

    The comparison drops what is not a number, which would stand below every other in a percentile. A kill is known by
    the limit under which the container was when it last died of it.
    """
    here = _selector(environment)
    cpu = f"(max {_BY} (rate(container_cpu_usage_seconds_total{{{here}}}[5m])) >= 0){_OVER}"
    memory = f"(max {_BY} (container_memory_working_set_bytes{{{here}}}) >= 0){_OVER}"
    limit = f'max {_BY} (kube_pod_container_resource_limits{{resource="memory",{here}}})'
    reason = f'max {_BY} (kube_pod_container_status_last_terminated_reason{{reason="OOMKilled",{here}}}) == 1'
    killed = f"({limit} and on (region, cluster, pod, container) ({reason})){_OVER}"
    return {
        "cpu": f"quantile_over_time({SHARE}, {cpu})", "cpu_points": f"count_over_time({cpu})",
        "memory": f"max_over_time({memory})", "memory_points": f"count_over_time({memory})",
        "killed": f"max_over_time({killed})",
    }  # fmt: skip


def curve_queries(environment: Environment) -> Mapping[str, str]:
    """Range queries, hour by hour: the mean of an hour in cores, its peak in bytes."""
    here, by = _selector(environment), "by (region, cluster, container)"
    hour = f"[1h:{int(STEP.total_seconds())}s]"
    return {
        "cpu": f"max {by} (rate(container_cpu_usage_seconds_total{{{here}}}[1h]))",
        "memory": f"max {by} (max_over_time(container_memory_working_set_bytes{{{here}}}{hour}))",
    }


def _selector(environment: Environment) -> str:
    pods = re.escape(environment.workload).replace("\\", "\\\\") + PODS[environment.kind]
    return f'namespace="{environment.namespace}",pod=~"{pods}",{REAL.strip("{}")}'


def _silent(told: Mapping[str, Reading | None]) -> set[str]:
    """Resources with a question that was not, or not wholly, answered. Kills count for memory."""
    partial = {name for name, reading in told.items() if reading is None or reading.warnings}
    return {"cpu" if name.startswith("cpu") else "memory" for name in partial}
