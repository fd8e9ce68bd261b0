"""The workspace: channels, messages, views, files, and a log of every call."""

import random
from collections.abc import Callable
from datetime import datetime
from typing import Final

from bot.simulator.calls import Call, Troubles
from bot.simulator.slack import department
from bot.simulator.slack.department import BOT_USER, Channel
from bot.simulator.slack.errors import SlackError
from bot.simulator.slack.messages import Message, Revision
from bot.simulator.slack.rates import Rates
from bot.simulator.slack.schema import Json
from bot.simulator.slack.shelf import Shelf
from bot.simulator.slack.tickets import Tickets
from bot.simulator.slack.trouble import Trouble

_MICRO: Final = 1_000_000


def order(ts: str) -> tuple[int, int]:
    """A ts as something that compares: seconds, microseconds. SlackError: not a ts."""
    seconds, _, rest = ts.partition(".")
    if not seconds.isdecimal() or (rest and not rest.isdecimal()):
        raise SlackError("invalid_arguments", [f"not a timestamp: {ts}"])
    return int(seconds), int((rest + "000000")[:6])


class Workspace:
    """State of one Slack workspace with pult installed. All methods are synchronous: one event loop owns it."""

    def __init__(self, now: Callable[[], datetime], dice: random.Random) -> None:
        self.now = now
        self.dice = dice
        self.people = dict(department.PEOPLE)
        self.channels = department.channels()
        self.messages: list[Message] = []
        self.calls: list[Call] = []
        self.subscriptions = set(department.SUBSCRIPTIONS)
        self.unknown_blocks: set[str] = set()
        self.rates = Rates(now)
        self.troubles: Troubles[Trouble] = Troubles()
        self.shelf = Shelf(now)
        self.tickets = Tickets(now, dice)
        self.homes: dict[str, Json] = {}
        self.modals: dict[str, Json] = {}
        self._last = 0

    def stamp(self) -> str:
        """A new ts, later than every earlier one."""
        self._last = max(int(self.now().timestamp() * _MICRO), self._last + 1)
        return f"{self._last // _MICRO}.{self._last % _MICRO:06d}"

    def token(self, alphabet: str, length: int) -> str:
        return "".join(self.dice.choices(alphabet, k=length))

    def ident(self, prefix: str) -> str:
        """A new id such as `F07K…`."""
        return prefix + self.token("ABCDEFGHJKLMNPQRSTUVWXYZ0123456789", 10)

    # --- channels ---

    def channel(self, id_: str) -> Channel:
        """The channel, or channel_not_found."""
        found = self.channels.get(id_)
        if found is None:
            raise SlackError("channel_not_found")
        return found

    def reachable(self, id_: str, *, write: bool = True) -> Channel:
        """A channel the bot may use: it is in it, and when it wants to *write*, it is not archived."""
        found = self.channel(id_)
        if write and found.archived:
            raise SlackError("is_archived")
        if BOT_USER not in found.members:
            raise SlackError("not_in_channel")
        return found

    def direct(self, user: str) -> Channel:
        """The direct messages of *user* with the bot, opened if need be. SlackError: user_not_found."""
        if user not in self.people or user == BOT_USER:
            raise SlackError("user_not_found")
        id_ = department.direct_id(user)
        if id_ not in self.channels:
            self.channels[id_] = Channel(id_, f"dm-{self.people[user]}", {user, BOT_USER}, owner=user)
        return self.channels[id_]

    # --- messages ---

    def post(
        self,
        channel: str,
        author: str,
        revision: Revision,
        *,
        thread_ts: str | None = None,
        receiver: str | None = None,
        files: list[Json] | None = None,
    ) -> Message:
        """Put a message into *channel*. SlackError: thread_not_found."""
        if thread_ts is not None:
            thread_ts = self._root(channel, thread_ts)
        message = Message(self.stamp(), channel, author, [revision], thread_ts, receiver, files or [])
        self.messages.append(message)
        return message

    def _root(self, channel: str, ts: str) -> str:
        parent = self.find(channel, ts)
        if parent is None:
            if any(m.thread_ts == ts and m.channel == channel for m in self.messages):
                return ts
            raise SlackError("thread_not_found")
        return parent.thread_ts or parent.ts

    def find(self, channel: str, ts: str) -> Message | None:
        """The message, also an ephemeral one, unless it was deleted."""
        for message in reversed(self.messages):
            if message.ts == ts and message.channel == channel:
                return None if message.deleted_at else message
        return None

    def visible(self, channel: str, ts: str) -> Message:
        """A message everyone in the channel sees, or message_not_found."""
        found = self.find(channel, ts)
        if found is None or found.receiver:
            raise SlackError("message_not_found")
        return found

    def delete(self, message: Message) -> None:
        message.deleted_at = self.now()

    def standing(self, channel: str) -> list[Message]:
        """What everyone in the channel sees now, oldest first, replies included."""
        return [m for m in self.messages if m.channel == channel and not m.receiver and not m.deleted_at]

    def everything(self, channel: str) -> list[Message]:
        """All messages ever in the channel, ephemeral and deleted ones too, oldest first."""
        return [m for m in self.messages if m.channel == channel]

    def answers(self, user: str) -> list[Message]:
        """What only *user* saw, in any channel."""
        return [m for m in self.messages if m.receiver == user]

    def replies(self, message: Message) -> list[Message]:
        return [m for m in self.standing(message.channel) if m.thread_ts == message.ts]
