"""Buttons: what a press sends is the command itself, as if the person had typed it."""

from __future__ import annotations

from collections.abc import Sequence

from bot.domain.messages import Button, Confirm, Style
from bot.domain.phrases import Phrase, Words, phrase
from bot.platforms.slack import limits
from bot.platforms.slack.blocks import Json, Room, flat, plain
from bot.platforms.slack.texts import address, clean, cut, size

_STYLES: dict[Style, Json] = {
    Style.PLAIN: {},
    Style.PRIMARY: {"style": "primary"},
    Style.DANGER: {"style": "danger"},
}


def actions(buttons: Sequence[Button], words: Words, room: Room) -> tuple[list[Json], bool]:
    """One actions block (or none), and whether every button that can be pressed is on it."""
    inner = room.within(limits.ACTIONS_TEXT)
    elements: list[Json] = []
    pressable = [(at, button) for at, button in enumerate(buttons) if usable(button)]
    for at, button in pressable[: limits.ACTIONS]:
        element, cost = _element(f"pult:{at}", button, words)
        if cost > inner.left:
            break
        inner.spend(cost)
        elements.append(element)
    return [{"type": "actions", "elements": elements}] if elements else [], len(elements) == len(pressable)


def usable(button: Button) -> bool:
    """A command that masking would change can't be sent back, and an address Slack refuses can't be opened."""
    if button.command:
        return clean(button.command) == button.command and len(button.command) <= limits.BUTTON_VALUE
    return bool(address(button.url))


def label(button: Button, words: Words) -> str:
    """What stands on the button."""
    return cut(flat(button.label, words) or button.command or button.url, limits.BUTTON)


def _element(ident: str, button: Button, words: Words) -> tuple[Json, int]:
    """The element, and the characters it costs. ``action_id`` only has to be unique: routing goes by ``value``."""
    text = label(button, words)
    target = {"value": button.command} if button.command else {"url": address(button.url)}
    element = {"type": "button", "action_id": ident, "text": plain(text), **target, **_STYLES[button.style]}
    cost = size(text)
    if button.confirm is not None:
        asked = _confirm(button.confirm, button, words)
        element["confirm"] = asked
        cost += sum(size(asked[part]["text"]) for part in ("title", "text", "confirm", "deny"))
    return element, cost


def _confirm(confirm: Confirm, button: Button, words: Words) -> Json:
    again = label(button, words)

    def said(sentence: Phrase, most: int) -> Json:
        return plain(cut(flat(sentence, words) or again, most))

    asked: Json = {
        "title": said(confirm.title, limits.CONFIRM_TITLE),
        "text": said(confirm.text, limits.CONFIRM_TEXT),
        "confirm": plain(cut(again, limits.CONFIRM_BUTTON)),
        "deny": said(phrase("Cancel"), limits.CONFIRM_BUTTON),
    }
    return asked | _STYLES[button.style]
