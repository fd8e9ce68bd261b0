"""One Slack message with everything it ever said."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from bot.simulator.slack import attachments, mentions
from bot.simulator.slack.department import APP, BOT_ID, BOT_NAME, BOT_USER, TEAM
from bot.simulator.slack.rules import walk
from bot.simulator.slack.schema import Json


@dataclass(frozen=True)
class Revision:
    """What the message said from *at* on. *attachments* are None where an edit leaves them as they are."""

    at: datetime
    text: str
    blocks: tuple[Json, ...] = ()
    metadata: Json | None = None
    link_names: bool = False
    attachments: tuple[Json, ...] | None = None

    @property
    def parts(self) -> list[tuple[str, list[Json]]]:
        """Everything a reader sees of it: the text with its blocks, then each attachment's texts."""
        return [(self.text, list(self.blocks)), *((text, []) for text in attachments.said(self.attachments))]


@dataclass(frozen=True)
class Button:
    """One thing a person can press."""

    text: str
    action_id: str
    block_id: str
    value: str
    element: Json

    def visible_to(self, user: str) -> bool:
        allowed = self.element.get("visible_to_user_ids")
        return allowed is None or user in allowed


_PRESSABLE: Final = ("button", "icon_button")


def buttons(blocks: tuple[Json, ...]) -> list[Button]:
    return [
        Button(
            text=str(element["text"]["text"]),
            action_id=str(element.get("action_id", "")),
            block_id=str(block.get("block_id", "")),
            value=str(element.get("value", "")),
            element=element,
        )
        for block in blocks
        for element in walk(block)
        if element.get("type") in _PRESSABLE
    ]


@dataclass
class Message:
    """A message in a channel; *receiver* set: ephemeral, for that person only."""

    ts: str
    channel: str
    author: str
    revisions: list[Revision]
    thread_ts: str | None = None
    receiver: str | None = None
    files: list[Json] = field(default_factory=list)
    reactions: dict[str, list[str]] = field(default_factory=dict)
    pinned: bool = False
    broadcast: bool = False
    """A reply that stands in the channel too."""
    deleted_at: datetime | None = None

    @property
    def now(self) -> Revision:
        return self.revisions[-1]

    @property
    def text(self) -> str:
        return self.now.text

    @property
    def blocks(self) -> tuple[Json, ...]:
        return self.now.blocks

    @property
    def buttons(self) -> list[Button]:
        return buttons(self.blocks)

    @property
    def kind(self) -> str:
        """`ephemeral`, `file`, `blocks` or `text`."""
        if self.receiver:
            return "ephemeral"
        if self.files:
            return "file"
        return "blocks" if self.blocks else "text"

    @property
    def mentions(self) -> list[str]:
        """Whom any revision notified or would notify."""
        return [
            found
            for revision in self.revisions
            for text, blocks in revision.parts
            for found in mentions.mentions(text, blocks, link_names=revision.link_names)
        ]

    @property
    def links(self) -> list[tuple[str, str]]:
        return mentions.links(self.text, list(self.blocks))

    def edit(self, revision: Revision) -> None:
        """Metadata and attachments the edit leaves out are kept."""
        metadata = revision.metadata if revision.metadata is not None else self.now.metadata
        secondary = revision.attachments if revision.attachments is not None else self.now.attachments
        self.revisions.append(replace(revision, metadata=metadata, attachments=secondary))

    def wire(self, *, metadata: bool = False) -> Json:
        """As the Web API and events show it."""
        shown: Json = {"type": "message", "user": self.author, "ts": self.ts, "team": TEAM, "text": self.text}
        if self.author == BOT_USER:
            shown |= {"bot_id": BOT_ID, "app_id": APP, "bot_profile": bot_profile()}
        more = {"blocks": list(self.blocks), "attachments": list(self.now.attachments or ()), "files": self.files}
        shown |= {name: parts for name, parts in more.items() if parts}
        if self.thread_ts:
            shown |= {"thread_ts": self.thread_ts} | ({"subtype": "thread_broadcast"} if self.broadcast else {})
        if self.reactions:
            shown["reactions"] = [
                {"name": name, "users": users, "count": len(users)} for name, users in self.reactions.items()
            ]
        if len(self.revisions) > 1 and not self.blocks:
            shown["edited"] = {"user": self.author, "ts": f"{self.now.at.timestamp():.6f}"}
        if metadata and self.now.metadata:
            shown["metadata"] = self.now.metadata
        return shown

    def report(self) -> Json:
        """For whoever drives the simulator: all revisions, what can be pressed, who was mentioned."""
        return {
            "ts": self.ts,
            "channel": self.channel,
            "author": self.author,
            "kind": self.kind,
            "thread_ts": self.thread_ts,
            "receiver": self.receiver,
            "text": self.text,
            "blocks": list(self.blocks),
            "attachments": list(self.now.attachments or ()),
            "buttons": [{"text": b.text, "action_id": b.action_id, "value": b.value} for b in self.buttons],
            "mentions": self.mentions,
            "links": [list(link) for link in self.links],
            "metadata": self.now.metadata,
            "files": self.files,
            "reactions": self.reactions,
            "pinned": self.pinned,
            "broadcast": self.broadcast,
            "deleted_at": self.deleted_at.isoformat() if self.deleted_at else None,
            "revisions": [
                {"at": r.at.isoformat(), "text": r.text, "blocks": list(r.blocks), "metadata": r.metadata}
                for r in self.revisions
            ],
        }


def bot_profile() -> Json:
    return {"id": BOT_ID, "app_id": APP, "name": BOT_NAME, "team_id": TEAM, "deleted": False, "user_id": BOT_USER}
