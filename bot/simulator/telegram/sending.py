"""send*: messages, photos, documents, rich messages, to everyone in a chat or to one person in it."""

from dataclasses import dataclass

from bot.simulator.telegram import department, limits, markup, media, rich, texts
from bot.simulator.telegram.args import Args
from bot.simulator.telegram.department import Chat, Json
from bot.simulator.telegram.errors import bad_request
from bot.simulator.telegram.messages import Message, Revision
from bot.simulator.telegram.state import Press, Telegram


@dataclass(frozen=True)
class Place:
    """Where a message goes: chat, topic, the message it answers, the one person who sees it; and how loudly."""

    chat: Chat
    thread: int | None
    reply_to: int | None
    receiver: int | None
    silent: bool


def place(tg: Telegram, args: Args) -> Place:
    """TelegramError: chat, topic, reply or receiver cannot be."""
    chat = tg.reachable(args.text("chat_id"))
    answered = _answered(tg, chat, args)
    wanted = args.number("message_thread_id") or (answered.thread if answered and answered.thread else 0)
    thread = tg.thread(chat, wanted)
    return Place(
        chat, thread, answered.id if answered else None, _receiver(tg, chat, args), args.flag("disable_notification")
    )


def _answered(tg: Telegram, chat: Chat, args: Args) -> Message | None:
    given = args.structure("reply_parameters")
    given = given if isinstance(given, dict) else {"message_id": args.number("reply_to_message_id")}
    if not given.get("message_id"):
        return None
    found = tg.find(chat, int(given["message_id"]))
    if found is None and not (given.get("allow_sending_without_reply") or args.flag("allow_sending_without_reply")):
        raise bad_request("message to be replied not found")
    return found


def _receiver(tg: Telegram, chat: Chat, args: Args) -> int | None:
    """Who alone sees the message. A bot that is no administrator answers a press within 15 s, naming it."""
    given = args.structure("ephemeral_message_parameters")
    if given is None:
        return None
    user = given.get("receiver_user_id")
    if not chat.is_group:
        raise bad_request("ephemeral messages can be sent only to groups")
    if user not in chat.members:
        raise bad_request("PARTICIPANT_ID_INVALID")
    if chat.bot != "administrator" and not _pressed_now(tg, tg.presses.get(str(given.get("callback_query_id"))), user):
        raise bad_request("EPHEMERAL_MESSAGE_NOT_ALLOWED")
    return int(user)


def _pressed_now(tg: Telegram, press: Press | None, user: object) -> bool:
    if press is None or press.user != user:
        return False
    return (tg.now() - press.at).total_seconds() <= limits.EPHEMERAL_WINDOW


def _send(tg: Telegram, where: Place, revision: Revision) -> Json:
    tg.charge(where.chat)
    message = tg.post(
        where.chat,
        department.bot(),
        revision,
        thread=where.thread,
        reply_to=where.reply_to,
        receiver=where.receiver,
    )
    message.silent = where.silent
    shown = message.wire()
    answered = tg.find(where.chat, where.reply_to) if where.reply_to else None
    return shown | ({"reply_to_message": answered.wire()} if answered else {})


def message(tg: Telegram, args: Args) -> Json:
    where = place(tg, args)
    text, entities = texts.read(args, "text")
    return _send(tg, where, Revision(tg.now(), text, entities, markup.read(args, where.chat)))


def _media(tg: Telegram, args: Args, kind: media.Kind) -> Json:
    where = place(tg, args)
    caption, entities = texts.read(args, "caption")
    part = media.read(tg, args, kind, args.text(kind)) | media.above(args)
    return _send(tg, where, Revision(tg.now(), caption, entities, markup.read(args, where.chat), part))


def photo(tg: Telegram, args: Args) -> Json:
    return _media(tg, args, "photo")


def document(tg: Telegram, args: Args) -> Json:
    return _media(tg, args, "document")


def rich_message(tg: Telegram, args: Args) -> Json:
    where = place(tg, args)
    text, entities = rich.read(tg, args)
    given = args.structure("rich_message")
    return _send(tg, where, Revision(tg.now(), text, entities, markup.read(args, where.chat), rich=given))


def chat_action(tg: Telegram, args: Args) -> bool:
    chat = tg.reachable(args.text("chat_id"))
    tg.thread(chat, args.number("message_thread_id"))
    return True
