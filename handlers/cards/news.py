"""The card of a piece of news: one line under an alert's card, for what an edit alone would let people miss."""

from __future__ import annotations

from datetime import timedelta

from bot.domain.alerts import SEVERITIES, Group, Happening
from bot.domain.messages import Aside, Button, Message, Style, Tone
from bot.domain.phrases import Code, Phrase, phrase
from bot.ports.presenters import Presenter
from bot.ports.store import Tx

TONES = {
    "worsened": Tone.CRITICAL,
    "acked": Tone.WORKING,
    "lapsed": Tone.CRITICAL,
    "silenced": Tone.MUTED,
    "unsilenced": Tone.WARNING,
    "outgrew": Tone.WARNING,
    "escalated": Tone.CRITICAL,
    "nobody": Tone.CRITICAL,
    "unanswered": Tone.CRITICAL,
    "resolved": Tone.OK,
}
WAKING = frozenset({"worsened", "lapsed", "unsilenced", "outgrew", "escalated", "nobody", "unanswered"})

PLAIN = {
    "outgrew": phrase("Something fires that the silence does not cover"),
    "nobody": phrase("Nobody on call can be reached: whoever reads this must look now"),
    "unanswered": phrase("Everybody on the list was told, nobody has taken it: somebody must look now"),
}
GIVEN_BACK = frozenset({"lapsed", "unsilenced", "outgrew"})


def presenter() -> Presenter:
    """News of a group; the subject's id is ``a-7k2f/3``: the group, and the number of what happened."""
    return Presenter(_load, lambda state: draw(*state))


def _load(tx: Tx, ident: str) -> tuple[Group, Happening] | None:
    group_id, _, number = ident.partition("/")
    group = tx.group(group_id)
    happening = group.happening(int(number)) if group else None
    return (group, happening) if group and happening else None


def draw(group: Group, happening: Happening) -> Message:
    """One line and the alert's id. What wakes people says its name too, and has the key to take it."""
    buttons: tuple[Button, ...] = ()
    if happening.kind in WAKING and group.firing and group.ack is None:
        buttons = (Button(phrase("Ack"), f"ack {group.id}", style=Style.PRIMARY),)
    named = (
        phrase("{id} · {name}", id=Code(group.id), name=group.name)
        if happening.kind in WAKING
        else phrase("{id}", id=Code(group.id))
    )
    tone = TONES.get(happening.kind, Tone.INFO)
    if tone is Tone.OK and group.unmeasured:
        tone = Tone.MUTED
    return Message(_said(group, happening), tone, (Aside(named),), buttons)


def _said(group: Group, happening: Happening) -> Phrase:  # noqa: C901 - one flat match
    who = happening.who
    match happening.kind:
        case "worsened" if happening.detail == SEVERITIES[0]:
            return phrase("It has become critical")
        case "worsened":
            return phrase("It has grown, and is a page now")
        case "acked":
            return phrase("{person} takes it", person=who)
        case "lapsed":
            return phrase("{person}'s hold has lapsed; it still fires and nobody has it now", person=who)
        case "silenced":
            return phrase("Silenced by {person}{until}", person=who or "–", until=_until(group))
        case "unsilenced" if who:
            return phrase("{person} ended the silence; it still fires", person=who)
        case "unsilenced":
            return phrase("The silence is over; it still fires")
        case "escalated" if length := _alone(group, happening):
            return phrase("Nobody has taken it for {length}; now told: {who}", length=length, who=who)
        case "escalated":
            return phrase("Now told: {who}", who=who)
        case "resolved" if group.unmeasured:
            return phrase(
                "Ended without a measurement after {length}: whether it is well is unknown",
                length=group.lasted(happening.at),
            )
        case "resolved":
            return phrase("Resolved after {length}", length=group.lasted(happening.at))
        case kind:
            return PLAIN.get(kind) or phrase("{what}", what=kind)


def _until(group: Group) -> Phrase:
    return phrase(" until {at}", at=group.silenced.silence.ends_at) if group.silenced else Phrase("")


def _alone(group: Group, happening: Happening) -> timedelta:
    """For how long nobody has had it: since it opened, or since a hold or a silence was over."""
    given = [each.at for each in group.history if each.kind in GIVEN_BACK and each.at <= happening.at]
    return happening.at - max([group.opened_at, *given])
