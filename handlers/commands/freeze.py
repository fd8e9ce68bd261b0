"""``freeze <service or all> <duration> <why>`` and ``unfreeze``: nothing is promoted for a while."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from bot.domain.conditions import told
from bot.domain.durations import parse_duration
from bot.domain.errors import UserError
from bot.domain.freezes import EVERYTHING, Freeze
from bot.domain.phrases import Code, phrase
from bot.domain.redact import redact
from bot.domain.services import Catalogue
from bot.ports.commands import Call, Command, Reply
from bot.ports.store import Store, Tx
from handlers.alerting.rules import Rules
from handlers.commands.replies import argument, done, misuse
from handlers.operating import freezing

USAGE = "freeze <service or all> <duration> <why>"
ALL = frozenset({EVERYTHING, "все", "всё"})
LONGEST = timedelta(days=90)
"""Ours: what is to last longer belongs into the configuration, where everybody can read it."""
WHY = 300


def freeze(store: Store, services: Catalogue, rules: Rules, approvals_in: Iterable[str]) -> Command:
    """Holds plans to promote from now on; those that wait are void."""
    chats = tuple(approvals_in)

    async def run(call: Call) -> Reply:
        service = _service(call, services)
        argument(call, 2, USAGE)
        made = Freeze(service, call.now + _length(call), " ".join(call.args[2:])[:WHY], call.who.name)
        await store.write(lambda tx: _frozen(tx, rules.chats(chats), call, made))
        return done(told(made))

    example = services.example
    return Command(
        ("freeze", "заморозить"), USAGE, phrase("no promotion for a while"), run, "freeze",
        examples=(f"freeze {example} 2h the database is being moved", "freeze all 3d holidays"),
    )  # fmt: skip


def unfreeze(store: Store, services: Catalogue) -> Command:
    """Ends what somebody froze; a window of the calendar is overridden plan by plan."""

    async def run(call: Call) -> Reply:
        named = _service(call, services) if call.args else ""
        ended = await store.write(lambda tx: _lifted(tx, call, named))
        names = ", ".join(each.service for each in ended)
        return done(phrase("Promotions may go on: {names}", names=names))

    example = services.example
    return Command(
        ("unfreeze", "разморозить"), "unfreeze [service or all]", phrase("end a freeze"), run, "unfreeze",
        examples=("unfreeze", f"unfreeze {example}", "unfreeze all"),
    )  # fmt: skip


def _service(call: Call, services: Catalogue) -> str:
    typed = argument(call, 0, USAGE).lower()
    return EVERYTHING if typed in ALL else services.named(typed).name


def _length(call: Call) -> timedelta:
    try:
        length = parse_duration(call.args[1])
    except ValueError:
        length = timedelta()
    if not length:
        raise misuse(USAGE)
    if length > LONGEST:
        raise UserError("Freeze for at most {longest}; what lasts longer belongs into {section}.",
                        longest=LONGEST, section=Code("[[freezes]]"))  # fmt: skip
    return length


def _frozen(tx: Tx, chats: Iterable[str], call: Call, made: Freeze) -> None:
    freezing.begin(tx, chats, made, call.now)
    detail = redact(f"until {made.until.isoformat()}: {made.why}")
    tx.append(call.deed("freeze", made.service, "frozen", detail))


def _lifted(tx: Tx, call: Call, named: str) -> tuple[Freeze, ...]:
    """Without a name the only one there is; "all" ends every one."""
    kept = freezing.kept(tx)
    chosen = tuple(each for each in kept if named in {"", EVERYTHING, each.service})
    if not chosen:
        raise _nothing(kept, named)
    if not named and len(chosen) > 1:
        names = ", ".join(each.service for each in chosen)
        raise UserError("Frozen are {names}. Name one, or {all}.", names=names, all=Code(f"unfreeze {EVERYTHING}"))
    for each in chosen:
        freezing.lift(tx, each.service, call.who.name, call.now)
        tx.append(call.deed("unfreeze", each.service, "ended"))
    return chosen


def _nothing(kept: tuple[Freeze, ...], named: str) -> UserError:
    if any(each.service == EVERYTHING for each in kept):
        all_ = Code(f"unfreeze {EVERYTHING}")
        return UserError("{service} is frozen together with everything: {all} ends that.", service=named, all=all_)
    return UserError(
        "Nobody froze that. What the calendar freezes is overridden plan by plan: {usage}",
        usage=Code("approve <op> --override freeze <why>"),
    )
