"""Timers of alerts: escalation, lapsing holds, ending silences, calming storms, the silent Watchdog."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from bot.ports.schedules import Timed
from bot.ports.store import Tx
from handlers.alerting import escalation, holding, storms, watchdog
from handlers.alerting.rules import Rules


def clocks(rules: Rules) -> tuple[Timed, ...]:
    """One for each kind of timer that alerting sets."""

    def by(work: Callable[[Tx, Rules, str, datetime], object]) -> Callable[[Tx, str, datetime], None]:
        def run(tx: Tx, ident: str, now: datetime) -> None:
            work(tx, rules, ident, now)

        return run

    return (
        Timed(escalation.KIND, by(escalation.due)),
        Timed(holding.ACK, by(holding.lapse)),
        Timed(holding.SILENCE, by(holding.silence_over)),
        Timed(storms.KIND, by(storms.calm)),
        Timed(storms.LIST, by(storms.listed)),
        Timed(watchdog.KIND, by(watchdog.silent), by(watchdog.unheard)),
    )
