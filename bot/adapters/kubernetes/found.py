"""The API server of a cluster, and the pods that a selector finds, as raw JSON."""

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
    try:
        return await _pages(api, namespace, selector)
    except ExpiredError:  # a continue token lives for minutes only
        return await _pages(api, namespace, selector)


async def _pages(api: Api, namespace: str, selector: str) -> list[Object]:
    found: list[Object] = []
    options: dict[str, Any] = {"label_selector": selector, "limit": PAGE}
    while True:
        page = await api.call("CoreV1Api", "list_namespaced_pod", namespace, **options)
        found += page.get("items") or ()
        token = page.get("metadata", {}).get("continue")
        if not token:
            return found
        options["_continue"] = token
