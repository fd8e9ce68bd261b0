"""Socket Mode: connections, envelopes, acknowledgements."""

import asyncio
import json
import uuid
from contextlib import suppress
from typing import Final

from aiohttp import WSMsgType, web

from bot.simulator.slack import limits
from bot.simulator.slack.department import APP
from bot.simulator.slack.schema import Json
from bot.simulator.slack.state import Workspace

_HOST: Final = "applink-111-222"
_QUICK: Final = 5.0
"""Seconds a frame may take to leave."""


class Unacknowledged(Exception):  # noqa: N818 - a state of affairs, not a fault of ours
    """No acknowledgement came in time; the text is Slack's retry reason."""


class Connection:
    """One WebSocket of the app."""

    def __init__(self, socket: web.WebSocketResponse, transport: asyncio.Transport | None) -> None:
        self.socket = socket
        self._transport = transport
        self._waiting: dict[str, asyncio.Future[object]] = {}

    async def send(self, frame: Json) -> None:
        async with asyncio.timeout(_QUICK):
            await self.socket.send_str(json.dumps(frame))

    async def deliver(self, envelope: Json, seconds: float) -> object:
        """Send one envelope and wait for its acknowledgement; returns the payload that came with it."""
        answer: asyncio.Future[object] = asyncio.get_running_loop().create_future()
        self._waiting[envelope["envelope_id"]] = answer
        try:
            await self.send(envelope)
            async with asyncio.timeout(seconds):
                return await answer
        except (TimeoutError, ConnectionError) as lost:
            raise Unacknowledged("timeout" if isinstance(lost, TimeoutError) else "connection_failed") from lost
        finally:
            del self._waiting[envelope["envelope_id"]]

    def acknowledge(self, frame: Json) -> bool:
        """Settle the envelope *frame* names; False: nobody waits for it (too late, or never sent)."""
        answer = self._waiting.get(str(frame.get("envelope_id")))
        if answer is None or answer.done():
            return False
        answer.set_result(frame.get("payload"))
        return True

    def cut(self) -> None:
        """Close without a word."""
        if self._transport is not None:
            self._transport.abort()

    def lose(self) -> None:
        """The socket is gone: nothing sent here will be acknowledged any more."""
        for answer in self._waiting.values():
            if not answer.done():
                answer.set_exception(ConnectionError("socket closed"))


class Sockets:
    """All open connections. An envelope goes to any one of them."""

    def __init__(self, ws: Workspace) -> None:
        self._ws = ws
        self.open: list[Connection] = []
        self.late = 0
        """Acknowledgements that came when nobody waited any more."""
        self.life = limits.SOCKET_LIFE

    def any(self) -> Connection | None:
        return self._ws.dice.choice(self.open) if self.open else None

    def envelope(self, kind: str, payload: Json, retry: int, reason: str) -> Json:
        """slack-socket fixtures: events carry their retry, the rest may be answered with a payload."""
        frame: Json = {
            "envelope_id": str(uuid.UUID(int=self._ws.dice.getrandbits(128), version=4)),
            "payload": payload,
            "type": kind,
            "accepts_response_payload": kind != "events_api",
        }
        if kind == "events_api":
            frame |= {"retry_attempt": retry, "retry_reason": reason}
        return frame

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """One connection from hello to its end."""
        if not self._ws.tickets.redeem(request.query.get("ticket", "")):
            return web.json_response({"ok": False, "error": "invalid_ticket"}, status=401)
        socket = web.WebSocketResponse(autoping=True)
        await socket.prepare(request)
        connection = Connection(socket, request.transport)
        if len(self.open) >= limits.SOCKETS:
            await connection.send(_goodbye("too_many_websockets"))
            await socket.close()
            return socket
        self.open.append(connection)
        ending = asyncio.create_task(self._age(connection), name="slack socket life")
        try:
            await connection.send(self._hello())
            await self._listen(connection)
        finally:
            ending.cancel()
            self._remove(connection)
        return socket

    def _hello(self) -> Json:
        return {
            "type": "hello",
            "num_connections": len(self.open),
            "debug_info": {"host": _HOST, "build_number": 10, "approximate_connection_time": int(self.life)},
            "connection_info": {"app_id": APP},
        }

    async def _listen(self, connection: Connection) -> None:
        async for message in connection.socket:
            if message.type != WSMsgType.TEXT:
                continue
            frame = _frame(message.data)
            if "envelope_id" in frame and not connection.acknowledge(frame):
                self.late += 1

    async def _age(self, connection: Connection) -> None:
        """Slack's own end of a connection: a warning, ten seconds, a refresh."""
        await asyncio.sleep(max(0.0, self.life - limits.SOCKET_WARNING))
        with suppress(ConnectionError, TimeoutError):
            await connection.send(_goodbye("warning"))
        await asyncio.sleep(limits.SOCKET_WARNING)
        await self.refresh(connection, "refresh_requested")

    async def refresh(self, connection: Connection, reason: str) -> None:
        """Say goodbye with *reason*; anything but a warning also closes. No new envelope goes there."""
        with suppress(ConnectionError, TimeoutError):
            await connection.send(_goodbye(reason))
        if reason != "warning":
            self._remove(connection)
            await connection.socket.close()

    def drop(self) -> int:
        """Cut every connection without a word; returns how many."""
        cut = [*self.open]
        for connection in cut:
            self._remove(connection)
            connection.cut()
        return len(cut)

    async def close(self) -> None:
        """The server goes down: no handler may keep it waiting."""
        for connection in [*self.open]:
            self._remove(connection)
            await connection.socket.close()

    def _remove(self, connection: Connection) -> None:
        if connection in self.open:
            self.open.remove(connection)
        connection.lose()


def _goodbye(reason: str) -> Json:
    return {"type": "disconnect", "reason": reason, "debug_info": {"host": _HOST}}


def _frame(data: str) -> Json:
    try:
        found = json.loads(data)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
