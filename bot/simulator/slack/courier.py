"""What Slack sends to the app: over Socket Mode while a socket is open, else signed HTTP; repeated like Slack."""

import asyncio
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal
from urllib.parse import urlencode

from aiohttp import ClientError, ClientSession, ClientTimeout

from bot.simulator.slack import limits
from bot.simulator.slack.department import SIGNING_SECRET
from bot.simulator.slack.schema import Json
from bot.simulator.slack.socket import Sockets, Unacknowledged
from bot.simulator.slack.state import Workspace

Kind = Literal["events_api", "interactive", "slash_commands"]
_AGENT: Final = "Slackbot 1.0 (+https://api.slack.com/robots)"


@dataclass(frozen=True)
class Attempt:
    """One try: *failure* is Slack's retry reason, None when it was acknowledged in time."""

    at: datetime
    via: Literal["socket", "http", "nowhere"]
    seconds: float
    failure: str | None


@dataclass
class Delivery:
    """One event, command or press on its way to the app. *answer* is the payload of the acknowledgement."""

    kind: Kind
    payload: Json
    attempts: list[Attempt] = field(default_factory=list)
    answer: object = None

    @property
    def acked(self) -> bool:
        return bool(self.attempts) and self.attempts[-1].failure is None

    def report(self) -> Json:
        return {
            "kind": self.kind,
            "payload": self.payload,
            "acked": self.acked,
            "answer": self.answer,
            "attempts": [
                {"at": a.at.isoformat(), "via": a.via, "seconds": a.seconds, "failure": a.failure}
                for a in self.attempts
            ],
        }


def sign(body: bytes, timestamp: int, secret: str = SIGNING_SECRET) -> str:
    """X-Slack-Signature of a raw body."""
    return "v0=" + hmac.new(secret.encode(), b"v0:%d:%s" % (timestamp, body), hashlib.sha256).hexdigest()


class Courier:
    """*target* is the app's request URL in HTTP mode; *stretch* turns Slack's seconds between retries into ours."""

    def __init__(self, ws: Workspace, stretch: Callable[[float], float]) -> None:
        self._ws = ws
        self._stretch = stretch
        self._events: asyncio.Queue[Delivery] = asyncio.Queue()
        self._session: ClientSession | None = None
        self.sockets = Sockets(ws)
        self.deliveries: list[Delivery] = []
        self.target: str | None = None
        self.ack_seconds = limits.ACK

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Events leave while this is open."""
        async with ClientSession() as session:
            self._session = session
            parent = asyncio.create_task(self._run(), name="slack events")
            try:
                yield
            finally:
                parent.cancel()
                with suppress(asyncio.CancelledError):
                    await parent
                self._session = None

    async def _run(self) -> None:
        async with asyncio.TaskGroup() as group:
            while True:
                group.create_task(self._persist(await self._events.get()))

    def event(self, payload: Json) -> Delivery | None:
        """Queue one event_callback, unless the app did not subscribe to it (None)."""
        event = payload["event"]
        name = event["type"] if event["type"] != "message" else f"message.{_family(event)}"
        if name not in self._ws.subscriptions:
            return None
        delivery = Delivery("events_api", payload)
        self.deliveries.append(delivery)
        self._events.put_nowait(delivery)
        return delivery

    async def interact(self, kind: Kind, payload: Json) -> Delivery:
        """Deliver a command or a press, once, and wait for its acknowledgement. A person would see a failure."""
        delivery = Delivery(kind, payload)
        self.deliveries.append(delivery)
        await self._attempt(delivery)
        return delivery

    async def _persist(self, delivery: Delivery) -> None:
        await self._attempt(delivery)
        for pause in limits.EVENT_RETRIES:
            if delivery.acked:
                return
            await asyncio.sleep(self._stretch(pause))
            await self._attempt(delivery)

    async def _attempt(self, delivery: Delivery) -> None:
        began = self._ws.now()
        connection = self.sockets.any()
        via: Literal["socket", "http", "nowhere"] = (
            "socket" if connection else "http" if self.target and self._session else "nowhere"
        )
        retry = len(delivery.attempts)
        reason = (delivery.attempts[-1].failure or "") if retry else ""
        failure = None
        try:
            if connection:
                envelope = self.sockets.envelope(delivery.kind, delivery.payload, retry, reason)
                delivery.answer = await connection.deliver(envelope, self.ack_seconds)
            else:
                delivery.answer = await self._post(delivery, retry, reason)
        except Unacknowledged as lost:
            failure = str(lost)
        seconds = (self._ws.now() - began).total_seconds()
        delivery.attempts.append(Attempt(began, via, seconds, failure))

    async def _post(self, delivery: Delivery, retry: int, reason: str) -> object:
        if self.target is None or self._session is None:
            raise Unacknowledged("connection_failed")
        body, content_type = _encode(delivery)
        headers = {"Content-Type": content_type, **self._signed(body)}
        if retry:
            headers |= {"X-Slack-Retry-Num": str(retry), "X-Slack-Retry-Reason": reason}
        return await self._exchange(self._session, self.target, body, headers)

    async def _exchange(self, session: ClientSession, url: str, body: bytes, headers: dict[str, str]) -> object:
        timeout = ClientTimeout(total=self.ack_seconds)
        try:
            async with session.post(url, data=body, headers=headers, timeout=timeout) as answer:
                content = await answer.read()
        except TimeoutError:
            raise Unacknowledged("http_timeout") from None
        except ClientError:
            raise Unacknowledged("connection_failed") from None
        if answer.status != 200:
            raise Unacknowledged("http_error")
        return _decode(content)

    def _signed(self, body: bytes) -> dict[str, str]:
        timestamp = int(self._ws.now().timestamp())
        return {
            "User-Agent": _AGENT,
            "X-Slack-Request-Timestamp": str(timestamp),
            "X-Slack-Signature": sign(body, timestamp),
        }

    async def verify(self, url: str, challenge: str) -> bool:
        """url_verification: whether the app at *url* echoes the challenge."""
        if self._session is None:
            return False
        payload = {"token": "legacy-verification-token", "challenge": challenge, "type": "url_verification"}
        body = json.dumps(payload).encode()
        headers = {"Content-Type": "application/json", **self._signed(body)}
        try:
            answer = await self._exchange(self._session, url, body, headers)
        except Unacknowledged:
            return False
        return answer == challenge or (isinstance(answer, dict) and answer.get("challenge") == challenge)


def _family(event: Json) -> str:
    return "im" if event.get("channel_type") == "im" else "channels"


def _encode(delivery: Delivery) -> tuple[bytes, str]:
    """Events are JSON, commands a form, presses a form with the JSON in `payload`."""
    if delivery.kind == "events_api":
        return json.dumps(delivery.payload).encode(), "application/json"
    form = delivery.payload if delivery.kind == "slash_commands" else {"payload": json.dumps(delivery.payload)}
    return urlencode(form).encode(), "application/x-www-form-urlencoded"


def _decode(content: bytes) -> object:
    """JSON, plain text, or None for an empty body."""
    if not content:
        return None
    try:
        return json.loads(content)
    except ValueError:
        return content.decode(errors="replace")
