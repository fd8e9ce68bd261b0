"""``failover status``: one screen: the verdict, each witness, the database, traffic, the hold, what was before."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from bot.domain.detection import (
    Last,
    Look,
    Past,
    Stage,
    View,
    Vigil,
    cools,
    flapping,
    followed,
    hold,
    nearby,
    stage,
)
from bot.domain.failover import Pair, Sight
from bot.domain.messages import Button, Facts, Paragraph, Style, Table, Tone
from bot.domain.operations import STATE_WORDS, State
from bot.domain.phrases import Code, Phrase, phrase, verbatim
from bot.ports.commands import Reply
from bot.ports.estate import Estate
from bot.ports.store import Store
from bot.ports.witnesses import Witnesses
from handlers.commands import failover_facts as facts
from handlers.commands.failover_facts import Rows
from handlers.commands.replies import said
from handlers.operating import moves

TONES = {
    Stage.UP: Tone.OK,
    Stage.UNSURE: Tone.WARNING,
    Stage.DOUBTED: Tone.CRITICAL,
    Stage.COOLING: Tone.CRITICAL,
    Stage.CALLED: Tone.CRITICAL,
    Stage.MOVED: Tone.WARNING,
}
KINDS = {
    "failover": phrase("failover"),
    "failback": phrase("failback"),
    "drill": phrase("rehearsal"),
    "live": phrase("live drill"),
}


async def status(pair: Pair, estate: Estate, witnesses: Witnesses, store: Store) -> Reply:
    """All is asked now; how long it has been so the watch knows, which writes itself down every ten seconds."""
    look = await witnesses.look()
    kept, past = await store.read(lambda tx: (tx.mark(moves.vigil_mark(pair.source)), moves.past(tx)))
    vigil = followed(kept, look, pair)
    how = stage(vigil, pair, past)
    now = await facts.seen(estate.database, pair.move.way)
    traffic = await facts.going(estate.traffic)
    table = tuple((verbatim(name), _seen(view, look.at)) for name, view in look.views.items())
    return said(
        phrase("Failover {source} to {target}", source=pair.source, target=pair.target),
        Paragraph(_verdict(how, vigil, pair, past)),
        Facts((
            *_watch(vigil, look, pair), *facts.database_rows(now, pair.rpo), *facts.traffic_rows(traffic),
            *_past(past, pair, look.at),
        )),
        Table((phrase("Witness"), phrase("Says")), table),
        tone=TONES[how],
        buttons=(Button(phrase("Look at {id}", id=past.live), f"op {past.live}", style=Style.PRIMARY),)
        if past.live else (),
    )  # fmt: skip


def _verdict(how: Stage, vigil: Vigil, pair: Pair, past: Past) -> Phrase:
    """One sentence. While a move is under way nobody is told to begin one."""
    region, target = pair.source, pair.target
    match how:
        case Stage.UP:
            return phrase("No majority sees {region} lost: nothing to do.", region=region)
        case Stage.UNSURE:
            return phrase("No majority sees {region} lost, and none sees it up: nobody can tell.", region=region)
        case Stage.DOUBTED:
            left = hold(vigil, pair) - (vigil.at - (vigil.since or vigil.at))
            return phrase("A majority sees {region} lost; in {time}, if it lasts, pult pages and proposes to move.",
                          region=region, time=left)  # fmt: skip
        case Stage.COOLING:
            until = cools(past, pair) or vigil.at
            return phrase("A majority sees {region} lost; pult proposes nothing until {until}, so short after a move.",
                          region=region, until=until)  # fmt: skip
        case Stage.CALLED if past.live:
            return phrase("A majority sees {region} lost, and {id} is proposed or under way: {command}", region=region,
                          id=Code(past.live), command=Code(f"op {past.live}"))  # fmt: skip
        case Stage.CALLED:
            command = Code(f"failover {region} to {target}")
            return phrase("A majority sees {region} lost. Move to {target}: {command}",
                          region=region, target=target, command=command)  # fmt: skip
        case Stage.MOVED:
            command = Code(f"failover {target} to {region}")
            return phrase("{target} serves since the last move. The way back, once {region} is well: {command}",
                          target=target, region=region, command=command)  # fmt: skip


def _watch(vigil: Vigil, look: Look, pair: Pair) -> Iterable[tuple[Phrase, Phrase]]:
    counts = {sight: vigil.sights.count(sight) for sight in Sight}
    seen = {"up": counts[Sight.UP], "lost": counts[Sight.LOST], "unknown": counts[Sight.UNKNOWN]}
    yield phrase("Witnesses"), phrase("{up} see it up, {lost} lost, {unknown} do not know", **seen)
    if vigil.since:
        held, needed = max(vigil.at - vigil.since, timedelta()), hold(vigil, pair)
        yield phrase("Hold"), phrase("{held} of {hold}, since {at}", held=held, hold=needed, at=vigil.since)
    else:
        yield phrase("Hold"), phrase("none; it takes {hold}", hold=hold(vigil, pair))
    if flapping(vigil):
        yield phrase("Flapping"), phrase("{turns} times in half an hour, so the hold is longer", turns=len(vigil.turns))
    if look.blind:
        yield phrase("Caution"), phrase("pult reaches neither region: it may be cut off itself")
    elif nearby(vigil, pair):
        yield phrase("Caution"), phrase("all who see it lost look from where pult stands: it may be the way there")


def _past(past: Past, pair: Pair, now: datetime) -> Rows:
    ends = cools(past, pair)
    cooling = phrase("until {at}", at=ends) if ends and now < ends else phrase("none")
    live: Rows = ((phrase("Operation"), phrase("{id}", id=Code(past.live))),) if past.live else ()
    return (
        *live, (phrase("Cooldown"), cooling), (phrase("Last move"), _last(past.last)),
        (phrase("Last drill"), _last(past.drill)),
    )  # fmt: skip


def _last(last: Last | None) -> Phrase:
    if last is None:
        return phrase("never")
    return phrase("{kind} {id}: {state} {at}, took {length}", kind=KINDS[last.kind], id=Code(last.operation),
                  state=STATE_WORDS[State(last.outcome)], at=last.ended, length=last.ended - last.began)  # fmt: skip


def _seen(view: View, now: datetime) -> Phrase:
    says = facts.SIGHT_WORDS[view.sight]
    if view.at is None or view.sight is Sight.UNKNOWN:
        return phrase("{says}: {why}", says=says, why=view.why)
    return phrase("{says}: {why} ({age} ago)", says=says, why=view.why, age=max(now - view.at, timedelta()))
