"""Acting as a person: say, edit, press, delete, and what only administrators of a chat can do."""

from dataclasses import dataclass

from bot.simulator.telegram import department
from bot.simulator.telegram.department import BOT_ID, PEOPLE, TOPIC, Chat, Json, Topic
from bot.simulator.telegram.entities import detect
from bot.simulator.telegram.messages import Message, Revision
from bot.simulator.telegram.state import Press, Telegram

_INSTANCE = "-1234567890123456789"
_ROOT_AGE = 86_400
"""Seconds since the topics were made."""


@dataclass(frozen=True)
class Person:
    """LookupError: no such thing to act on."""

    tg: Telegram
    user: int

    def __post_init__(self) -> None:
        if self.user not in PEOPLE:
            raise LookupError(f"nobody here has the id {self.user}")

    def _chat(self, id_: int | None) -> Chat:
        """None: the private chat with the bot."""
        found = self.tg.chats.get(self.user if id_ is None else id_)
        if found is None or found.migrated_to is not None or self.user not in found.members:
            raise LookupError(f"{PEOPLE[self.user]} is in no chat {id_}")
        return found

    def _hears(self, chat: Chat) -> bool:
        return chat.bot in ("administrator", "member")

    def say(
        self, text: str, chat: int | None = None, thread: int | None = None, reply_to: int | None = None
    ) -> Message:
        """Type a message; the first one in private starts the bot."""
        where = self._chat(chat)
        if thread is not None and where.topics.get(thread, Topic("", "deleted")).state != "open":
            raise LookupError(f"there is no open topic {thread} in {where.title}")
        if where.type == "private" and where.bot == "left":
            where.bot = "member"
        revision = Revision(self.tg.now(), text, tuple(detect(text, [])))
        message = self.tg.post(where, department.person(self.user), revision, thread=thread, reply_to=reply_to)
        if self._hears(where):
            self.tg.updates.push("message", self._shown(message))
        return message

    def _shown(self, message: Message) -> Json:
        """With what it answers: in a topic, by default, the message that made the topic."""
        shown = message.wire()
        answered = self.tg.find(message.chat, message.reply_to) if message.reply_to else None
        if answered is not None:
            return shown | {"reply_to_message": answered.wire()}
        return shown | ({"reply_to_message": self._root(message)} if message.thread else {})

    def _root(self, message: Message) -> Json:
        topic = message.thread or TOPIC
        return {
            "message_id": topic,
            "from": department.person(self.user),
            "chat": message.chat.wire(),
            "date": int(message.date.timestamp()) - _ROOT_AGE,
            "message_thread_id": topic,
            "forum_topic_created": {"name": message.chat.topics[topic].name, "icon_color": 7322096},
            "is_topic_message": True,
        }

    def edit(self, chat: int | None, message_id: int, text: str) -> Message:
        message = self._message(chat, message_id)
        if message.author["id"] != self.user:
            raise LookupError(f"message {message_id} is not {PEOPLE[self.user]}'s")
        message.revisions.append(Revision(self.tg.now(), text, tuple(detect(text, []))))
        self.tg.updates.push("edited_message", self._shown(message))
        return message

    def _message(self, chat: int | None, message_id: int) -> Message:
        found = self.tg.find(self._chat(chat), message_id)
        if found is None:
            raise LookupError(f"no message {message_id} there")
        return found

    def find(self, button: str, chat: int | None = None, message_id: int | None = None) -> tuple[Message, Json]:
        """The newest message this person sees that has *button* (its text or callback_data)."""
        where = self._chat(chat)
        for message in reversed(self.tg.everything(where.id)):
            hidden = message.deleted_at or message.receiver not in (None, self.user)
            if hidden or message_id not in (None, message.id):
                continue
            for found in message.buttons:
                if button in (found["text"], found.get("callback_data")) and "callback_data" in found:
                    return message, found
        raise LookupError(f"{PEOPLE[self.user]} sees no button {button!r} in {where.title}")

    def press(self, button: str, chat: int | None = None, message_id: int | None = None) -> Press:
        message, found = self.find(button, chat, message_id)
        return self._pressed(message, found["callback_data"])

    def forge(self, data: str, chat: int, message_id: int) -> Press:
        """A press that no button offers, on any message, also a deleted one."""
        for message in self.tg.everything(chat):
            if message.id == message_id:
                return self._pressed(message, data)
        raise LookupError(f"there was never a message {message_id} in {chat}")

    def _pressed(self, message: Message, data: str) -> Press:
        press = Press(str(self.tg.dice.getrandbits(63)), self.user, message, data, self.tg.now())
        self.tg.presses[press.id] = press
        gone = {"chat": message.chat.wire(), "message_id": message.id, "date": 0}
        self.tg.updates.push(
            "callback_query",
            {
                "id": press.id,
                "from": department.person(self.user),
                "message": gone if message.deleted_at else message.wire(),
                "chat_instance": _INSTANCE,
                "data": data,
            },
        )
        return press

    def answers(self) -> Json:
        """What only this person saw: answers to presses, ephemeral messages."""
        presses = [p for p in self.tg.presses.values() if p.user == self.user]
        return {
            "presses": [{"id": p.id, "data": p.data, "answer": p.answer} for p in presses],
            "messages": [m.report() for m in self.tg.messages if m.receiver == self.user],
        }

    def delete(self, chat: int | None, message_id: int) -> None:
        """Delete any message by hand; bots are not told."""
        self.tg.delete(self._message(chat, message_id))

    def membership(self, chat: int | None, status: str) -> None:
        """Make the bot administrator, member, kicked or left; in private, blocked or member."""
        where = self._chat(chat)
        old = self.tg.member(where, BOT_ID)
        where.bot = status
        new = self.tg.member(where, BOT_ID)
        if status == "blocked":
            new = {"user": department.bot(), "status": "kicked", "until_date": 0}
        self.tg.updates.push(
            "my_chat_member",
            {
                "chat": where.wire(),
                "from": department.person(self.user),
                "date": int(self.tg.now().timestamp()),
                "old_chat_member": old,
                "new_chat_member": new,
            },
        )

    def topic(self, chat: int, thread: int, state: str, name: str = "topic") -> None:
        """Make a topic, or make it open, closed or deleted; 0 is General."""
        where = self._chat(chat)
        if thread == 0:
            where.general_closed = state == "closed"
        else:
            where.topics.setdefault(thread, Topic(name)).state = state

    def group(self, id_: int, title: str) -> Chat:
        """A new basic group with everyone and the bot in it."""
        self.tg.chats[id_] = Chat(id_, "group", title, "member", set(PEOPLE))
        return self.tg.chats[id_]

    def migrate(self, chat: int) -> Chat:
        """The group becomes a supergroup: the old id dies, both chats say so."""
        old = self._chat(chat)
        new_id = int(f"-100{abs(old.id) % 10**10:010d}") if old.type == "group" else old.id - 1
        new = Chat(new_id, "supergroup", old.title, old.bot, set(old.members), dict(old.topics), old.is_forum)
        self.tg.chats[new_id] = new
        old.migrated_to = new_id
        for where, what in ((old, {"migrate_to_chat_id": new_id}), (new, {"migrate_from_chat_id": old.id})):
            who = department.person(self.user)
            message = self.tg.post(where, who, Revision(self.tg.now(), ""), service=what)
            self.tg.updates.push("message", message.wire())
        return new
