"""The neutral message: what a card says, before any platform draws it.

A renderer draws the parts in this order: title, blocks, buttons. The verdict stands in the title and the first
block; everything after that may be shortened at a line, and ``whole`` is then attached.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, TypeAlias

from bot.domain.codec import stored
from bot.domain.phrases import Code, Link, Phrase, Quantity, Strong


class Tone(StrEnum):
    """Severity at a glance: decides colour and emoji, never the words."""

    CRITICAL = "critical"
    WARNING = "warning"
    INFO = "info"
    OK = "ok"
    MUTED = "muted"
    WORKING = "working"


class Demand(StrEnum):
    """What a message asks for, in a word for receivers that are no people (a paging provider)."""

    NOTHING = "nothing"
    TAKE = "take"
    HELD = "held"
    OVER = "over"


class StepMark(StrEnum):
    """State of one step on a progress list."""

    PENDING = "pending"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    SKIPPED = "skipped"


class Style(StrEnum):
    """A button's weight."""

    PLAIN = "plain"
    PRIMARY = "primary"
    DANGER = "danger"


@dataclass(frozen=True)
class Paragraph:
    """One or more sentences."""

    text: Phrase


@dataclass(frozen=True)
class Facts:
    """Label and value pairs, drawn side by side where the platform can."""

    pairs: tuple[tuple[Phrase, Phrase], ...]


@dataclass(frozen=True)
class Lines:
    """A list; shortened after whole lines. ``more``: lines that the sender itself left out."""

    items: tuple[Phrase, ...]
    more: int = 0


@dataclass(frozen=True)
class Table:
    """Rows under a header; every row is as long as the header."""

    header: tuple[Phrase, ...]
    rows: tuple[tuple[Phrase, ...], ...]


@dataclass(frozen=True)
class Preformatted:
    """Outside text in a fixed-width face: logs, diffs, queries."""

    text: str


@dataclass(frozen=True)
class Progress:
    """The steps of an operation, in order: mark, what, what came of it (or None)."""

    steps: tuple[tuple[StepMark, Phrase, Phrase | None], ...]


@dataclass(frozen=True)
class Aside:
    """Small print: ids, how it was computed, who else saw it."""

    text: Phrase


@dataclass(frozen=True)
class Collapsed:
    """Lines few need at once; folded where the platform can fold."""

    title: Phrase
    items: tuple[Phrase, ...]


Points: TypeAlias = tuple[tuple[datetime, float], ...]
"""Values in time's order. NaN is a gap: unknown, never zero."""


@dataclass(frozen=True)
class Curve:
    """One line of a graph.

    ``guide``: nothing that was measured, only what the others are compared with.
    """

    name: Phrase
    points: Points
    guide: bool = False


@dataclass(frozen=True)
class Bar:
    """One row of a graph of times: what took from when to when. ``stuck``: how much at its end was standing still.

    ``waits``: nothing was at work, people were waited for. ``mark``: how it ended, where it was a step.
    """

    name: Phrase
    since: datetime
    until: datetime
    stuck: timedelta = timedelta()
    waits: bool = False
    mark: StepMark | None = None


@dataclass(frozen=True)
class Graph:
    """A picture of values over time, as data: each platform draws it as well as it can, or says ``trend`` in words.

    ``unit`` is a Quantity's. ``limit``: the value that must not be crossed. ``marks``: what happened when.
    ``stacked``: the curves are parts of a whole, drawn one on the other. ``bars``: in place of curves, one under the
    other, where it shows what took how long.
    """

    title: Phrase
    curves: tuple[Curve, ...]
    unit: str = ""
    limit: float | None = None
    marks: tuple[tuple[datetime, Phrase], ...] = ()
    stacked: bool = False
    bars: tuple[Bar, ...] = ()


Block = Paragraph | Facts | Lines | Table | Preformatted | Progress | Aside | Collapsed | Graph


@dataclass(frozen=True)
class Confirm:
    """What a person must read before a dangerous press counts."""

    title: Phrase
    text: Phrase


@dataclass(frozen=True)
class Button:
    """A press sends ``command`` exactly as if the person had typed it (at most 64 bytes of ASCII), or opens ``url``."""

    label: Phrase
    command: str = ""
    url: str = ""
    style: Style = Style.PLAIN
    confirm: Confirm | None = None


BUTTON: Final = 64
"""Characters of a button's command: bytes of Telegram's callback_data (Bot API, InlineKeyboardButton)."""


def pressable(command: str) -> bool:
    """Whether a button can carry *command*."""
    return command.isascii() and len(command) <= BUTTON


@dataclass(frozen=True)
class Message:
    """One card's content. ``whole`` is the full text to attach when a platform has to leave something out.

    ``again``: seconds after which it is worth drawing anew, because something was not known in time; 0: it is complete.
    """

    title: Phrase
    tone: Tone = Tone.INFO
    blocks: tuple[Block, ...] = ()
    buttons: tuple[Button, ...] = ()
    whole: str = ""
    demand: Demand = Demand.NOTHING
    again: float = 0.0


stored(Phrase, Strong, Code, Link, Quantity, Tone, Demand, StepMark, Style, Confirm, Button, Message)
stored(Paragraph, Facts, Lines, Table, Preformatted, Progress, Aside, Collapsed, Graph, Curve, Bar)
