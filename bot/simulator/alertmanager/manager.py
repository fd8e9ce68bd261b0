"""The state of the simulated Alertmanager."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from bot.simulator.alertmanager.alerts import RECEIVER, Alert, fingerprint
from bot.simulator.alertmanager.dispatch import Dispatcher
from bot.simulator.alertmanager.silences import Silences
from bot.simulator.alertmanager.timing import Timing
from bot.simulator.alertmanager.wire import millis, whole_millis
from bot.simulator.webhooks import Outbound
from bot.simulator.world import World

HELD: Final = timedelta(days=1)
"""How long an alert raised by hand fires when nobody resolves it."""
KEPT: Final = timedelta(hours=1)
"""How long an alert is remembered after its end."""


class Manager:
    """Alerts, silences, notifications. `dispatcher.run` must be running for anything to be sent."""

    def __init__(self, world: World, outbound: Outbound, timing: Timing | None = None) -> None:
        self._world = world
        self.timing = timing or Timing.scaled(world.seconds)
        self.silences = Silences(world.clock.now, world.random)
        self.dispatcher = Dispatcher(world, self.silences, outbound, self.timing)
        self.started = world.clock.now()
        self._alerts: dict[str, Alert] = {}

    def receive(self, alerts: Iterable[Alert]) -> None:
        """Take what Prometheus or a client tells."""
        now = self._world.clock.now()
        for told in alerts:
            exact = replace(told, starts=whole_millis(told.starts), ends=whole_millis(told.ends))
            known = self._alerts.get(exact.fingerprint)
            alert = exact.after(known) if known else exact
            self._alerts[alert.fingerprint] = alert
            self.dispatcher.insert(alert)
        for mark in [mark for mark, one in self._alerts.items() if now - one.ends > KEPT]:
            del self._alerts[mark]

    def by_hand(self, labels: Mapping[str, str], annotations: Mapping[str, str], *, resolve: bool) -> Alert:
        """Raise an alert or end it. LookupError when there is none to end."""
        now = self._world.clock.now()
        known = self._alerts.get(fingerprint(labels))
        if known and known.resolved(now):
            known = None
        if resolve and known is None:
            raise LookupError("No alert with these labels fires.")
        starts = known.starts if known else now
        texts = annotations or (known.annotations if known else {})
        alert = Alert(dict(labels), dict(texts), starts, now if resolve else now + HELD, now)
        self.receive([alert])
        return alert

    def firing(self) -> list[Alert]:
        """What has not ended, in the order of the fingerprints."""
        now = self._world.clock.now()
        return sorted((one for one in self._alerts.values() if not one.resolved(now)), key=lambda one: one.fingerprint)

    def shown(self, alert: Alert) -> dict[str, object]:
        """As API v2 answers it, keys in its order."""
        muting = self.silences.muting(alert.labels)
        return {
            "annotations": dict(sorted(alert.annotations.items())),
            "endsAt": millis(alert.ends),
            "fingerprint": alert.fingerprint,
            "receivers": [{"name": RECEIVER}],
            "startsAt": millis(alert.starts),
            "status": {"inhibitedBy": [], "silencedBy": muting, "state": "suppressed" if muting else "active"},
            "updatedAt": millis(alert.updated),
            "generatorURL": alert.generator,
            "labels": dict(sorted(alert.labels.items())),
        }

    def now(self) -> datetime:
        return self._world.clock.now()
