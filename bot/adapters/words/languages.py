"""Every language pult speaks, in any time zone."""

from __future__ import annotations

from functools import cached_property, lru_cache
from pathlib import Path
from zoneinfo import ZoneInfo

from bot.adapters.words.catalogue import Translations, read_catalogue
from bot.adapters.words.reader import Reader
from bot.domain.phrases import Words
from bot.ports.clock import Clock

SOURCE = "en"
"""The language of the texts in the code; it has no catalogue."""


class Languages:
    """Reads every catalogue under *folder* (``ru/LC_MESSAGES/pult.po``) at once: NotReadyError when one is broken."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self._clock = clock
        self._translations: dict[str, Translations] = {SOURCE: Translations()}
        for path in sorted(folder.glob("*/LC_MESSAGES/pult.po")):
            self._translations[path.parent.parent.name] = read_catalogue(path)
        self.words = lru_cache(maxsize=512)(self._words)
        """``words(locale, zone)``: a reader's words. Unknown locales become English, unknown zones UTC."""

    @cached_property
    def locales(self) -> tuple[str, ...]:
        return tuple(self._translations)

    def _words(self, locale: str, zone: str) -> Words:
        known = locale if locale in self._translations else SOURCE
        return Reader(known, _zone(zone), self._translations[known], self._clock)


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # settings are checked at load; this is a name somebody sent
        return ZoneInfo("UTC")
