"""From a neutral message to what Telegram is told: cut first, mark up after. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace

from bot.domain.graphs import figures
from bot.domain.messages import Graph, Message
from bot.domain.phrases import Words
from bot.platforms.telegram import layout, limits, markup
from bot.platforms.telegram.fitting import GAP, fitted
from bot.platforms.telegram.keyboard import Rows, keyboard, label, linkable
from bot.platforms.telegram.layout import Section
from bot.platforms.telegram.text import clean


@dataclass(frozen=True)
class Rendered:
    """``plain``: the same without markup. ``cut``: it did not fit. ``shortened``: something isn't shown, perhaps left
    out by the sender, that ``Message.whole`` may have.
    """

    html: str
    plain: str
    keyboard: Rows
    cut: bool
    shortened: bool


def render(message: Message, words: Words, room: int = limits.TEXT) -> Rendered:
    """*message* in the reader's language, in *room* units. PermanentError: a command that is too long for a button."""
    ends = closing(message, words)
    drawn = (layout.title(message, words), *layout.body(message, words), *ends)
    title, *rest = markup.spared(drawn)
    parts, cut = fitted(rest, room - title.size - GAP, len(ends))
    sections = (title, *parts)
    return Rendered(
        markup.html(sections, words),
        markup.plain(sections, words, room=room),
        keyboard(message.buttons, words),
        cut,
        cut or any(section.more for section in parts),
    )


def caption(message: Message, words: Words) -> Rendered:
    """The words that go with the picture of the first graph; its figures stay, for who can't see it."""
    at = next((at for at, block in enumerate(message.blocks) if isinstance(block, Graph)), None)
    if at is None:
        return render(message, words, limits.CAPTION)
    graph = message.blocks[at]
    assert isinstance(graph, Graph)
    blocks = (*message.blocks[:at], figures(graph), *message.blocks[at + 1 :])
    return render(replace(message, blocks=blocks), words, limits.CAPTION)


def closing(message: Message, words: Words) -> list[Section]:
    """What stands right above the keyboard, as part of the message."""
    asks = [layout.question(button, words) for button in message.buttons if button.confirm and button.command]
    lost = [button for button in message.buttons if button.url and not button.command and not linkable(button.url)]
    return [*asks, *(layout.address(label(button, words), button.url) for button in lost)]


def brief(message: Message, words: Words) -> str:
    """The words of *message* alone, for the alert that answers a press. It may be longer than an alert can be."""
    sections = (layout.title(message, words), *layout.body(message, words))
    return markup.plain(sections, words, gap="\n")


def whole(message: Message) -> bytes:
    """``Message.whole`` as the file to attach: masked, and at most ``limits.DOCUMENT`` bytes of whole lines."""
    content = clean(message.whole, None).encode()
    if len(content) <= limits.DOCUMENT:
        return content
    return content[: limits.DOCUMENT].rpartition(b"\n")[0]
