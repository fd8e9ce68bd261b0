"""Groups and their notifications: waits, repeats, retries and de-duplication as in Alertmanager."""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from bot.simulator.alertmanager import payload
from bot.simulator.alertmanager.alerts import Alert
from bot.simulator.alertmanager.silences import Silences
from bot.simulator.alertmanager.timing import Timing
from bot.simulator.webhooks import Outbound
from bot.simulator.world import World

WATCHDOG: Final = "Watchdog"
PATH: Final = "/webhooks/alertmanager"
_AGENT: Final = "Alertmanager/0.25.0"
_GROWTH: Final = 1.5
_LONGEST: Final = 60.0
"""Back-off: factor and longest wait in seconds, as cenkalti/backoff has them by default."""
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Told:
    """The last notification a receiver took: fingerprints by state, and when."""

    firing: frozenset[str]
    resolved: frozenset[str]
    at: datetime


@dataclass
class Group:
    key: str
    labels: Mapping[str, str]
    repeat: float
    """Wall seconds after which an unchanged group is told again."""
    alerts: dict[str, Alert] = field(default_factory=dict)


class Dispatcher:
    """One task for each group. `run` must be running for anything to be sent."""

    def __init__(self, world: World, silences: Silences, outbound: Outbound, timing: Timing) -> None:
        self._world = world
        self._silences = silences
        self._outbound = outbound
        self._timing = timing
        self._arrivals: asyncio.Queue[Group] = asyncio.Queue()
        self._told: dict[str, Told] = {}
        self.groups: dict[str, Group] = {}

    def insert(self, alert: Alert) -> None:
        labels = payload.grouped(alert.labels)
        watchdog = alert.labels.get("alertname") == WATCHDOG
        key = payload.group_key('{}/{alertname="Watchdog"}' if watchdog else "{}", labels)
        group = self.groups.get(key)
        if group is None:
            repeat = self._timing.watchdog if watchdog else self._timing.repeat
            group = self.groups[key] = Group(key, labels, repeat)
            self._arrivals.put_nowait(group)
        group.alerts[alert.fingerprint] = alert

    async def run(self) -> None:
        """Serve groups until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            while True:
                group = await self._arrivals.get()
                tasks.create_task(self._serve(group), name=f"alert group {group.key}")

    async def _serve(self, group: Group) -> None:
        await asyncio.sleep(self._timing.wait)
        while True:
            await self.flush(group)
            if not group.alerts:
                self.groups.pop(group.key, None)
                return
            await asyncio.sleep(self._timing.interval)

    async def flush(self, group: Group) -> None:
        """Notify if there is news; forget resolved alerts unless the receiver failed to take them."""
        now = self._world.clock.now()
        shown = dict(group.alerts)
        loud = [alert for alert in shown.values() if not self._silences.muting(alert.labels)]
        if loud and not await self._notify(group, loud, now):
            return
        for mark, alert in shown.items():
            if alert.resolved(now) and group.alerts.get(mark) is alert:
                del group.alerts[mark]

    async def _notify(self, group: Group, alerts: list[Alert], now: datetime) -> bool:
        firing = frozenset(alert.fingerprint for alert in alerts if not alert.resolved(now))
        resolved = frozenset(alert.fingerprint for alert in alerts if alert.resolved(now))
        if not self._news(group, firing, resolved, now):
            return True
        body = payload.body(group.key, group.labels, alerts, now, self._timing.external_url)
        taken = await self._send(body)
        if taken:
            self._told[group.key] = Told(firing, resolved, now)
        return taken

    def _news(self, group: Group, firing: frozenset[str], resolved: frozenset[str], now: datetime) -> bool:
        """Alertmanager's DedupStage.needsUpdate, in its order."""
        told = self._told.get(group.key)
        if told is None:
            return bool(firing)
        if not firing <= told.firing:
            return True
        if not firing:
            return bool(told.firing)
        if not resolved <= told.resolved:
            return True
        return (now - told.at).total_seconds() >= group.repeat

    async def _send(self, body: bytes) -> bool:
        """Whether it was taken: 5xx and network errors are tried again until the time-out, 4xx are not."""
        if not self._outbound.target.url:
            return False
        headers = {"User-Agent": _AGENT, "Content-Type": "application/json", **self._authorization()}
        wait = self._timing.retry
        try:
            async with asyncio.timeout(self._timing.patience):
                while True:
                    status = await self._outbound.post(PATH, body, headers)
                    if status is not None and status < 500:
                        return status < 300
                    await asyncio.sleep(wait * self._world.random.uniform(0.5, 1.5))
                    wait = min(wait * _GROWTH, _LONGEST)
        except TimeoutError:
            log.warning("the receiver of alerts did not answer in time")
            return False

    def _authorization(self) -> dict[str, str]:
        token = self._outbound.target.alertmanager_token
        return {"Authorization": f"Bearer {token}"} if token else {}
