"""Where cards go now: groups moved, topics closed, chats that take no pictures; and what a person must mend."""

from __future__ import annotations

from dataclasses import replace

from bot.domain.cards import Card, Place, Priority, Ref
from bot.domain.errors import PermanentError
from bot.domain.phrases import NOTHING, Code, Phrase, phrase
from bot.platforms.telegram import limits
from bot.platforms.telegram.client import Target
from bot.platforms.telegram.rates import URGENT
from bot.ports.clock import Clock

ALERT = "alert"
"""Kind of a reference to words that one person saw once, in answer to a press: no message stands behind it."""


class Places:
    """Learned from refusals and updates; forgotten at a restart, when one refusal tells it again."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._moved: dict[int, int] = {}
        self._lost: dict[tuple[int, int], float] = {}
        self._no_photos: dict[int, float] = {}

    def target(self, card: Card) -> Target:
        """The chat, its topic, and the message to answer. PermanentError: that is no Telegram id."""
        chat, _, topic = card.place.chat.partition("/")
        return self._aimed(card, Target(number(chat), number(topic) if topic else None))

    def person(self, card: Card) -> Target:
        """The private chat of the one who may see the card."""
        return self._aimed(card, Target(number(card.place.private_to)))

    def chat(self, chat: int) -> int:
        """The id that *chat* has now."""
        return self._moved.get(chat, chat)

    def moved(self, old: int, new: int) -> None:
        """The group *old* is the supergroup *new*."""
        self._moved[old] = new

    def remember(self, card: Card, ref: Ref) -> None:
        """Learn from a message that stands in another chat than the configuration names: it moved before a restart."""
        chat = card.place.chat.partition("/")[0]
        if ref.chat != chat and not card.place.private_to:
            self._moved.setdefault(number(chat), int(ref.chat))

    def without_topic(self, target: Target) -> Target:
        """*target*, after its topic turned out to be closed or gone; PermanentError: nothing is left to leave out.

        The message to answer may stand in that topic too, so it is left out next.
        """
        if target.topic is not None:
            self._lost[target.chat, target.topic] = self._now() + limits.LOST_TOPIC
            return replace(target, topic=None)
        if target.reply_to is not None:
            return replace(target, reply_to=None)
        raise PermanentError(phrase("the chat's General topic is closed: reopen it, or route to an open topic"))

    def forbid_photos(self, chat: int) -> None:
        self._no_photos[chat] = self._now() + limits.NO_PHOTOS

    def photos(self, chat: int) -> bool:
        """Whether a picture may be tried in *chat*."""
        return self._no_photos.get(chat, 0.0) <= self._now()

    def invited(self, chat: int) -> None:
        """Our rights in *chat* have changed: try everything again."""
        self._no_photos.pop(chat, None)
        self._lost = {where: until for where, until in self._lost.items() if where[0] != chat}

    def trouble(self, place: Place) -> Phrase:
        """What to mend although cards of *place* are shown; NOTHING when all is as configured."""
        if place.private_to:
            return NOTHING
        chat, _, topic = place.chat.partition("/")
        old, new = number(chat), self.chat(number(chat))
        if old != new:
            return phrase(
                "the group became a supergroup: write {new} in place of {old} in the configuration",
                new=Code(f"telegram:{new}"), old=Code(f"telegram:{old}"),
            )  # fmt: skip
        if topic and self._closed(new, number(topic)):
            return phrase(
                "topic {topic} is closed or gone, cards go to General: reopen it, or change the route",
                topic=Code(topic),
            )
        return NOTHING

    def _aimed(self, card: Card, target: Target) -> Target:
        chat = self.chat(target.chat)
        topic = None if target.topic is not None and self._closed(chat, target.topic) else target.topic
        return Target(chat, topic, _answered(card, chat), silent=not rings(card, chat))

    def _closed(self, chat: int, topic: int) -> bool:
        return self._lost.get((chat, topic), 0.0) > self._now()

    def _now(self) -> float:
        return self._clock.now().timestamp()


def rings(card: Card, chat: int) -> bool:
    """Whether a new message makes a sound: pages, answers, and in a private chat what waits for that person's press.

    News of an alert do where they wake people; the others are there to be read under its card.
    """
    if card.subject.startswith("news:"):
        return card.priority is Priority.PAGE
    return card.priority in URGENT or (chat > 0 and card.priority is Priority.OPERATION)


def _answered(card: Card, chat: int) -> int | None:
    """The parent's message, where it stands in the same chat; else the one that asked."""
    parent = card.parent_ref
    if parent and parent.kind != ALERT and parent.chat == str(chat):
        return number(parent.message)
    elsewhere = card.place.private_to and card.place.private_to != card.place.chat
    return number(card.place.reply_to) if card.place.reply_to and not elsewhere else None


def number(text: str) -> int:
    """PermanentError: *text* is no Telegram id."""
    try:
        return int(text)
    except ValueError:
        raise PermanentError(phrase("{text} is no Telegram id", text=Code(text))) from None
