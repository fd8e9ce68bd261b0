"""Plain text: cleaned, measured, cut."""

from __future__ import annotations

import re
import unicodedata

from bot.domain.redact import redact

_INVISIBLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""C0 and C1 controls but tab and newline (a terminal obeys them), and marks that turn the reading direction (they make
text read as something it is not)."""


def clean(text: str) -> str:
    """Outside *text* fit to be shown, anywhere. It is masked after the controls are gone: one may hide in a secret."""
    return redact(_INVISIBLE.sub("", text).encode("utf-8", "replace").decode())


def one_line(text: str) -> str:
    """*text* with every run of blanks and line breaks as one blank."""
    return " ".join(text.split())


def clipped(text: str, most: int) -> str:
    """*text*, at most *most* characters of it, with a sign where some were cut off."""
    return text if len(text) <= most else text[: most - 1] + "…"


def web(url: str) -> bool:
    """Whether *url* leads to the web; nothing else becomes a link."""
    return url.startswith(("https://", "http://"))


def columns(text: str) -> int:
    """Columns of a fixed-width face: East Asian wide characters and most emoji take two, combining marks none."""
    return sum(
        0 if unicodedata.combining(mark) else 2 if unicodedata.east_asian_width(mark) in "WF" else 1 for mark in text
    )


def padded(text: str, breadth: int) -> str:
    """*text* filled up with blanks to so many columns."""
    return text + " " * (breadth - columns(text))
