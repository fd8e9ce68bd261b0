"""Reconcile: once a minute what pult shows is held against what every member of Alertmanager believes.

Ghosts are resolved, what is missing is raised, silences made elsewhere show; groups that were cut off are completed
sooner. The arithmetic is bot/domain/truth.py.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.domain.alerts import RE_FIRE_AFTER, Group
from bot.domain.testimony import Testimony
from bot.domain.truth import SOURCE, Findings, Suspects, compare
from bot.ports.clock import Clock
from bot.ports.schedules import Periodic
from bot.ports.silencer import MARK, Silencer
from bot.ports.store import Store, Tx
from handlers.alerting import episodes, holding, watchdog
from handlers.alerting.rules import Rules

LOOK_EVERY, ROUND = 10.0, timedelta(minutes=1)
SUSPECTS, RECEIVERS = "reconcile suspects", "reconcile receivers"
RECENT = 200
"""Latest groups that are looked at for those that closed a moment ago, and for names of receivers."""


def duty(store: Store, clock: Clock, rules: Rules, silencer: Silencer) -> Periodic:
    """A round each minute, and in between as long as something that was cut off is unknown."""
    last = datetime.min.replace(tzinfo=clock.now().tzinfo)

    async def run() -> None:
        nonlocal last
        now = clock.now()
        whole = now - last >= ROUND
        if not whole and not await store.read(_cut_off):
            return
        testimonies = await silencer.testimonies()
        now = clock.now()
        await store.write(lambda tx: _round(tx, rules, silencer.receivers, testimonies, now, whole=whole))
        if whole:
            last = now
            told = (now, len(testimonies), silencer.size)
            await store.write(lambda tx: tx.put_mark(MARK, told))

    return Periodic("reconcile", LOOK_EVERY, run)


def _cut_off(tx: Tx) -> bool:
    return any(group.truncated for group in tx.open_groups() if group.source == SOURCE)


def _round(
    tx: Tx, rules: Rules, named: frozenset[str], testimonies: tuple[Testimony, ...], now: datetime, *, whole: bool
) -> None:
    """One comparison. *whole*: everything; else only what was cut off, so that rounds stay a minute apart.

    *named*: receivers of which the configuration says that they post to pult, if they never did.
    """
    recent = tx.recent_groups(RECENT)
    ended = [group for group in recent if group.closed_at and now - group.closed_at < RE_FIRE_AFTER]
    before = tx.mark(SUSPECTS) or Suspects()
    found = compare(
        (*tx.open_groups(), *ended), testimonies, before, named | _receivers(tx, recent), _heard(tx, rules), now
    )
    _act(tx, rules, found if whole else Findings(completed=found.completed), now)
    if whole and found.suspects != before:
        tx.put_mark(SUSPECTS, found.suspects)


def _act(tx: Tx, rules: Rules, found: Findings, now: datetime) -> None:
    for told in (*found.ghosts, *found.missing, *found.completed):
        episodes.notified(tx, rules, told, now)
    for ident, silence in found.silenced.items():
        if (group := tx.group(ident)) and group.firing:
            holding.silence(tx, group, silence, now)
    for ident in found.unsilenced:
        if (group := tx.group(ident)) and group.silenced:
            holding.unsilence(tx, rules, group, now)


def _receivers(tx: Tx, recent: tuple[Group, ...]) -> frozenset[str]:
    """Every receiver that pult was ever told by: groups are forgotten, their names are kept."""
    known = frozenset(tx.mark(RECEIVERS) or ())
    every = known | {group.receiver for group in recent if group.source == SOURCE and group.receiver}
    if every != known:
        tx.put_mark(RECEIVERS, tuple(sorted(every)))
    return every


def _heard(tx: Tx, rules: Rules) -> datetime | None:
    """When a Watchdog was heard last, None where none is expected."""
    return max((timer.at - rules.watchdog for timer in tx.timers(watchdog.KIND)), default=None)
