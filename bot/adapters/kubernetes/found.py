"""The API server of a cluster, and all that a list there finds, as raw JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.adapters.kubernetes.client import Api
from bot.adapters.kubernetes.judge import Object
from bot.adapters.kubernetes.verdicts import ExpiredError
from bot.domain.errors import UserError
from bot.domain.phrases import Code

PAGE = 500


def configured(apis: Mapping[str, Api], cluster: str) -> Api:
    """The API server of *cluster*. UserError: none is configured."""
    api = apis.get(cluster)
    if api is None:
        raise UserError("No cluster {name} is configured.", name=Code(cluster))
    return api


async def pods_of(api: Api, namespace: str, selector: str) -> list[Object]:
    """Every pod of a label selector, in pages."""
    return await paged(api, "CoreV1Api", "list_namespaced_pod", namespace, label_selector=selector)


async def paged(api: Api, group: str, method: str, namespace: str, **options: object) -> list[Object]:
    """Everything that a list *method* of *group* finds, in pages."""
    try:
        return await _pages(api, group, method, namespace, options)
    except ExpiredError:  # a continue token lives for minutes only
        return await _pages(api, group, method, namespace, options)


async def _pages(api: Api, group: str, method: str, namespace: str, options: Mapping[str, object]) -> list[Object]:
    found: list[Object] = []
    asked: dict[str, Any] = {**options, "limit": PAGE}
    while True:
        page = await api.call(group, method, namespace, **asked)
        found += page.get("items") or ()
        token = page.get("metadata", {}).get("continue")
        if not token:
            return found
        asked["_continue"] = token
