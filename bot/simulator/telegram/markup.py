"""Inline keyboards: what a button must and may be."""

from typing import Final

from bot.simulator.telegram import limits
from bot.simulator.telegram.args import Args
from bot.simulator.telegram.department import Chat, Json
from bot.simulator.telegram.errors import TelegramError, bad_request
from bot.simulator.telegram.html import checked_url

_ACTIONS: Final = ("callback_data", "url", "copy_text", "web_app", "disabled", "switch_inline_query", "login_url")
_STYLES: Final = ("danger", "success", "primary")


def read(args: Args, chat: Chat) -> Json | None:
    """The reply_markup of a call, checked. TelegramError 400: BUTTON_DATA_INVALID and its kin."""
    markup = args.structure("reply_markup")
    if not markup:
        return None
    if not isinstance(markup, dict):
        raise bad_request("object expected as reply markup")
    if "inline_keyboard" not in markup:
        return None
    rows = markup["inline_keyboard"]
    if not isinstance(rows, list) or not all(isinstance(row, list) for row in rows):
        raise bad_request('can\'t parse inline keyboard: field "inline_keyboard" must be an Array of Arrays')
    kept = [[_button(button, chat) for button in row] for row in rows if row]
    if any(len(row) > limits.ROW for row in kept) or sum(map(len, kept)) > limits.BUTTONS:
        raise bad_request("REPLY_MARKUP_TOO_LONG")
    return {"inline_keyboard": kept} if kept else None


def _button(button: object, chat: Chat) -> Json:
    if not isinstance(button, dict):
        raise _cannot("InlineKeyboardButton must be an Object")
    if not button.get("text"):
        raise _cannot("Inline keyboard button text must be non-empty")
    actions = [name for name in _ACTIONS if name in button]
    if len(actions) != 1:
        raise _cannot("Text buttons are unallowed in the inline keyboard")
    if button.get("style") not in (None, *_STYLES):
        raise bad_request("BUTTON_STYLE_INVALID")
    _action(actions[0], button[actions[0]], chat)
    return button


def _action(name: str, value: object, chat: Chat) -> None:
    if name == "callback_data" and not _within(value, limits.CALLBACK_DATA, encoded=True):
        raise bad_request("BUTTON_DATA_INVALID")
    if name == "url" and checked_url(str(value)) is None:
        raise bad_request(f"inline keyboard button URL '{value}' is invalid: Wrong HTTP URL")
    if name == "copy_text" and not (isinstance(value, dict) and _within(value.get("text"), limits.COPY_TEXT)):
        raise bad_request("BUTTON_COPY_TEXT_INVALID")
    if name == "web_app" and chat.type != "private":
        raise bad_request("BUTTON_TYPE_INVALID")


def _within(value: object, most: int, *, encoded: bool = False) -> bool:
    """A string of 1 to *most* characters, or bytes."""
    return isinstance(value, str) and 1 <= len(value.encode() if encoded else value) <= most


def _cannot(sentence: str) -> TelegramError:
    return bad_request(f"can't parse inline keyboard button: {sentence}")
