"""What pictures look like: a card of its own colour, and curves that are told apart on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Theme:
    """Colours as #rrggbb. Letters have a contrast of at least 4.5 on ``ground``, curves of 3 (WCAG 2.1).

    ``curves`` are the most distinct first, after Okabe & Ito, "Color Universal Design", 2008; ``limit`` is their
    vermilion, made readable as letters.
    """

    ground: str
    bright: str
    soft: str
    edge: str
    faint: str
    curves: tuple[str, ...]
    limit: str


DARK: Final = Theme(
    ground="#161c26", bright="#f2f5f9", soft="#aab6c6", edge="#46546a", faint="#2b3545",
    curves=("#56b4e9", "#e69f00", "#009e73", "#f0e442", "#cc79a7", "#a3b1ff"), limit="#ff7a4d",
)  # fmt: skip
"""Alike in light and dark chats, no glare at night. On this ground Okabe and Ito's blue has a contrast of 2.6 only: its
last colour is another."""
LIGHT: Final = Theme(
    ground="#ffffff", bright="#141a23", soft="#4a5768", edge="#8c99ab", faint="#dfe5ed",
    curves=("#0072b2", "#b35c00", "#00795a", "#7a6a00", "#a8457f", "#4453c4"), limit="#a8003a",
)  # fmt: skip
"""For chats whose readers mostly have it light, and for print. The curves are those of the console in daylight."""
THEMES: Final[Mapping[str, Theme]] = {"dark": DARK, "light": LIGHT}
