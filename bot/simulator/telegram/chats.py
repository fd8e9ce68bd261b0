"""Chats, members, pins, reactions, callback answers."""

from typing import Final

from bot.simulator.telegram import department, html, limits
from bot.simulator.telegram.args import Args
from bot.simulator.telegram.department import BOT_ID, PEOPLE, Chat, Json
from bot.simulator.telegram.errors import bad_request
from bot.simulator.telegram.messages import Message
from bot.simulator.telegram.state import Telegram

_REACTIONS: Final = frozenset(
    "👍👎❤🔥🥰👏😁🤔🤯😱🤬😢🎉🤩🤮💩🙏👌🕊🤡🥱🥴😍🐳🌚🌭💯🤣⚡🍌🏆💔🤨😐🍓🍾💋🖕😈😴😭🤓👻👀"
    "🎃🙈😇😨🤝✍🤗🫡🎅🎄☃💅🤪🗿🆒💘🙉🦄😘💊🙊😎👾😡🤷"
)
"""ReactionTypeEmoji of the Bot API, without the composed ones; a check mark is not among them."""


def get_me(_tg: Telegram, _args: Args) -> Json:
    return department.bot() | {
        "can_join_groups": True,
        "can_read_all_group_messages": True,
        "supports_inline_queries": False,
        "can_connect_to_business": False,
        "has_main_web_app": False,
    }


def get_chat(tg: Telegram, args: Args) -> Json:
    chat = tg.chat(args.text("chat_id"))
    pinned = [m for m in tg.standing(chat.id) if m.pinned]
    shown = chat.wire() | {
        "accent_color_id": 0,
        "max_reaction_count": 11,
        "accepted_gift_types": dict.fromkeys(
            ("unlimited_gifts", "limited_gifts", "unique_gifts", "premium_subscription", "gifts_from_channels"), False
        ),
    }
    return shown | ({"pinned_message": pinned[-1].wire()} if pinned else {})


def _user(args: Args) -> int:
    user = args.number("user_id")
    if user not in (*PEOPLE, BOT_ID):
        raise bad_request("PARTICIPANT_ID_INVALID")
    return user


def member(tg: Telegram, args: Args) -> Json:
    return tg.member(tg.chat(args.text("chat_id")), _user(args))


def administrators(tg: Telegram, args: Args) -> list[Json]:
    chat = tg.chat(args.text("chat_id"))
    if chat.type == "private":
        raise bad_request("there are no administrators in the private chat")
    return [tg.member(chat, BOT_ID)] if chat.bot == "administrator" else []


def leave(tg: Telegram, args: Args) -> bool:
    tg.reachable(args.text("chat_id")).bot = "left"
    return True


def _message(tg: Telegram, chat: Chat, args: Args, absent: str) -> Message:
    found = tg.find(chat, args.number("message_id"))
    if found is None:
        raise bad_request(absent)
    return found


def pin(tg: Telegram, args: Args) -> bool:
    chat = tg.reachable(args.text("chat_id"))
    if chat.is_group and chat.bot != "administrator":
        raise bad_request("not enough rights to manage pinned messages in the chat")
    _message(tg, chat, args, "message to pin not found").pinned = True
    return True


def unpin(tg: Telegram, args: Args) -> bool:
    chat = tg.reachable(args.text("chat_id"))
    if args.has("message_id"):
        _message(tg, chat, args, "message to unpin not found").pinned = False
    else:
        for message in [m for m in tg.standing(chat.id) if m.pinned][-1:]:
            message.pinned = False
    return True


def react(tg: Telegram, args: Args) -> bool:
    """setMessageReaction: one emoji per bot, from Telegram's list; none takes it back."""
    chat = tg.reachable(args.text("chat_id"))
    message = _message(tg, chat, args, "message to react not found")
    wanted = [str(one.get("emoji", "")) for one in args.structure("reaction") or []]
    if len(wanted) > 1:
        raise bad_request("REACTIONS_TOO_MANY")
    if any(emoji not in _REACTIONS for emoji in wanted):
        raise bad_request("REACTION_INVALID")
    message.reactions = wanted
    return True


def answer_press(tg: Telegram, args: Args) -> bool:
    """answerCallbackQuery: what the person who pressed sees."""
    press = tg.presses.get(args.text("callback_query_id"))
    if press is None or (tg.now() - press.at).total_seconds() > limits.CALLBACK_LIFE:
        raise bad_request("query is too old and response timeout expired or query ID is invalid")
    text = args.text("text")
    if html.units(text) > limits.CALLBACK_TEXT:
        raise bad_request("MESSAGE_TOO_LONG")
    press.answer = {"text": text, "show_alert": args.flag("show_alert")}
    return True
