"""The API server of a cluster, and all that a list there finds, as raw JSON."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any, TypeVar

from bot.adapters.kubernetes.census import Census
from bot.adapters.kubernetes.client import Api
from bot.adapters.kubernetes.judge import Object
from bot.adapters.kubernetes.verdicts import ExpiredError
from bot.domain.errors import UserError
from bot.domain.phrases import Code

T = TypeVar("T")
PAGE = 250
"""Objects of one part of a list: pods of 7 KB make 2 MB, which are parsed and judged in some 10 ms."""


def configured(apis: Mapping[str, Api], cluster: str) -> Api:
    """The API server of *cluster*. UserError: none is configured."""
    api = apis.get(cluster)
    if api is None:
        raise UserError("No cluster {name} is configured.", name=Code(cluster))
    return api


async def pods_of(api: Api, namespace: str, selector: str) -> list[Object]:
    """Every pod of a label selector, in pages."""
    return await paged(api, "CoreV1Api", "list_namespaced_pod", namespace, label_selector=selector)


async def paged(api: Api, group: str, method: str, *place: str, **options: object) -> list[Object]:
    """Everything that a list *method* of *group* finds at *place* (a namespace, or none)."""

    async def read() -> list[Object]:
        return [each async for page in pages(api, group, method, *place, **options) for each in page]

    return await anew(read)


async def census_of(api: Api, namespace: str, selector: str, now: datetime) -> Census:
    """The pods of a label selector, in cohorts, by what is news at *now*."""

    async def read() -> Census:
        census = Census(now)
        async for page in pages(api, "CoreV1Api", "list_namespaced_pod", namespace, label_selector=selector):
            census.add(page)
        return census

    return await anew(read)


async def anew(read: Callable[[], Awaitable[T]]) -> T:
    """What *read* finds by :func:`pages`; once more where it was too slow for them."""
    try:
        return await read()
    except ExpiredError:  # a continue token lives for minutes only
        return await read()


async def pages(
    api: Api, group: str, method: str, *place: str, **options: object
) -> AsyncGenerator[list[Object], None]:
    """The same part by part, so that nobody has to hold it all. ExpiredError: see :func:`anew`."""
    asked: dict[str, Any] = {"limit": PAGE, **options}
    while True:
        page = await api.call(group, method, *place, **asked)
        yield page.get("items") or []
        token = page.get("metadata", {}).get("continue")
        if not token:
            return
        asked["_continue"] = token
