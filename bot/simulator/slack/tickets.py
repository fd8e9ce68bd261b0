"""What the app gets for a short time: trigger ids, response urls, Socket Mode addresses."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from bot.simulator.slack import limits
from bot.simulator.slack.errors import SlackError


@dataclass
class Trigger:
    user: str
    at: datetime
    used: bool = False


@dataclass
class Response:
    """A response_url: who acted where, and on which message."""

    user: str
    channel: str
    message_ts: str | None
    thread_ts: str | None
    at: datetime
    uses: int = 0


class Tickets:
    """Trigger ids (3 s, once), response urls (30 min, 5 uses), Socket Mode tickets (30 s, once)."""

    def __init__(self, now: Callable[[], datetime], dice: random.Random) -> None:
        self._now = now
        self._dice = dice
        self._triggers: dict[str, Trigger] = {}
        self._responses: dict[str, Response] = {}
        self._sockets: dict[str, datetime] = {}

    def _age(self, at: datetime) -> float:
        return (self._now() - at).total_seconds()

    def trigger(self, user: str) -> str:
        """A fresh trigger_id of *user*'s act."""
        found = f"{self._dice.randrange(10**11)}.{self._dice.randrange(10**9)}.{self._dice.randbytes(16).hex()}"
        self._triggers[found] = Trigger(user, self._now())
        return found

    def exchange(self, trigger_id: str) -> str:
        """The user of a trigger, which is spent by this. SlackError: invalid, expired or exchanged_trigger_id."""
        found = self._triggers.get(trigger_id)
        if found is None:
            raise SlackError("invalid_trigger_id")
        if found.used:
            raise SlackError("exchanged_trigger_id")
        if self._age(found.at) > limits.TRIGGER:
            raise SlackError("expired_trigger_id")
        found.used = True
        return found.user

    def response(self, user: str, channel: str, message_ts: str | None, thread_ts: str | None) -> str:
        """The secret part of a new response_url."""
        key = f"{self._dice.randrange(10**10)}/{self._dice.randbytes(12).hex()}"
        self._responses[key] = Response(user, channel, message_ts, thread_ts, self._now())
        return key

    def look(self, key: str) -> Response:
        """A response_url without spending a use. KeyError: never issued."""
        return self._responses[key]

    def use(self, key: str) -> Response:
        """Spend one use. SlackError (status 404): no_url, expired_url, used_url."""
        found = self._responses.get(key)
        if found is None:
            raise SlackError("no_url", status=404)
        if self._age(found.at) > limits.RESPONSE_URL_LIFE:
            raise SlackError("expired_url", status=404)
        if found.uses >= limits.RESPONSE_URL_USES:
            raise SlackError("used_url", status=404)
        found.uses += 1
        return found

    def socket(self) -> str:
        """A fresh Socket Mode ticket."""
        found = self._dice.randbytes(16).hex()
        self._sockets[found] = self._now()
        return found

    def redeem(self, ticket: str) -> bool:
        """Whether *ticket* opens a socket: known, unused, at most 30 s old."""
        at = self._sockets.pop(ticket, None)
        return at is not None and self._age(at) <= limits.TICKET_LIFE
