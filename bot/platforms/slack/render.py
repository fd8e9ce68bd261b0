"""From a neutral message to Slack: blocks for eyes, ``text`` for notifications and screen readers. Pure.

Two forms of one message: the classic one, which every Slack shows, and where newer blocks say it better a rich one.
Verdict, small print and buttons are the same in both, so a client that can't draw the newer blocks still lets a
person act.

Order on the card: title with its sign, what the duty says, small print, buttons. Where not everything fits, the
verdict (title, first part), the small print and the buttons stay, the rest is cut at a line and counted.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from bot.domain.messages import Collapsed, Graph, Lines, Message, Progress, Table
from bot.domain.phrases import Words, phrase
from bot.platforms.slack import limits
from bot.platforms.slack.blocks import Json, Room, flat, more, plain
from bot.platforms.slack.buttons import actions
from bot.platforms.slack.drawing import Drawing, weight
from bot.platforms.slack.richer import RICH
from bot.platforms.slack.spoken import SIGNS, spoken

_NOTES = 200
"""Characters kept for what the card says at its end about itself."""
_RICHER = {Graph: "data_visualization", Table: "data_table", Progress: "plan", Collapsed: "container"}
"""Parts of a message that newer blocks show better."""


@dataclass(frozen=True)
class Rendered:
    """``text`` carries the whole meaning by itself; ``shortened``: ``Message.whole`` should be attached."""

    text: str
    blocks: list[Json]
    shortened: bool

    @property
    def rich(self) -> frozenset[str]:
        """The newer block types in it."""
        return RICH.intersection(block["type"] for block in self.blocks)


@dataclass(frozen=True)
class Forms:
    """One message both ways. ``rich`` is None where newer blocks say nothing better, or may not be used.

    ``barred``: the workspace does not take some that would.
    """

    rich: Rendered | None
    classic: Rendered
    barred: bool

    @property
    def text(self) -> str:
        return self.classic.text


def forms(message: Message, words: Words, allowed: frozenset[str] = RICH) -> Forms:
    """Both forms, before anything is sent. *allowed*: the newer block types the workspace takes."""
    classic = render(message, words)
    wanted = {_RICHER[type(block)] for block in message.blocks if type(block) in _RICHER}
    if not wanted & allowed:
        return Forms(None, classic, bool(wanted))
    rich = render(message, words, allowed, classic.text)
    return Forms(rich if rich.rich and fits(rich.blocks) else None, classic, not wanted <= allowed)


def render(message: Message, words: Words, allowed: frozenset[str] = frozenset(), text: str = "") -> Rendered:
    """*message* in the reader's language, within every limit of Slack. *text*: what it is in words, if known."""
    room = Room(limits.BLOCKS_TEXT - _NOTES)
    caption = flat(message.title, words)
    title = room.within(limits.HEADER).take(f"{SIGNS[message.tone]} {caption}".strip())
    buttons, offered_all = actions(message.buttons, words, room)
    body, dropped = Drawing(words, room, allowed, caption).body(message.blocks)
    omitted = any(isinstance(block, Lines) and block.more for block in message.blocks)
    shortened = room.left_out or bool(dropped) or not offered_all or omitted
    note = _note(dropped, words, attached=shortened and bool(message.whole))
    header = {"type": "header", "text": plain(title)}
    return Rendered(text or spoken(message, words), [header, *body, *note, *buttons], shortened)


def fits(blocks: list[Json]) -> bool:
    """Whether a form that was drawn within the limits is also as a whole small enough to leave."""
    return sum(map(weight, blocks)) <= limits.BLOCKS and len(json.dumps(blocks)) <= limits.JSON


def _note(dropped: int, words: Words, *, attached: bool) -> list[Json]:
    said = [flat(more(dropped), words)] if dropped else []
    if attached:
        said.append(flat(phrase("The attached file has all of it."), words))
    return [{"type": "context", "elements": [plain(" ".join(said))]}] if said else []
