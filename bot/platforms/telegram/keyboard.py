"""Keys under a message, and the two presses that a dangerous one takes. Pure; the state stands in the keys alone.

A key that needs a confirmation carries ``?`` and its command. Pressed, it gives way to a key with the command itself
and a key back, which says where the first one was: ``<row.column.start.length.others``. All other keys stay.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from bot.domain.errors import PermanentError
from bot.domain.messages import Button, Style
from bot.domain.phrases import Phrase, Words, phrase, pieces
from bot.platforms.telegram import limits
from bot.platforms.telegram.text import clean, clip, one_line, units

ASK: Final = "?"
BACK: Final = "<"
PLAIN: Final = "=plain"
"""On the key that makes a rich message a classic one."""
_BACK: Final = re.compile(r"<(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})")
_HOST: Final = re.compile(r"[\w.-]+\.[\w-]+")
_STYLES: Final = {Style.PLAIN: "", Style.PRIMARY: "primary", Style.DANGER: "danger"}


@dataclass(frozen=True)
class Key:
    """``data`` comes back when it is pressed, or ``url`` opens. ``style``: danger, success, primary or none."""

    text: str
    data: str = ""
    url: str = ""
    style: str = ""


Rows = tuple[tuple[Key, ...], ...]


def label(button: Button, words: Words) -> str:
    """What stands on a button."""
    text = _said(button.label, words).strip()
    return clip(text or clean(button.command or button.url), limits.LABEL) or "…"


def linkable(url: str) -> bool:
    """Whether Telegram takes *url* for a link: http(s), and a host with a dot in it."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    named = parts.scheme in {"http", "https"} and _HOST.fullmatch(parts.hostname or "")
    return bool(named) and not re.search(r"\s", url) and clean(url) == url and len(url) <= limits.URL


def keyboard(buttons: Iterable[Button], words: Words) -> Rows:
    """Short keys side by side. PermanentError: a command that is too long for a button, which is our mistake."""
    keys = (_key(button, words) for button in buttons if button.command or linkable(button.url))
    rows: list[list[Key]] = []
    for _, key in zip(range(limits.BUTTONS), keys, strict=False):
        if rows and len(rows[-1]) < limits.ROW and _breadth([*rows[-1], key]) <= limits.ROW_UNITS:
            rows[-1].append(key)
        else:
            rows.append([key])
    return tuple(map(tuple, rows))


def _breadth(keys: Sequence[Key]) -> int:
    return sum(units(key.text) for key in keys) + 3 * (len(keys) - 1)


def _key(button: Button, words: Words) -> Key:
    text, style = label(button, words), _STYLES[button.style]
    if not button.command:
        return Key(text, url=button.url, style=style)
    data = f"{ASK}{button.command}" if button.confirm else button.command
    if len(data.encode()) > limits.CALLBACK_DATA:
        raise PermanentError(f"{len(data.encode())} bytes do not fit on a button: {button.command[:80]}")
    return Key(text, data, style="success" if button.confirm and style == "primary" else style)


def turned(rows: Rows, data: str, words: Words) -> Rows | None:
    """*rows* after a press on the key with *data*, which asks or goes back. None: it can't have come from *rows*."""
    whole = _restored(rows)
    if whole is None or data.startswith(BACK):
        return whole
    for at, row in enumerate(whole):
        for column, key in enumerate(row):
            if key.data == data:
                return _asking(whole, at, column, words)
    return None


def _asking(rows: Rows, at: int, column: int, words: Words) -> Rows:
    key = rows[at][column]
    others = rows[at][:column] + rows[at][column + 1 :]
    text = _said(phrase("Confirm: {label}", label=key.text), words)
    start = max(0, text.find(key.text))
    confirm = Key(text, key.data.removeprefix(ASK), style=key.style)
    back = Key(_said(phrase("Back"), words), f"{BACK}{at}.{column}.{start}.{len(key.text)}.{len(others)}")
    return (*rows[:at], (confirm, back), *((others,) if others else ()), *rows[at + 1 :])


def _restored(rows: Rows) -> Rows | None:
    """*rows* as they were before anything was asked. None: a key back that does not fit."""
    back = next(_backs(rows), None)
    if back is None:
        return rows
    found = _BACK.fullmatch(back)
    if found is None:
        return None
    at, column, start, length, others = map(int, found.groups())
    rest = rows[at + 1] if others and at + 1 < len(rows) else ()
    if at >= len(rows) or len(rows[at]) != 2 or len(rest) != others or column > others:
        return None
    confirm = rows[at][0]
    key = Key(confirm.text[start : start + length] or "…", f"{ASK}{confirm.data}", style=confirm.style)
    return (*rows[:at], (*rest[:column], key, *rest[column:]), *rows[at + (2 if others else 1) :])


def _backs(rows: Rows) -> Iterator[str]:
    return (key.data for row in rows for key in row if key.data.startswith(BACK))


def _said(sentence: Phrase, words: Words) -> str:
    return one_line("".join(clean(piece.text) for piece in pieces(sentence, words)))
