"""All chats of the bot: messages, updates, callback queries, commands, and a log of every call."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from bot.simulator.calls import Call, Troubles
from bot.simulator.telegram import department
from bot.simulator.telegram.department import BOT_ID, Chat, Json
from bot.simulator.telegram.errors import TelegramError, bad_request, flood
from bot.simulator.telegram.messages import Message, Revision
from bot.simulator.telegram.queue import Updates
from bot.simulator.telegram.rates import Rates
from bot.simulator.telegram.trouble import Trouble


@dataclass
class Press:
    """A callback query, and what the person saw for it: `{text, show_alert}`."""

    id: str
    user: int
    message: Message
    data: str
    at: datetime
    answer: Json | None = None


@dataclass
class Webhook:
    """Where updates go, and how that went."""

    url: str = ""
    secret: str = ""
    max_connections: int = 40
    last_error_date: int | None = None
    last_error: str = ""


@dataclass
class Profile:
    """What the bot says of itself, by language; commands by scope and language."""

    commands: dict[tuple[str, str], list[Json]] = field(default_factory=dict)
    texts: dict[tuple[str, str], str] = field(default_factory=dict)
    menu_buttons: dict[str, Json] = field(default_factory=dict)


class Telegram:
    """State of the Bot API server for one bot. All methods are synchronous: one event loop owns it."""

    def __init__(self, now: Callable[[], datetime], dice: random.Random) -> None:
        self.now = now
        self.dice = dice
        self.chats = department.chats()
        self.messages: list[Message] = []
        self.calls: list[Call] = []
        self.presses: dict[str, Press] = {}
        self.updates = Updates(dice)
        self.webhook = Webhook()
        self.profile = Profile()
        self.files: dict[str, bytes] = {}
        self.rates = Rates(now)
        self.troubles: Troubles[Trouble] = Troubles()
        self.unknown: set[str] = set()
        """Methods, in lower case, that this server is too old for."""

    # --- chats ---

    def chat(self, id_: str) -> Chat:
        """The chat a bot names, or 400 chat not found / chat_id is empty / upgraded to a supergroup."""
        if not id_:
            raise bad_request("chat_id is empty")
        found = self.chats.get(int(id_)) if id_.lstrip("-").isdecimal() else None
        if found is None:
            raise bad_request("chat not found")
        if found.migrated_to is not None:
            raise TelegramError(
                400, "group chat was upgraded to a supergroup chat", migrate_to_chat_id=found.migrated_to
            )
        return found

    def reachable(self, id_: str) -> Chat:
        """A chat the bot may write to, or 403."""
        found = self.chat(id_)
        if found.bot == "kicked":
            raise TelegramError(403, f"bot was kicked from the {found.type} chat")
        if found.bot == "blocked":
            raise TelegramError(403, "bot was blocked by the user")
        if found.bot == "left":
            private = found.type == "private"
            sentence = "bot can't initiate conversation with a user" if private else "bot is not a member of the"
            raise TelegramError(403, sentence if private else f"{sentence} {found.type} chat")
        return found

    def charge(self, chat: Chat) -> None:
        """Count a message or an edit against the rates, or 429."""
        wait = self.rates.take(chat.id, group=chat.is_group)
        if wait:
            raise flood(wait)

    def thread(self, chat: Chat, thread: int) -> int | None:
        """The topic to post to; 0 is General. 400: message thread not found, TOPIC_CLOSED."""
        if not thread:
            if chat.is_forum and chat.general_closed:
                raise bad_request("TOPIC_CLOSED")
            return None
        topic = chat.topics.get(thread)
        if topic is None or topic.state == "deleted":
            raise bad_request("message thread not found")
        if topic.state == "closed":
            raise bad_request("TOPIC_CLOSED")
        return thread

    # --- messages ---

    def post(  # noqa: PLR0913 - the parts of a message
        self,
        chat: Chat,
        author: Json,
        revision: Revision,
        *,
        thread: int | None = None,
        reply_to: int | None = None,
        receiver: int | None = None,
        service: Json | None = None,
    ) -> Message:
        """Put a message into *chat* under its next id."""
        chat.last_id += 1
        message = Message(
            chat.last_id, chat, author, self.now(), [revision], thread, reply_to, receiver, service=service
        )
        self.messages.append(message)
        return message

    def find(self, chat: Chat, message_id: int, *, ephemeral: bool = False) -> Message | None:
        """The message, unless it was deleted."""
        for message in reversed(self.messages):
            if message.id == message_id and message.chat is chat and ephemeral == (message.receiver is not None):
                return None if message.deleted_at else message
        return None

    def delete(self, message: Message) -> None:
        message.deleted_at = self.now()

    def standing(self, chat: int) -> list[Message]:
        """What everyone in the chat sees now, oldest first."""
        return [m for m in self.everything(chat) if m.receiver is None and not m.deleted_at]

    def everything(self, chat: int) -> list[Message]:
        """All messages ever in the chat, oldest first."""
        return [m for m in self.messages if m.chat.id == chat]

    def member(self, chat: Chat, user: int) -> Json:
        """A ChatMember, with all the fields its status has."""
        who = department.bot() if user == BOT_ID else department.person(user)
        if user != BOT_ID:
            return {"user": who, "status": "member" if user in chat.members else "left"}
        status = chat.bot if chat.bot in ("administrator", "kicked", "left") else "member"
        extra: Json = {"until_date": 0} if status == "kicked" else {}
        if status == "administrator":
            extra = {"is_anonymous": False, "can_be_edited": False} | dict.fromkeys(_RIGHTS, True)
        return {"user": who, "status": status, **extra}


_RIGHTS = (
    "can_manage_chat", "can_delete_messages", "can_manage_video_chats", "can_restrict_members",
    "can_promote_members", "can_change_info", "can_invite_users", "can_post_stories", "can_edit_stories",
    "can_delete_stories", "can_pin_messages", "can_manage_topics",
)  # fmt: skip
