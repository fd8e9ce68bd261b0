"""The canary: every minute an alert through the front door, and how long it took to come out."""

from __future__ import annotations

from collections.abc import Callable

from bot.domain.alerts import WARNING
from bot.domain.errors import TemporaryError
from bot.ports.canary import MARK, Canary, Flight
from bot.ports.clock import Clock
from bot.ports.schedules import Periodic
from bot.ports.store import Store, Tx
from handlers.alerting import own
from handlers.alerting.rules import Rules

EVERY = 60.0
FAILURES = 3
"""In a row before people are told: one may be a restart."""
DEAF = "PultDeaf"

Measure = Callable[[Flight], None]


def duty(store: Store, clock: Clock, rules: Rules, canary: Canary, measure: Measure) -> Periodic:
    """Fly it, remember how it fared, and raise an alert of pult's own when it stays away."""
    failures = 0

    async def run() -> None:
        nonlocal failures
        try:
            flight = Flight(clock.now(), await canary.fly(), "")
        except TemporaryError as error:
            flight = Flight(clock.now(), 0.0, str(error))
        failures = failures + 1 if flight.why else 0
        measure(flight)
        await store.write(lambda tx: _noted(tx, rules, flight, failures))

    return Periodic("canary", EVERY, run)


def _noted(tx: Tx, rules: Rules, flight: Flight, failures: int) -> None:
    tx.put_mark(MARK, tuple(flight))
    if failures >= FAILURES:
        own.fires(tx, rules, DEAF, {"alertname": DEAF, "severity": WARNING, "why": flight.why}, flight.at)
    elif not flight.why:
        own.over(tx, rules, DEAF, flight.at)
