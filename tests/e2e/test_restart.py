"""A restart of twenty pods under a disruption budget while users ask on: all are served, and a bad image stops it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from bot.simulator.kubernetes import pods
from bot.simulator.kubernetes.kinds import BUDGET, DEPLOYMENT, POD
from bot.simulator.kubernetes.wire import labels_of, name_of, namespace_of
from tests.department import Department, until
from tests.pult_process import Pult
from tests.releasing import says

pytestmark = pytest.mark.timeout(240)
TWENTY, NEEDED = 20, 19
"""Pods of api, and how many of them its users need at any moment: what the budget leaves."""


class Users:
    """They ask at every change of any pod, so that no moment is missed, however short."""

    def __init__(self, department: Department) -> None:
        self._store = department.cluster("nyc2").store
        self._serving = {name_of(pod): pods.ready(pod) for pod in self._store.all(POD, "production") if _api(pod)}
        self._seen = self._store.version
        self.asked = self.failed = 0
        self.fewest = sum(self._serving.values())

    @asynccontextmanager
    async def asking(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self._ask())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait({task})
        self._catch_up()

    async def _ask(self) -> None:
        while True:
            self._catch_up()
            await self._store.news(0.05)

    def _catch_up(self) -> None:
        for change in self._store.changes(POD, self._seen):
            self._seen = change.version
            if namespace_of(change.after) == "production" and _api(change.after):
                self._serving[name_of(change.after)] = not change.deleted and pods.ready(change.after)
                serving = sum(self._serving.values())
                self.asked, self.failed = self.asked + 1, self.failed + (serving < NEEDED)
                self.fewest = min(self.fewest, serving)


def _api(pod: dict) -> bool:
    return labels_of(pod).get("app") == "api"


async def twenty(department: Department) -> set[str]:
    """Api has twenty pods, one of which may be missing; a rolling restart starts new ones first. Their names."""
    store = department.cluster("nyc2").store
    found = department.deployment("api")
    rolling = {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 4}}
    store.put(DEPLOYMENT, found | {"spec": found["spec"] | {"replicas": TWENTY, "strategy": rolling}})
    assert store.get(BUDGET, "production", "api")["spec"]["maxUnavailable"] == 1

    async def there() -> bool:
        return department.deployment("api")["status"].get("availableReplicas") == TWENTY

    await until("there are no twenty pods", there)
    return names(department)


def names(department: Department) -> set[str]:
    return {name_of(pod) for pod in department.cluster("nyc2").store.all(POD, "production") if _api(pod)}


def evictions(department: Department) -> int:
    return sum(call.resource == "pods/eviction" for call in department.cluster("nyc2").calls)


async def test_by_eviction_nobody_notices(pult: Pult, department: Department) -> None:
    before, users = await twenty(department), Users(department)
    made = await pult.ask("anna", "restart api --evict")
    assert "20 of 20 pods might go now, one at a time" in made["text"]
    rehearsed = evictions(department)
    assert (rehearsed, names(department)) == (TWENTY, before)
    async with users.asking():
        assert (await pult.ask("boris", f"approve {made['op']}"))["ok"]
        await says(pult, made["op"], "of 20 pods are gone")
        card = await pult.becomes(made["op"], "succeeded", patience=150)
    assert "20 pods are replaced" in card
    assert names(department).isdisjoint(before)
    assert users.asked > 100
    assert (users.failed, users.fewest) == (0, NEEDED)
    assert evictions(department) >= rehearsed + TWENTY
    assert department.patches("api") == 0, "what they are made from stays"


async def test_a_rolling_restart_is_watched_and_serves_all_along(pult: Pult, department: Department) -> None:
    before, users = await twenty(department), Users(department)
    made = await pult.ask("anna", "restart api")
    assert "Roll 20 pods, new ones before old ones go" in made["text"]
    async with users.asking():
        await pult.ask("boris", f"approve {made['op']}")
        assert "20 of 20 pods available" in await pult.becomes(made["op"], "succeeded")
    assert names(department).isdisjoint(before)
    assert (users.failed, users.fewest) == (0, TWENTY)


async def test_an_image_that_is_gone_stops_it_and_it_is_taken_back(pult: Pult, department: Department) -> None:
    before, users = await twenty(department), Users(department)
    department.cluster("nyc2").runnable = lambda _: False
    ident = await pult.proposed("anna", "restart api")
    async with users.asking():
        await pult.ask("boris", f"approve {ident}")
        card = await pult.becomes(ident, "paused")
        assert "The rollout is stuck: " in card
        assert "has timed out progressing" in card
        assert "its image can't be pulled: registry.example/dept/api" in card
        assert (await pult.ask("anna", f"resume {ident} undo"))["ok"]
        card = await pult.becomes(ident, "undone")
    assert "api runs what it ran before the restart." in card
    assert "20 of 20 pods available" in card
    assert names(department) == before, "not one of them had to go"
    assert (users.failed, users.fewest) == (0, TWENTY)
    annotations = department.deployment("api")["spec"]["template"]["metadata"].get("annotations") or {}
    assert "pult.dev/operation" not in annotations
