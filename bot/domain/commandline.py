"""What a person typed, as a command's name and its words."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

_PLAIN = re.compile(r"\w[\w.+-]{0,40}", re.ASCII)
_DASH = re.compile(r"^[—–](?=\w)")
"""Phones and chats make one long dash of the two before an option's name."""
_BOT_SUFFIX = re.compile(r"^(/?\w+)@\w+")


def split(text: str) -> tuple[str, tuple[str, ...]]:
    """``/slo@pult_bot api 7d`` → ``("slo", ("api", "7d"))``. Quotes keep words together; case is kept in arguments."""
    words = _tokens(_BOT_SUFFIX.sub(r"\1", text.strip()))
    if not words:
        return "", ()
    return words[0].lstrip("/!").lower().replace("ё", "е"), tuple(words[1:])


def _tokens(text: str) -> list[str]:
    """Blanks part words, except inside quotes: around a word, or around a value (``alertname="High errors"``)."""
    parts = re.findall(r"([^\s=~]+[=~]+)?[\"“”«»]([^\"“”«»]*)[\"“”«»]|(\S+)", text)
    return [_DASH.sub("--", bare) or name + quoted for name, quoted, bare in parts]


def plain(*texts: str) -> bool:
    """Whether a button's command may carry each of them: outside text must not make another command of it."""
    return all(_PLAIN.fullmatch(text) for text in texts)


def nearest(word: str, known: Iterable[str], count: int = 1) -> list[str]:
    """The *known* words that *word* was most likely meant to be."""
    return difflib.get_close_matches(word, list(known), n=count, cutoff=0.5)
