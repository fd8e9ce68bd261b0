"""Plain text measured and cut."""

from __future__ import annotations

import unicodedata


def clipped(text: str, most: int) -> str:
    """*text*, at most *most* characters of it, with a sign where some were cut off."""
    return text if len(text) <= most else text[: most - 1] + "…"


def columns(text: str) -> int:
    """Columns of a fixed-width face: East Asian wide characters and most emoji take two, combining marks none."""
    return sum(
        0 if unicodedata.combining(mark) else 2 if unicodedata.east_asian_width(mark) in "WF" else 1 for mark in text
    )


def padded(text: str, breadth: int) -> str:
    """*text* filled up with blanks to so many columns."""
    return text + " " * (breadth - columns(text))
