"""Every Bot API method this server knows; the rest are 404, as on a server that is older than the method."""

from collections.abc import Callable
from typing import Final

from bot.simulator.telegram import chats, editing, media, profile, sending, webhook
from bot.simulator.telegram.args import Args
from bot.simulator.telegram.state import Telegram


def _yes(_tg: Telegram, _args: Args) -> bool:
    return True


_METHODS: Final[dict[str, Callable[[Telegram, Args], object]]] = {
    "getMe": chats.get_me,
    "logOut": _yes,
    "close": _yes,
    "setWebhook": webhook.set_webhook,
    "deleteWebhook": webhook.delete_webhook,
    "getWebhookInfo": webhook.info,
    "sendMessage": sending.message,
    "sendPhoto": sending.photo,
    "sendDocument": sending.document,
    "sendRichMessage": sending.rich_message,
    "sendChatAction": sending.chat_action,
    "editMessageText": editing.text,
    "editMessageCaption": editing.caption,
    "editMessageMedia": editing.media_,
    "editMessageReplyMarkup": editing.reply_markup,
    "editEphemeralMessageText": editing.ephemeral_text,
    "deleteEphemeralMessage": editing.ephemeral_delete,
    "deleteMessage": editing.delete,
    "answerCallbackQuery": chats.answer_press,
    "getChat": chats.get_chat,
    "getChatMember": chats.member,
    "getChatAdministrators": chats.administrators,
    "leaveChat": chats.leave,
    "pinChatMessage": chats.pin,
    "unpinChatMessage": chats.unpin,
    "setMessageReaction": chats.react,
    "getFile": media.get_file,
    "setMyCommands": profile.set_commands,
    "getMyCommands": profile.get_commands,
    "deleteMyCommands": profile.delete_commands,
    "setMyName": profile.text_setter("name"),
    "getMyName": profile.text_getter("name"),
    "setMyDescription": profile.text_setter("description"),
    "getMyDescription": profile.text_getter("description"),
    "setMyShortDescription": profile.text_setter("short_description"),
    "getMyShortDescription": profile.text_getter("short_description"),
    "setChatMenuButton": profile.set_menu_button,
    "getChatMenuButton": profile.get_menu_button,
}

METHODS: Final = {name.lower(): run for name, run in _METHODS.items()}
"""By lower-case name: the Bot API does not mind the case."""
