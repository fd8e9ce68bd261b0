"""A person's words from the console to the router: bounded, paced, each under an id of its own."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import uuid4

import orjson

from bot.domain.cards import Place
from bot.domain.errors import MalformedError, RateLimitedError
from bot.domain.pacing import Bucket
from bot.domain.people import Person
from bot.domain.phrases import Words
from bot.domain.requests import Request
from bot.edge.console_parts import ASK_BURST, ASK_INTERVAL, TEXT_MAX, ConsoleParts
from bot.ports.console import Answer

PLATFORM = "console"


@dataclass(frozen=True)
class Asked:
    """What a page or a program sent. ``id``: the page's own number of it. ``pressed``: a button, not typed words."""

    text: str
    locale: str = ""
    id: int = 0
    pressed: bool = False


def read_object(body: bytes | str) -> dict[str, object]:
    """The JSON object in *body*. MalformedError says what is wrong with it."""
    try:
        data = orjson.loads(body)
    except ValueError as error:
        raise MalformedError(f"not JSON: {error}") from error
    if not isinstance(data, dict):
        raise MalformedError("not a JSON object")
    return data


def read_ask(data: dict[str, object], locales: tuple[str, ...]) -> Asked:
    """The ask in *data*. MalformedError names the key."""
    text, locale = data.get("text"), data.get("locale") or ""
    number, pressed = data.get("id", 0), data.get("pressed", False)
    if not isinstance(text, str) or not text.strip():
        raise MalformedError("text: expected the words of a command")
    if len(text) > TEXT_MAX:
        raise MalformedError(f"text: over {TEXT_MAX} characters")
    if locale != "" and locale not in locales:
        raise MalformedError(f"locale: expected one of {', '.join(locales)}")
    if isinstance(number, bool) or not isinstance(number, int):
        raise MalformedError("id: expected a whole number")
    if not isinstance(pressed, bool):
        raise MalformedError("pressed: expected true or false")
    return Asked(text.strip(), str(locale), number, pressed)


class Asks:
    """Gives commands to the asker, each person's at a bearable rate."""

    def __init__(self, parts: ConsoleParts) -> None:
        self._parts = parts
        self._buckets: dict[str, Bucket] = {}

    async def ask(self, person: Person, asked: Asked) -> Answer:
        """Run it. RateLimitedError: too fast, with the delay. UnavailableError: it could not be stored."""
        now = self._parts.clock.now()
        bucket = self._buckets.setdefault(person.name, Bucket(ASK_INTERVAL, ASK_BURST, now))
        if (delay := bucket.delay(now)) > 0:
            raise RateLimitedError("too many commands at once", delay)
        bucket.take(now)
        locale = asked.locale or person.locale
        place = Place(f"{PLATFORM}:{person.name}", locale=locale, zone=person.zone)
        request = Request(
            id=f"{PLATFORM}:{uuid4()}", platform=PLATFORM, account=person.name, text=asked.text,
            place=place, private=place, received_at=now, shared=False, pressed=asked.pressed, locale=locale,
        )  # fmt: skip
        return await self._parts.asker(request)

    def words(self, person: Person, locale: str) -> Words:
        """The words of *person*, in the language asked for, else their own, else the department's."""
        return self._parts.words(locale or person.locale, person.zone)
