"""One Telegram message with everything it ever said."""

from dataclasses import dataclass, field
from datetime import datetime

from bot.simulator.telegram import entities
from bot.simulator.telegram.department import Chat, Json, person


@dataclass(frozen=True)
class Revision:
    """What the message said from *at* on; *media* is the part a photo or document adds, *rich* a rich message."""

    at: datetime
    text: str
    entities: tuple[Json, ...] = ()
    keyboard: Json | None = None
    media: Json | None = None
    rich: Json | None = None

    def same(self, other: "Revision") -> bool:
        """Nothing a reader sees differs."""
        mine = (self.text, self.entities, self.keyboard, self.media, self.rich)
        return mine == (other.text, other.entities, other.keyboard, other.media, other.rich)


@dataclass
class Message:
    """A message in a chat; *receiver* set: ephemeral, seen by that person only, with an id of its own kind.

    *silent*: sent with disable_notification.
    """

    id: int
    chat: Chat
    author: Json
    date: datetime
    revisions: list[Revision]
    thread: int | None = None
    reply_to: int | None = None
    receiver: int | None = None
    reactions: list[str] = field(default_factory=list)
    pinned: bool = False
    silent: bool = False
    deleted_at: datetime | None = None
    service: Json | None = None

    @property
    def now(self) -> Revision:
        return self.revisions[-1]

    @property
    def text(self) -> str:
        return self.now.text

    @property
    def kind(self) -> str:
        """`ephemeral`, `rich`, `photo`, `document`, `service` or `text`."""
        if self.receiver is not None:
            return "ephemeral"
        if self.now.rich is not None:
            return "rich"
        if self.now.media is not None:
            return "photo" if "photo" in self.now.media else "document"
        return "service" if self.service else "text"

    @property
    def buttons(self) -> list[Json]:
        rows = (self.now.keyboard or {}).get("inline_keyboard", [])
        return [button for row in rows for button in row]

    @property
    def mentions(self) -> list[str]:
        """Whom any revision notified or would notify."""
        return [found for r in self.revisions for found in entities.mentions(r.text, list(r.entities))]

    @property
    def links(self) -> list[tuple[str, str]]:
        return entities.links(self.text, list(self.now.entities))

    def wire(self) -> Json:
        """As answers and updates show it."""
        shown: Json = {
            "message_id": 0 if self.receiver is not None else self.id,
            "from": self.author,
            "chat": self.chat.wire(),
            "date": int(self.date.timestamp()),
        }
        if self.receiver is not None:
            shown["ephemeral_message_id"] = self.id
        if self.thread is not None:
            shown |= {"message_thread_id": self.thread, "is_topic_message": True}
        shown |= self._content()
        if len(self.revisions) > 1:
            shown["edit_date"] = int(self.now.at.timestamp())
        if self.now.keyboard:
            shown["reply_markup"] = self.now.keyboard
        return shown | (self.service or {})

    def _content(self) -> Json:
        marks = [_entity(one) for one in self.now.entities]
        if self.now.rich is not None:
            return {"rich_message": self.now.rich}
        if self.now.media is not None:
            found = dict(self.now.media)
            if self.text:
                found |= {"caption": self.text} | ({"caption_entities": marks} if marks else {})
            return found
        found = {"text": self.text} if self.text else {}
        return found | ({"entities": marks} if marks else {})

    def report(self) -> Json:
        """For whoever drives the simulator: all revisions, what can be pressed, who was mentioned."""
        return {
            "message_id": self.id,
            "chat_id": self.chat.id,
            "author": self.author["id"],
            "kind": self.kind,
            "thread": self.thread,
            "reply_to": self.reply_to,
            "receiver": self.receiver,
            "text": self.text,
            "entities": list(self.now.entities),
            "buttons": self.buttons,
            "mentions": self.mentions,
            "links": [list(link) for link in self.links],
            "rich": self.now.rich,
            "drawn": self.now.rich is None or self.chat.rich_clients,
            "reactions": self.reactions,
            "pinned": self.pinned,
            "silent": self.silent,
            "deleted_at": self.deleted_at.isoformat() if self.deleted_at else None,
            "revisions": [
                {"at": r.at.isoformat(), "text": r.text, "entities": list(r.entities), "keyboard": r.keyboard}
                for r in self.revisions
            ],
        }


def _entity(entity: Json) -> Json:
    """An entity on the wire: a mention of a person carries the person."""
    if entity["type"] != "text_mention":
        return entity
    return {key: value for key, value in entity.items() if key != "user_id"} | {"user": person(entity["user_id"])}
