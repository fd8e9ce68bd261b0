"""edit*, delete*: what may be changed in a message that stands."""

from dataclasses import replace

from bot.simulator.telegram import markup, media, rich, texts
from bot.simulator.telegram.args import Args
from bot.simulator.telegram.department import BOT_ID, Chat, Json
from bot.simulator.telegram.errors import bad_request
from bot.simulator.telegram.messages import Message, Revision
from bot.simulator.telegram.state import Telegram

_SAME = (
    "message is not modified: specified new message content and reply markup are exactly the same as a current "
    "content and reply markup of the message"
)


def _target(tg: Telegram, args: Args) -> Message:
    chat = tg.reachable(args.text("chat_id"))
    id_ = args.number("message_id")
    if id_ <= 0:
        raise bad_request("message identifier is not specified")
    return _own(tg, chat, id_, ephemeral=False)


def _own(tg: Telegram, chat: Chat, id_: int, *, ephemeral: bool) -> Message:
    found = tg.find(chat, id_, ephemeral=ephemeral)
    if found is None:
        raise bad_request("message to edit not found")
    if found.author["id"] != BOT_ID or found.service:
        raise bad_request("message can't be edited")
    return found


def _edit(tg: Telegram, message: Message, revision: Revision) -> Json:
    """Edits share the rates of sends. 400: message is not modified."""
    tg.charge(message.chat)
    if revision.same(message.now):
        raise bad_request(_SAME)
    message.revisions.append(revision)
    return message.wire()


def _written(tg: Telegram, args: Args, message: Message) -> Revision:
    if message.now.media is not None:
        raise bad_request("there is no text in the message to edit")
    keyboard = markup.read(args, message.chat)
    given = args.structure("rich_message")
    if given is not None:
        text, entities = rich.read(tg, args)
        return Revision(tg.now(), text, entities, keyboard, rich=given)
    text, entities = texts.read(args, "text")
    return Revision(tg.now(), text, entities, keyboard)


def text(tg: Telegram, args: Args) -> Json:
    message = _target(tg, args)
    return _edit(tg, message, _written(tg, args, message))


def caption(tg: Telegram, args: Args) -> Json:
    message = _target(tg, args)
    if message.now.media is None:
        raise bad_request("there is no caption in the message to edit")
    said, entities = texts.read(args, "caption")
    keyboard = markup.read(args, message.chat)
    part = {name: value for name, value in message.now.media.items() if name != media.ABOVE} | media.above(args)
    return _edit(tg, message, Revision(tg.now(), said, entities, keyboard, part))


def media_(tg: Telegram, args: Args) -> Json:
    message = _target(tg, args)
    given = args.structure("media")
    if not isinstance(given, dict) or given.get("type") not in ("photo", "document"):
        raise bad_request("unsupported media type specified")
    if message.now.rich is not None:
        raise bad_request("message can't be edited")
    part = media.read(tg, args, given["type"], str(given.get("media", ""))) | media.above(Args(given))
    said, entities = texts.read(Args(given), "caption")
    keyboard = markup.read(args, message.chat)
    return _edit(tg, message, Revision(tg.now(), said, entities, keyboard, part))


def reply_markup(tg: Telegram, args: Args) -> Json:
    message = _target(tg, args)
    return _edit(tg, message, replace(message.now, at=tg.now(), keyboard=markup.read(args, message.chat)))


def delete(tg: Telegram, args: Args) -> bool:
    """Own messages, and with administrator rights everyone's."""
    chat = tg.reachable(args.text("chat_id"))
    found = tg.find(chat, args.number("message_id"))
    if found is None:
        raise bad_request("message to delete not found")
    if found.author["id"] != BOT_ID and chat.bot != "administrator":
        raise bad_request("message can't be deleted")
    tg.delete(found)
    return True


def _ephemeral(tg: Telegram, args: Args) -> Message:
    chat = tg.reachable(args.text("chat_id"))
    message = _own(tg, chat, args.number("ephemeral_message_id"), ephemeral=True)
    if args.number("receiver_user_id", message.receiver or 0) != message.receiver:
        raise bad_request("message to edit not found")
    return message


def ephemeral_text(tg: Telegram, args: Args) -> bool:
    message = _ephemeral(tg, args)
    _edit(tg, message, _written(tg, args, message))
    return True


def ephemeral_delete(tg: Telegram, args: Args) -> bool:
    tg.delete(_ephemeral(tg, args))
    return True
