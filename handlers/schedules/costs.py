"""Each night: whether the day before was dearer than usual. Told once for as long as it lasts, not once a day."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from bot.domain.cards import Place, Wish, subject
from bot.domain.costs import Day, Line, Spend, daily
from bot.domain.errors import TemporaryError, UserError
from bot.domain.forecasts import Daily, Unusual, news, unusual
from bot.domain.hours import midnight
from bot.domain.messages import Block
from bot.ports.clock import Clock
from bot.ports.costs import Costs
from bot.ports.schedules import Periodic
from bot.ports.store import Store, Tx
from handlers.alerting.rules import Rules
from handlers.cards import cost

NAME, TOLD = "cost anomaly", "cost anomaly told"
EVERY = 900.0
DAY, PATIENCE = timedelta(days=1), timedelta(hours=12)
"""How long a day that is not known yet is waited for."""


def anomalies(store: Store, clock: Clock, rules: Rules, costs: Costs) -> Periodic:
    """To the last route's chats, in one message for all services."""

    async def run() -> None:
        now = clock.now()
        at = midnight(now)
        last = await store.read(lambda tx: tx.mark(NAME))
        if last is None:  # the first start is no occasion to wake everything that costs are asked of
            await store.write(lambda tx: tx.put_mark(NAME, at))
        if last is None or last >= at:
            return
        try:
            spend = await costs.spend()
        except (UserError, TemporaryError):  # it is asked again, and status and metrics say what is down
            return
        day = spend.days[-1] if spend.days else None
        if day is None or day.at != at - DAY or (day.gaps and now - at < PATIENCE):
            return
        await store.write(lambda tx: _told(tx, spend, day, rules, at, now))

    return Periodic(NAME, EVERY, run)


async def weekly(costs: Costs) -> tuple[Block, ...]:
    """The digest's line; nothing where no costs are configured."""
    try:
        return tuple(cost.week(await costs.spend()))
    except UserError:
        return ()
    except TemporaryError:
        return tuple(cost.unknown_week())


def _told(tx: Tx, spend: Spend, day: Day, rules: Rules, at: datetime, now: datetime) -> None:
    last = tx.mark(NAME)
    if last is not None and last >= at:  # another replica was faster
        return
    tx.put_mark(NAME, at)
    told: Mapping[str, float] = tx.mark(TOLD) or {}
    found = unusual(_by_service(spend))
    fresh = news(found, told)
    costs = {each.name: float(each.cost) if each in fresh else told[each.name] for each in found}
    tx.put_mark(TOLD, costs)
    shown = _without_whole(fresh)
    if not shown:
        return
    what = subject("notice", f"cost:{int(at.timestamp())}")
    tx.put_message(what, cost.alarm(shown, day, spend.currency))
    for destination in rules.shared:
        tx.show(Wish(what, Place(destination)), now)


def _by_service(spend: Spend) -> Mapping[str, Daily]:
    """What each service cost a day; under the empty name, everything together."""
    names = {line.service for day in spend.days for line in day.lines}

    def of(name: str) -> Daily:
        def counts(line: Line) -> bool:
            return not name or line.service == name

        return daily(spend.days, counts)

    return {name: of(name) for name in names | {""}}


def _without_whole(found: tuple[Unusual, ...]) -> tuple[Unusual, ...]:
    """Services alone where they explain it."""
    return tuple(each for each in found if each.name) or found
