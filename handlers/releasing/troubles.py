"""How GitOps tools fare, as pult's own alerts: raised by what they tell, over with their next good word."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from bot.domain.sightings import Trouble
from bot.ports.store import Tx
from handlers.alerting import own
from handlers.alerting.rules import Rules


def told(tx: Tx, rules: Rules, troubles: Iterable[Trouble], now: datetime) -> bool:
    """Late words on an object change nothing."""
    news = [_one(tx, rules, trouble, now) for trouble in troubles]
    return any(news)


def _one(tx: Tx, rules: Rules, trouble: Trouble, now: datetime) -> bool:
    mark = f"told:{trouble.order}"
    last: datetime | None = tx.mark(mark)
    if last and trouble.at < last:
        return False
    if last is None or trouble.at > last:
        tx.put_mark(mark, trouble.at)
    if not trouble.fires:
        return own.over(tx, rules, trouble.key, now)
    notes = {name: value for name, value in (("said", trouble.said), ("application_url", trouble.url)) if value}
    return own.fires(tx, rules, trouble.key, dict(trouble.labels), now, notes)
