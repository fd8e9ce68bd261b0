"""The Allocations port over OpenCost's HTTP API (opencost.io/docs/integrations/api)."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from decimal import Decimal
from math import isfinite
from typing import Any, Final

import aiohttp

from bot.adapters.opencost.settings import OpencostSettings
from bot.domain.costs import ZERO, Allocated, Place
from bot.domain.errors import TemporaryError, UserError
from bot.domain.hours import midnight
from bot.domain.money import exact, number

IDLE, UNALLOCATED, UNMOUNTED = "__idle__", "__unallocated__", "__unmounted__"
"""How OpenCost calls what nobody claimed, what belongs to no controller, and volumes that no pod mounts."""
OTHERS: Final = ("gpuCost", "networkCost", "sharedCost", "externalCost")


class OpencostAllocations:
    """Asks for whole days, each workload by itself, idle apart."""

    def __init__(self, settings: OpencostSettings, session: aiohttp.ClientSession) -> None:
        self._url, self._names, self._session = settings.url.rstrip("/"), settings.clusters, session

    async def allocations(self, start: datetime, end: datetime) -> tuple[Allocated, ...]:
        """See the port."""
        window = ",".join(f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}" for at in (start, end))
        asked = {
            "window": window, "step": "1d", "aggregate": "cluster,namespace,controller", "accumulate": "false",
            "includeIdle": "true", "idle": "true",
        }  # fmt: skip
        told = await self._call(asked)
        return tuple(found for part in told if isinstance(part, dict) for found in self._read(part))

    async def check(self) -> str:
        """How many clusters it reports."""
        told = await self._call({"window": "1d", "aggregate": "cluster", "accumulate": "true"})
        names = {name for part in told if isinstance(part, dict) for name in part if not name.startswith("__")}
        return f"{self._url} answers, and reports {', '.join(sorted(names)) or 'no cluster yet'}"

    async def _call(self, asked: Mapping[str, str]) -> list[Any]:
        try:
            async with self._session.get(f"{self._url}/allocation", params=asked) as answer:
                told = await answer.json(content_type=None) if answer.status < 300 else {}
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise TemporaryError(f"OpenCost does not answer ({type(error).__name__})") from error
        if 400 <= answer.status < 500 and answer.status != 429:
            raise UserError("OpenCost refuses this with {status}. See {section}.",
                            status=str(answer.status), section="[opencost]")  # fmt: skip
        data = told.get("data") if isinstance(told, dict) else None
        if not isinstance(data, list):
            raise TemporaryError(f"OpenCost answers {answer.status}, and no allocations")
        return data

    def _read(self, part: Mapping[str, Any]) -> Iterator[Allocated]:
        """One day. What can't be read is no answer: a part that is left out would make the whole look cheaper."""
        try:
            for name, item in part.items():
                yield self._allocated(name, item)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise TemporaryError("OpenCost does not answer (its allocations can't be read)") from error

    def _allocated(self, name: str, item: Mapping[str, Any]) -> Allocated:
        began = datetime.fromisoformat(item["window"]["start"]).astimezone(UTC)
        at = midnight(began)
        properties = item.get("properties") or {}
        ident = properties.get("cluster") or name.partition("/")[0]
        cluster = self._names.get(ident, ident)
        cpu, memory = _cost(item, "cpuCost"), _cost(item, "ramCost")
        if IDLE in name:
            return Allocated(at, Place(cluster), cpu + memory + _cost(item, "gpuCost"), idle=True)
        waste = exact(
            cpu * _unused(item, "cpuCoreRequestAverage", "cpuCoreUsageAverage")
            + memory * _unused(item, "ramByteRequestAverage", "ramByteUsageAverage")
        )
        balancers, volumes = _cost(item, "loadBalancerCost"), _cost(item, "pvCost")
        others = sum((_cost(item, each) for each in OTHERS), ZERO)
        place = Place(cluster, _known(properties.get("namespace")), _known(properties.get("controller")))
        return Allocated(
            at, place, cpu + memory + others + balancers + volumes - waste, waste, balancers=balancers, volumes=volumes
        )


def _cost(item: Mapping[str, Any], key: str) -> Decimal:
    """With the adjustment that reconciles it with the provider's bill."""
    return sum((_number(item, each) for each in (key, f"{key}Adjustment")), ZERO)


def _number(item: Mapping[str, Any], key: str) -> Decimal:
    value = item.get(key) or 0
    if not isinstance(value, int | float) or not isfinite(value):
        raise ValueError(key)
    return exact(number(value))


def _unused(item: Mapping[str, Any], asked: str, used: str) -> Decimal:
    """The share of a claim (the larger of both) that was not used."""
    wanted, had = _number(item, asked), _number(item, used)
    return (wanted - had) / wanted if wanted > had else ZERO


def _known(name: str | None) -> str:
    return "" if name in {None, UNALLOCATED, UNMOUNTED} else str(name)


@asynccontextmanager
async def open_allocations(settings: OpencostSettings) -> AsyncGenerator[OpencostAllocations, None]:
    """Connects at the first call."""
    token = settings.token
    headers = {"Authorization": f"Bearer {token.get_secret_value()}"} if token else {}
    timeout = aiohttp.ClientTimeout(total=settings.timeout.total_seconds())
    async with aiohttp.ClientSession(timeout=timeout, headers=headers) as session:
        yield OpencostAllocations(settings, session)
