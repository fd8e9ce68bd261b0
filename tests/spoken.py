"""Phrases as a reader of another language gets them."""

from __future__ import annotations

from functools import cache

from bot.adapters.clock import SystemClock
from bot.adapters.words import Languages
from bot.adapters.words.upkeep import LOCALES
from bot.domain.phrases import Phrase, Words, pieces


@cache
def russian() -> Words:
    """Words of a Russian reader in Moscow."""
    return Languages(LOCALES, SystemClock()).words("ru", "Europe/Moscow")


def in_russian(sentence: Phrase) -> str:
    """*sentence* in Russian. AssertionError: its catalogue does not know it."""
    assert russian().translate(sentence.text) != sentence.text, f"untranslated: {sentence.text!r}"
    return "".join(piece.text for piece in pieces(sentence, russian()))
