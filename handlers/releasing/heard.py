"""What webhooks told, sorted: alerts; then versions, runs, places, gates, and how the GitOps tools fare."""

from __future__ import annotations

from datetime import datetime

from bot.domain.events import Heard
from bot.domain.services import Catalogue
from bot.ports.store import Tx
from bot.ports.webhooks import Hear
from handlers.alerting import heard as alerted
from handlers.alerting.rules import Rules
from handlers.releasing import gates, places, troubles, versions


def hearing(rules: Rules, services: Catalogue) -> Hear:
    """Everybody hears everything."""

    def heard(tx: Tx, told: Heard, now: datetime) -> bool:
        alerts = alerted.hear(tx, rules, told, now)
        return hear(tx, rules, services, told, now) or alerts

    return heard


def hear(tx: Tx, rules: Rules, services: Catalogue, heard: Heard, now: datetime) -> bool:
    """Take everything in. False: nothing that a reader sees has changed."""
    news = [versions.told(tx, rules, services, release, now) for release in heard.releases]
    news += [versions.ran(tx, service, run, now) for service, run in heard.ran]
    news += [gates.waits(tx, gate, now) for gate in heard.gates]
    news += [gates.finished(tx, services, run, now) for run in heard.finished]
    news += [places.seen(tx, services, sighting, now) for sighting in heard.sightings]
    news.append(troubles.told(tx, rules, heard.troubles, now))
    return any(news)
