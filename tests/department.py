"""The simulated department as its people, its faults and its chats, over HTTP."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, TypeVar

import aiohttp

from bot.simulator.digitalocean.state import Cloud
from bot.simulator.github.state import Forge
from bot.simulator.kubernetes.cluster import Cluster
from bot.simulator.kubernetes.kinds import DEPLOYMENT
from bot.simulator.kubernetes.state import Clusters
from bot.simulator.server import Simulation
from bot.simulator.slack import COURIER, Workspace
from bot.simulator.telegram import Telegram

T = TypeVar("T")
Json = dict[str, Any]
PATIENCE = 60.0
"""Seconds anything may take to become true; far more than it takes, so that a busy machine fails nothing."""
LOOK_EVERY = 0.05
INCIDENTS, OPS = "C0INC", "C0OPS"
INCIDENTS_TG, OPS_TG = -1001000000001, -1001000000002


async def until(what: str, look: Callable[[], Awaitable[T | None]], patience: float = PATIENCE) -> T:
    """The first result of *look* that is something; AssertionError, with *what*, when there is none in time."""
    ends = time.monotonic() + patience
    while True:
        if found := await look():
            return found
        assert time.monotonic() < ends, what
        await asyncio.sleep(LOOK_EVERY)


@asynccontextmanager
async def always(look: Callable[[], None], pause: float) -> AsyncIterator[None]:
    """*look* every *pause* seconds, and fail with whatever it raised."""

    async def watch() -> None:
        while True:
            look()
            await asyncio.sleep(pause)

    watching = asyncio.create_task(watch())
    try:
        yield
        assert not watching.done(), watching.exception()
    finally:
        watching.cancel()


class Department:
    """The simulator as its people and its faults, over HTTP; ``simulation`` to look inside."""

    def __init__(self, simulation: Simulation, session: aiohttp.ClientSession) -> None:
        self.simulation, self.session, self.url = simulation, session, simulation.url

    async def world(self) -> Json:
        return await self._get("/world")

    async def happens(self, what: str, **body: object) -> Json:
        return await self._post(f"/world/{what}", body)

    async def fault(self, fault: str, target: str, **body: object) -> None:
        await self.happens("fault", fault=fault, target=target, **body)

    async def recovers(self) -> None:
        async with self.session.delete(f"{self.url}/world/fault") as answer:
            answer.raise_for_status()

    async def slack(self, act: str, **body: object) -> Json:
        """Somebody does something in Slack, once pult is connected to hear it."""
        if act in {"slash", "press"}:
            await until("pult does not listen to Slack", self._listened_to)
        return await self._done("slack", act, body)

    async def telegram(self, act: str, **body: object) -> Json:
        """Somebody does something in Telegram."""
        return await self._done("telegram", act, body)

    async def slack_messages(self, channel: str = "", text: str = "") -> list[Json]:
        """Messages that pult has posted in *channel* (anywhere) that hold *text* in any revision, oldest first."""
        query = f"?channel={channel}" if channel else ""
        found = (await self._get(f"/slack/_drive/messages{query}"))["messages"]
        return [m for m in found if m["author"] == "U0PULT" and not m["receiver"] and holds(m, text)]

    async def slack_answers(self, user: str) -> list[Json]:
        """What only *user* saw: ephemeral messages and direct ones."""
        return list((await self._get(f"/slack/_drive/answers?user={user}"))["messages"])

    async def slack_seen(self, user: str) -> list[Json]:
        """Everything pult said to *user* alone, wherever it stands."""
        direct = await self.slack_messages(f"D{user[1:]}")
        return [*(m for m in await self.slack_answers(user) if m["author"] == "U0PULT"), *direct]

    async def telegram_messages(self, chat: int | str = "", text: str = "") -> list[Json]:
        """Messages that pult has posted in *chat* (anywhere) that hold *text* in any revision, oldest first."""
        query = f"?chat={chat}" if chat else ""
        found = (await self._get(f"/telegram/_drive/messages{query}"))["messages"]
        return [m for m in found if m["author"] == 424242 and holds(m, text)]

    async def cards(self, text: str, *, slack: str = INCIDENTS, telegram: int = INCIDENTS_TG) -> list[Json]:
        """Messages with *text* that are no replies: what stands for something, not what is said under it."""
        posted = [m for m in await self.slack_messages(slack, text) if not m["thread_ts"]]
        return [*posted, *(m for m in await self.telegram_messages(telegram, text) if m["reply_to"] is None)]

    async def telegram_presses(self, user: int) -> list[Json]:
        return list((await self._get(f"/telegram/_drive/answers?user={user}"))["presses"])

    async def menus(self) -> list[Json]:
        """Telegram's lists of commands, by scope and language."""
        return list((await self._get("/telegram/_drive/commands"))["commands"])

    async def calls(self, platform: str, method: str) -> list[Json]:
        return list((await self._get(f"/{platform}/_drive/calls?method={method}"))["calls"])

    async def shows(self, text: str, *, slack: str = INCIDENTS, telegram: int = INCIDENTS_TG) -> tuple[Json, Json]:
        """Wait until both chats show *text* now; the newest such message of each."""
        return (
            await until(f"Slack {slack} does not show {text!r}", lambda: self._now(self.slack_messages(slack), text)),
            await until(
                f"Telegram {telegram} does not show {text!r}", lambda: self._now(self.telegram_messages(telegram), text)
            ),
        )

    async def slack_shows(self, text: str, channel: str = INCIDENTS) -> Json:
        return await until(
            f"Slack {channel} does not show {text!r}", lambda: self._now(self.slack_messages(channel), text)
        )

    async def telegram_shows(self, text: str, chat: int = INCIDENTS_TG) -> Json:
        return await until(
            f"Telegram {chat} does not show {text!r}", lambda: self._now(self.telegram_messages(chat), text)
        )

    # --- what cannot be seen from outside of the department ---

    def deployment(self, name: str, namespace: str = "production", region: str = "nyc2") -> Json:
        return self.cluster(region).store.get(DEPLOYMENT, namespace, name)

    def patches(self, name: str, region: str = "nyc2") -> int:
        """How many changes of the Deployment were asked for, over everything that ever called."""
        changes = {"patch", "update"}
        calls = self.cluster(region).calls
        return sum(call.verb in changes and (call.resource, call.name) == ("deployments", name) for call in calls)

    def cluster(self, region: str) -> Cluster:
        clusters = self.simulation.world.clusters
        assert isinstance(clusters, Clusters)
        return clusters.cluster(region)

    @property
    def cloud(self) -> Cloud:
        cloud = self.simulation.world.cloud
        assert isinstance(cloud, Cloud)
        return cloud

    def one_writer(self, pause: float = 0.0) -> AbstractAsyncContextManager[None]:
        """Promise 19, looked at every *pause* seconds: at no instant do two databases take writes."""

        def look() -> None:
            writable = self.cloud.writable()
            assert len(writable) < 2, f"several databases take writes: {writable}"

        return always(look, pause)

    def commits(self, repository: str) -> int:
        """How many commits the repository's main branch has."""
        forge = self.simulation.world.github
        assert isinstance(forge, Forge)
        history = forge.repository(repository).history
        tip = history.resolve("main")
        return len(history.log(tip)) if tip else 0

    def uploads(self) -> list[bytes]:
        """Every file that was sent to either chat."""
        slack, telegram = self.simulation.world.slack, self.simulation.world.telegram
        assert isinstance(slack, Workspace)
        assert isinstance(telegram, Telegram)
        return [upload.content for upload in slack.shelf.files.values() if upload.content] + [*telegram.files.values()]

    async def _done(self, platform: str, act: str, body: Json) -> Json:
        """A button that is not there yet is waited for."""
        path = f"/{platform}/_drive/{act}"
        if act != "press" or "forge" in body:
            return await self._post(path, body)

        async def pressed() -> Json | None:
            async with self.session.post(self.url + path, json=body) as answer:
                found: Json = await answer.json()
            assert answer.status < 400 or "sees no button" in found["error"], found
            return found if answer.status < 400 else None

        return await until(f"{path} {body}: there is no such button", pressed)

    async def _listened_to(self) -> bool:
        found = await self._get("/slack/_drive/deliveries")
        return bool(found["sockets"]) or self.simulation.surfaces["/slack"][COURIER].target is not None

    async def _now(self, messages: Awaitable[list[Json]], text: str) -> Json | None:
        return next((m for m in reversed(await messages) if text in shown(m) and not m["deleted_at"]), None)

    async def _get(self, path: str) -> Json:
        async with self.session.get(self.url + path) as answer:
            found: Json = await answer.json()
            assert answer.status == 200, found
            return found

    async def _post(self, path: str, body: object) -> Json:
        async with self.session.post(self.url + path, json=body) as answer:
            found: Json = await answer.json()
            assert answer.status < 400, f"{path} {body}: {found}"
            return found


def shown(message: Json) -> str:
    """Everything a reader sees of a message now."""
    return message["text"] + "\n" + json.dumps(message.get("blocks") or "", ensure_ascii=False)


def holds(message: Json, text: str) -> bool:
    """Whether any revision says *text*."""
    return any(text in json.dumps(revision, ensure_ascii=False) for revision in message["revisions"])
