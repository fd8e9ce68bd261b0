"""One reader's words: translations, moments, durations and numbers as they write them."""

from __future__ import annotations

import math
from datetime import datetime, timedelta, tzinfo
from functools import lru_cache

from babel import Locale
from babel.dates import format_datetime
from babel.numbers import NumberPattern, parse_pattern

from bot.adapters.words.catalogue import Translations, noted
from bot.ports.clock import Clock

_UNITS = ((noted("d"), 86_400), (noted("h"), 3_600), (noted("min"), 60), (noted("s"), 1))
_ZONES = frozenset((noted("MSK"),))  # abbreviations with another spelling in another language
HUGE = 1e15
"""From here on a float has no digits after the point, and Babel none for it at all: told as a power of ten."""
_SPACE = "\N{NO-BREAK SPACE}"  # between a number and its unit


class Reader:
    """The ``Words`` protocol (bot/domain/phrases.py) over Babel."""

    def __init__(self, locale: str, zone: tzinfo, translations: Translations, clock: Clock) -> None:
        self.locale = locale
        self._language = Locale.parse(locale)
        self._zone = zone
        self._translations = translations
        self._clock = clock

    def translate(self, text: str) -> str:
        return self._translations.gettext(text) if text else ""

    def translate_plural(self, one: str, many: str, count: int) -> str:
        return self._translations.ngettext(one, many, count)

    def moment(self, at: datetime) -> str:
        """``today 14:05:10 MSK``; on other days ``23 Nov 14:05:10 MSK``, with the year when it is another one."""
        there, now = self.local(at), self.local(self._clock.now())
        time = f"{there:%H:%M:%S} {self._zone_name(there)}"
        if there.date() == now.date():
            return self.translate("today {time}").replace("{time}", time)
        pattern = "d MMM" if there.year == now.year else "d MMM y"
        return f"{format_datetime(there, pattern, locale=self._language)} {time}"

    def local(self, at: datetime) -> datetime:
        """The same instant in the reader's zone."""
        return at.astimezone(self._zone)

    def day(self, at: datetime) -> str:
        """``23 Nov``."""
        return format_datetime(at.astimezone(self._zone), "d MMM", locale=self._language)

    def duration(self, length: timedelta) -> str:
        """In the two largest units: ``2 h 5 min``. Under ten seconds with tenths, under one in milliseconds."""
        seconds = abs(length.total_seconds())
        sign = "\N{MINUS SIGN}" if length < timedelta() else ""
        if 0 < seconds < 0.9995:
            return sign + self._of(self.number(round(seconds * 1000)), noted("ms"))
        if seconds < 9.95:
            return sign + self._of(self.number(seconds, 0 if round(seconds, 1).is_integer() else 1), "s")
        return sign + " ".join(self._of(self.number(count), unit) for unit, count in _parts(round(seconds)))

    def number(self, value: float, digits: int | None = None) -> str:
        """With this language's separators; without *digits* as many as say something (at most three)."""
        if math.isnan(value):
            return self.translate("unknown")
        if HUGE <= abs(value) < math.inf:
            return f"{value:.3g}"
        return str(_pattern(digits).apply(value, self._language))

    def _of(self, number: str, unit: str) -> str:
        return f"{number}{_SPACE}{self.translate(unit)}"

    def _zone_name(self, at: datetime) -> str:
        name = at.tzname() or ""
        if not name.startswith(("+", "-")):
            return self.translate(name) if name in _ZONES else name
        hours, minutes = name[:3], name[3:5]  # the tz database's own form for zones without letters: +04, +0545
        return f"UTC{name[0]}{int(hours[1:])}{f':{minutes}' if minutes else ''}"


@lru_cache(maxsize=32)
def _pattern(digits: int | None) -> NumberPattern:
    return parse_pattern("#,##0.###" if digits is None else f"#,##0.{'0' * digits}" if digits else "#,##0")


def _parts(seconds: int) -> list[tuple[str, int]]:
    """The two largest units of *seconds*, the second one left out when it is zero. What is smaller is cut."""
    found: list[tuple[str, int]] = []
    for unit, size in _UNITS:
        count, seconds = divmod(seconds, size)
        if found:
            return [*found, (unit, count)] if count else found
        if count:
            found.append((unit, count))
    return found
