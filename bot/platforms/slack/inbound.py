"""People's words and presses, through slack-bolt: over Socket Mode or signed HTTP; stored first, acknowledged then.

slack-bolt is imported when listening begins (0.25 s).
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import aiohttp

from bot.domain.errors import ForgedError, TemporaryError, UnavailableError
from bot.domain.requests import Request
from bot.domain.signatures import check_fresh, check_hmac
from bot.platforms.slack import limits, reading
from bot.platforms.slack.api import base_url
from bot.platforms.slack.settings import SlackSettings
from bot.platforms.slack.verdicts import judged
from bot.ports.chat import Ask, HttpAnswer
from bot.ports.clock import Clock

if TYPE_CHECKING:
    from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
    from slack_bolt.app.async_app import AsyncApp
    from slack_bolt.response import BoltResponse
    from slack_sdk.web.async_client import AsyncWebClient

log = logging.getLogger(__name__)
ANY = re.compile(".*", re.DOTALL)


class Inbound:
    """The app's ears. Nothing is acknowledged that could not be stored: Slack repeats it, or tells the person."""

    def __init__(self, settings: SlackSettings, session: aiohttp.ClientSession, clock: Clock) -> None:
        self._settings, self._session, self._clock = settings, session, clock
        self._ask: Ask | None = None
        self._app: AsyncApp | None = None
        self.ping = limits.PING

    async def listen(self, ask: Ask) -> None:
        """Hear until cancelled. TemporaryError, PermanentError: Slack gives us no socket; call again later."""
        self._ask, self._app = ask, self._bolt()
        if self._settings.app_token is None:
            await asyncio.Event().wait()
        else:
            await self._socket(self._app, self._settings.app_token.get_secret_value())

    async def receive(self, headers: Mapping[str, str], body: bytes) -> HttpAnswer:
        """One HTTP request: 401 unless signed by Slack within 300 s, 503 when it can't be stored."""
        try:
            self._verify(headers, body)
        except ForgedError as error:
            log.warning("refused what came as Slack's", extra={"error": str(error)})
            return HttpAnswer(401, "not signed by Slack\n")
        if self._app is None:
            return HttpAnswer(503, "starting\n")
        from slack_bolt.request.async_request import AsyncBoltRequest  # noqa: PLC0415 - came with the app

        try:
            request = AsyncBoltRequest(body=body.decode(), headers=dict(headers))
        except ValueError:
            return HttpAnswer(400, "not readable\n")
        answer = await self._app.async_dispatch(request)
        kind = answer.first_headers().get("content-type", "text/plain").partition(";")[0]
        return HttpAnswer(answer.status, answer.body, kind)

    def _verify(self, headers: Mapping[str, str], body: bytes) -> None:
        """Source: docs.slack.dev/authentication/verifying-requests-from-slack."""
        secret, stamp = self._settings.signing_secret, headers.get("x-slack-request-timestamp", "")
        check_fresh(stamp, self._clock.now())
        base, given = b"v0:" + stamp.encode() + b":" + body, headers.get("x-slack-signature", "")
        check_hmac(base, given, secret.get_secret_value() if secret else "", "v0=")

    def _bolt(self) -> AsyncApp:
        from slack_bolt.app.async_app import AsyncApp  # noqa: PLC0415 - late on purpose
        from slack_bolt.authorization import AuthorizeResult  # noqa: PLC0415

        async def authorize(enterprise_id: str | None, team_id: str | None) -> AuthorizeResult:
            """One workspace; who may do what is decided by pult's own policy, person by person."""
            return AuthorizeResult(enterprise_id=enterprise_id, team_id=team_id)

        app = AsyncApp(
            client=self._client(),
            authorize=authorize,
            process_before_response=True,  # events too are stored before they are acknowledged
            request_verification_enabled=False,  # done in receive(), by our own clock
            ignoring_self_events_enabled=False,  # reading.py drops every bot
            attaching_function_token_enabled=False,
            attaching_conversation_kwargs_enabled=False,
        )
        app.command(ANY)(self._on_command)
        app.event(ANY)(self._on_event)
        app.action(ANY)(self._on_press)
        return app

    def _client(self) -> AsyncWebClient:
        """Without a token: it only asks for sockets, with the app's."""
        from slack_sdk.web.async_client import AsyncWebClient  # noqa: PLC0415 - late on purpose

        return AsyncWebClient(base_url=base_url(self._settings), session=self._session, retry_handlers=[])

    async def _on_command(self, ack: Any, body: dict[str, Any]) -> BoltResponse | None:  # noqa: ANN401 - Bolt's own
        return await self._take(ack, reading.slash(body, self._clock.now()))

    async def _on_event(self, ack: Any, body: dict[str, Any]) -> BoltResponse | None:  # noqa: ANN401
        return await self._take(ack, reading.event(body, self._clock.now()))

    async def _on_press(self, ack: Any, body: dict[str, Any]) -> BoltResponse | None:  # noqa: ANN401
        return await self._take(ack, reading.press(body, self._clock.now()))

    async def _take(self, ack: Any, request: Request | None) -> BoltResponse | None:  # noqa: ANN401
        """Store, then acknowledge; what is not for us is only acknowledged."""
        from slack_bolt.response import BoltResponse  # noqa: PLC0415 - came with the app

        if request is not None and self._ask is not None:
            try:
                await self._ask(request)
            except UnavailableError as error:
                log.warning("request not stored", extra={"request": request.id, "error": str(error)})
                return BoltResponse(status=503)
        await ack()
        return None

    async def _socket(self, app: AsyncApp, token: str) -> None:
        """One life of a socket with all its reconnects."""
        from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler  # noqa: PLC0415 - late on purpose

        handler = AsyncSocketModeHandler(app, token, web_client=self._client(), ping_interval=self.ping)
        try:
            with judged("apps.connections.open"):
                handler.client.wss_uri = await handler.client.issue_new_wss_url()
            try:
                async with asyncio.timeout(limits.CONNECT_SECONDS):
                    await handler.connect_async()  # type: ignore[no-untyped-call]
            except TimeoutError as error:
                raise TemporaryError("Slack's socket does not open") from error
            log.info("hears over Socket Mode")
            await self._watch(handler)
        finally:
            await handler.close_async()  # type: ignore[no-untyped-call]

    async def _watch(self, handler: AsyncSocketModeHandler) -> None:
        """The SDK reconnects by itself, but not out of a socket address that has expired meanwhile."""
        deaf = 0.0
        while deaf < limits.DEAF_SECONDS:
            await self._clock.sleep(self.ping)
            deaf = 0.0 if await handler.client.is_connected() else deaf + self.ping
        raise TemporaryError("Slack's socket stays closed")
