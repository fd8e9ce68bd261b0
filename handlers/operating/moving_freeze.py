"""The freeze that a move needs: everything, for as long as the move is under way, however long people think."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from bot.domain.audit import Deed
from bot.domain.freezes import EVERYTHING, Freeze
from bot.ports.store import Tx
from handlers.operating import freezing

LASTS = timedelta(hours=4)
"""How long promotions stay frozen at a time. A move that was given up half way leaves what is left of it."""
EARLY = timedelta(hours=1)
"""How long before its end it is looked whether the move still goes on: pult's own freeze never has a gap."""
PULT, THEIRS = "pult", "theirs"
"""What a move notes where nobody had frozen everything before, and where somebody had for longer than it would."""


def hold(tx: Tx, chats: Iterable[str], operation: str, now: datetime) -> None:
    """Freeze everything for *operation*, unless somebody did for longer; ``release`` puts back what was before."""
    kept = freezing.of(tx, EVERYTHING)
    if kept is not None and kept.by == PULT:  # another move's, which may end first, or is over
        if tx.mark(_mark(operation)) is None:
            tx.put_mark(_mark(operation), PULT)
            _prolong(tx, kept, now)
    elif kept is not None and kept.until >= now + LASTS:
        tx.put_mark(_mark(operation), THEIRS)
    else:
        tx.put_mark(_mark(operation), kept or PULT)
        _begin(tx, chats, operation, now)


def release(tx: Tx, chats: Iterable[str], operation: str, now: datetime) -> bool:
    """Only its own: whoever froze everything meanwhile had a reason. False: it stays frozen."""
    before, kept = tx.mark(_mark(operation)), freezing.of(tx, EVERYTHING)
    tx.put_mark(_mark(operation), None)
    if before is not None and (other := _needing(tx, but=operation)):
        if isinstance(before, Freeze):  # whoever ends last puts it back
            tx.put_mark(_mark(other), before)
        return False
    if before is None or kept is None or kept.by != PULT:
        return kept is None
    freezing.lift(tx, EVERYTHING, PULT, now)
    tx.append(Deed(now, PULT, "", "unfreeze", EVERYTHING, "ended", operation))
    if not isinstance(before, Freeze) or before.until <= now:
        return True
    freezing.begin(tx, chats, before, now)
    return False


def ending(chats: Iterable[str]) -> Callable[[Tx, str, datetime], None]:
    """What the timer of a freeze stands for: it is over, unless it is everything's and a move needs it for longer."""

    def run(tx: Tx, service: str, now: datetime) -> None:
        kept = freezing.of(tx, EVERYTHING) if service == EVERYTHING else None
        if kept is None:
            freezing.over(tx, service, now)
        elif needing := _needing(tx):
            _go_on(tx, chats, kept, needing, now)
        elif now < kept.until:
            tx.set_timer(freezing.KIND, EVERYTHING, kept.until)
        else:
            freezing.over(tx, service, now)

    return run


def _go_on(tx: Tx, chats: Iterable[str], kept: Freeze, operation: str, now: datetime) -> None:
    if kept.by == PULT:
        _prolong(tx, kept, now)
        return
    tx.put_mark(_mark(operation), PULT)
    freezing.over(tx, EVERYTHING, now)
    _begin(tx, chats, operation, now)


def _prolong(tx: Tx, kept: Freeze, now: datetime) -> None:
    freezing.prolong(tx, kept, now + LASTS, now)
    tx.set_timer(freezing.KIND, EVERYTHING, now + LASTS - EARLY)


def _begin(tx: Tx, chats: Iterable[str], operation: str, now: datetime) -> None:
    until = now + LASTS
    freezing.begin(tx, chats, Freeze(EVERYTHING, until, _why(tx, operation), PULT), now)
    tx.set_timer(freezing.KIND, EVERYTHING, until - EARLY)
    tx.append(Deed(now, PULT, "", "freeze", EVERYTHING, "frozen", f"until {until.isoformat()}: {operation}"))


def _why(tx: Tx, operation: str) -> str:
    found = tx.operation(operation)
    way = f"{found.plan.params['source']} → {found.plan.params['target']} " if found else ""
    return f"{way}({operation})"


def _needing(tx: Tx, but: str = "") -> str:
    """Who is under way and needs everything frozen, or empty: staging's drill and production's move may overlap."""
    live = (each.id for each in tx.live_operations() if each.id != but)
    return next((each for each in live if tx.mark(_mark(each)) is not None), "")


def _mark(operation: str) -> str:
    """Name of the mark of what was frozen before *operation* froze everything."""
    return f"frozen-for:{operation}"
