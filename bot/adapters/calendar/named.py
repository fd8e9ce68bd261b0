"""Who an event puts on call: its summary names people, else its attendees do. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

NOBODY = "an event without a name"
_ASIDE = re.compile(r"\([^)]*\)|\[[^\]]*\]")
_BETWEEN = re.compile(r"[,;/&+|]|\s(?:and|и)\s", re.IGNORECASE)
_EDGES = " \t\n-–—.!?@\"'«»"


@dataclass(frozen=True)
class Attendee:
    """``name``: what the calendar calls them; ``mail``: their address."""

    name: str
    mail: str


def named(summary: str, attendees: Sequence[Attendee], names: Iterable[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Those of *names* that are on call, and the words in which somebody else is named.

    ``On call: Anna``, ``anna``, ``Anna Petrova (primary)``, ``Anna / Boris`` are understood, in any case. A summary in
    which both an old and a new name stand ("Anna for Boris") puts both on call: better one too many awake than nobody.
    """
    known = {name.casefold(): name for name in names}
    parts = [part.strip(_EDGES) for part in _BETWEEN.split(_ASIDE.sub(" ", _unprefixed(summary, known)))]
    found = [person for part in parts for person in _people(part, known)]
    strangers = [part for part in parts if part and not _people(part, known)]
    if not found:
        invited = [person for attendee in attendees for person in _invited(attendee, known)]
        found, strangers = invited, [] if invited else strangers or [NOBODY]
    return tuple(dict.fromkeys(found)), tuple(dict.fromkeys(strangers))


def _unprefixed(summary: str, known: Mapping[str, str]) -> str:
    """What follows the last colon ("On call: Anna"), or the whole where nobody is named there ("Anna: on call")."""
    before, colon, after = summary.rpartition(":")
    return before if colon and not _people(after, known) and _people(before, known) else after


def _people(text: str, known: Mapping[str, str]) -> list[str]:
    words = (word.strip(_EDGES).casefold() for word in re.split(r"[\s:,;/&+|]+", text))
    return [known[word] for word in words if word in known]


def _invited(attendee: Attendee, known: Mapping[str, str]) -> list[str]:
    mail = attendee.mail.casefold().removeprefix("mailto:")
    box = mail.partition("@")[0]
    by_mail = [known[each] for each in (mail, box) if each in known]
    return by_mail[:1] or _people(attendee.name, known)
