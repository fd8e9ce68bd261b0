"""Cards: this destination should be showing this subject at this revision.

A destination is ``platform:chat`` (``slack:C0INC``, ``telegram:-1001/17``, ``console:ops``); it has its own order,
budget and failures. A subject is ``kind:id`` (``alert:a-7k2f``, ``op:op-41c9``, ``reply:…``, ``notice:…``).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum

from bot.domain.phrases import NOTHING, Phrase


class Priority(IntEnum):
    """Which due card of a destination goes first."""

    PAGE = 0
    ANSWER = 1
    OPERATION = 2
    NORMAL = 3


@dataclass(frozen=True)
class Place:
    """Where exactly in a chat: the conversation, the thread or message to answer, the one person who may see it.

    ``private_to``: the platform's account id for an ephemeral message. ``press``: the platform's handle of a button
    press to answer (Telegram callback query id, Slack response_url). ``locale``/``zone``: the reader's, when it is one
    person; empty means the chat's own.
    """

    destination: str
    thread: str = ""
    reply_to: str = ""
    private_to: str = ""
    press: str = ""
    locale: str = ""
    zone: str = ""

    @property
    def platform(self) -> str:
        return self.destination.partition(":")[0]

    @property
    def chat(self) -> str:
        return self.destination.partition(":")[2]

    @property
    def lane(self) -> str:
        """The queue it waits in: what one person sees alone is neither held up by a busy chat nor spends its budget."""
        return f"{self.platform}:{self.private_to}" if self.private_to else self.destination


@dataclass(frozen=True)
class Ref:
    """The platform's own handle of a posted message. ``kind``: text, photo, ephemeral…; it decides how to edit.

    Of this showing alone, not stored: ``trouble``, where it is shown, but not as configured, says what to mend;
    ``again`` is the seconds after which an edit can show what was not ready in time, 0 where nothing was missing.
    """

    chat: str
    message: str
    kind: str = "text"
    extra: Mapping[str, str] = field(default_factory=dict)
    trouble: Phrase = field(default=NOTHING, compare=False)
    again: float = field(default=0.0, compare=False)


@dataclass(frozen=True)
class Wish:
    """A card to create or bump. ``parent``: subject whose message it is threaded under, where that is posted.

    ``not_before``: when a new card may be shown at the earliest (quiet hours).
    """

    subject: str
    place: Place
    priority: Priority = Priority.NORMAL
    parent: str = ""
    not_before: datetime | None = None


@dataclass(frozen=True)
class Card:
    """A row of the cards table: due while ``shown`` is behind ``wanted``."""

    subject: str
    place: Place
    priority: Priority
    wanted: int
    shown: int
    ref: Ref | None
    attempts: int
    created_at: datetime
    changed_at: datetime
    not_before: datetime | None = None
    parent: str = ""
    parent_ref: Ref | None = None

    @property
    def kind(self) -> str:
        """The subject's: what it is drawn as."""
        return self.subject.partition(":")[0]

    @property
    def ident(self) -> str:
        """The subject's own id."""
        return self.subject.partition(":")[2]

    @property
    def key(self) -> str:
        """Names the message on the other side (Slack metadata), so that it can be found again after a crash."""
        return f"{self.subject}@{self.place.lane}"


LIVE = frozenset({"console", "canary", "webhook"})
"""Platforms whose cards change before everybody's eyes, or that hear of each change: nothing can be missed there."""


def replies(cards: Iterable[Card], what: str, priority: Priority, silent: Collection[str] = LIVE) -> Iterator[Wish]:
    """The subject *what* as a reply under each of *cards*, except on platforms that are *silent*."""
    for card in cards:
        place = card.place
        if place.platform not in silent:
            here = Place(place.destination, locale=place.locale, zone=place.zone)
            yield Wish(what, here, priority, card.subject)


def subject(kind: str, ident: str) -> str:
    """``kind:id``."""
    return f"{kind}:{ident}"
