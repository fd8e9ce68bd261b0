"""The Web API through slack_sdk: typed verdicts, a deadline on every call, no hidden repeats. Import it late (0.2 s).

The SDK's own repeats are off: it would send a post again after a lost connection, and double it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import aiohttp
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook.async_client import AsyncWebhookClient

from bot.domain.errors import AmbiguousError, RateLimitedError
from bot.platforms.slack import limits
from bot.platforms.slack.settings import SlackSettings
from bot.platforms.slack.verdicts import REFUSED, UnreachableError, judged, refused

Json = dict[str, Any]
EVENT = "pult_card"
"""``event_type`` of the metadata by which a message is found again."""
_QUIET: Json = {"unfurl_links": False, "unfurl_media": False, "parse": "none", "link_names": False}


@dataclass(frozen=True)
class Me:
    """Who we are in the workspace. ``scopes`` is None when Slack did not tell them."""

    bot: str
    name: str
    team: str
    scopes: frozenset[str] | None


class Api:
    """One app in one workspace. Every method raises the verdicts of verdicts.py."""

    def __init__(self, settings: SlackSettings, session: aiohttp.ClientSession) -> None:
        self._settings, self._session = settings, session
        self._client = AsyncWebClient(
            settings.bot_token.get_secret_value(), base_url=base_url(settings), session=session, retry_handlers=[]
        )
        self._me: Me | None = None
        self._directs: dict[str, str] = {}

    async def post(
        self, channel: str, content: Json, *, key: str, thread: str, broadcast: bool = False
    ) -> tuple[str, str]:
        """A new message: its channel (a person's id becomes that of the direct messages) and ts.

        *broadcast*: a reply that the channel sees too.
        """
        metadata = {"event_type": EVENT, "event_payload": {"key": key}}
        with judged("chat.postMessage"):
            answer = await self._client.chat_postMessage(
                channel=channel,
                thread_ts=thread or None,
                reply_broadcast=True if broadcast and thread else None,
                metadata=metadata,
                **_QUIET,
                **content,
            )
        return str(answer["channel"]), str(answer["ts"])

    async def update(self, channel: str, ts: str, content: Json) -> None:
        """Change a message. *content* without blocks removes them; the metadata stays."""
        with judged("chat.update"):
            await self._client.chat_update(channel=channel, ts=ts, parse="none", link_names=False, **content)

    async def delete(self, channel: str, ts: str) -> None:
        """Take a message back."""
        with judged("chat.delete"):
            await self._client.chat_delete(channel=channel, ts=ts)

    async def whisper(self, channel: str, user: str, content: Json, *, thread: str) -> None:
        """A message only *user* sees, until they reload. Slack does not promise that it arrives."""
        with judged("chat.postEphemeral"):
            await self._client.chat_postEphemeral(
                channel=channel, user=user, thread_ts=thread or None, parse="none", link_names=False, **content
            )

    async def respond(self, url: str, content: Json, *, thread: str) -> None:
        """The same through a response_url. UnreachableError: it is spent (5 uses) or too old (30 minutes)."""
        body = {"response_type": "ephemeral", "replace_original": False, **content}
        if thread:
            body["thread_ts"] = thread
        with judged("response_url"):
            answer = await AsyncWebhookClient(url, session=self._session, retry_handlers=[]).send_dict(body)
        if answer.status_code == HTTPStatus.OK:
            return
        text = f"response_url: HTTP {answer.status_code}"
        if answer.status_code == HTTPStatus.TOO_MANY_REQUESTS:
            raise RateLimitedError(text, 1.0)
        if answer.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise AmbiguousError(text)
        if word := next((word for word in REFUSED if word in answer.body), ""):
            raise refused(text, word, [answer.body])
        raise UnreachableError(text)

    async def attach(self, channel: str, thread: str, name: str, title: str, content: bytes, alt: str = "") -> str:
        """Upload a file into a conversation, under *thread* when there is one; the file's id. *alt*: it in words."""
        async with asyncio.timeout(limits.ATTACH_SECONDS):
            with judged("files.getUploadURLExternal"):
                slot = await self._client.files_getUploadURLExternal(
                    filename=name, length=len(content), alt_txt=alt or None
                )
            with judged("file upload"):
                async with self._session.post(slot["upload_url"], data=content) as answer:
                    answer.raise_for_status()
            with judged("files.completeUploadExternal"):
                await self._client.files_completeUploadExternal(
                    files=[{"id": slot["file_id"], "title": title}], channel_id=channel, thread_ts=thread or None
                )
        return str(slot["file_id"])

    async def direct(self, user: str) -> str:
        """The channel of the direct messages with *user*. Takes the scope im:write."""
        if user not in self._directs:
            with judged("conversations.open"):
                answer = await self._client.conversations_open(users=[user])
            self._directs[user] = str(answer["channel"]["id"])
        return self._directs[user]

    async def since(self, channel: str, oldest: float, *, thread: str) -> AsyncIterator[Json]:
        """Messages of *channel* (or of a thread in it) from *oldest* (Unix seconds) on, with their metadata."""
        cursor = ""
        for _ in range(limits.PAGES):
            with judged("conversations.replies" if thread else "conversations.history"):
                answer = await self._page(channel, thread, cursor, f"{max(0.0, oldest):.6f}")
            for message in answer["messages"]:
                yield message
            cursor = (answer.get("response_metadata") or {}).get("next_cursor") or ""
            if not cursor:
                return

    async def _page(self, channel: str, thread: str, cursor: str, oldest: str) -> Any:  # noqa: ANN401 - JSON
        asked: Json = {"oldest": oldest, "limit": limits.PAGE, "include_all_metadata": True}
        if cursor:
            asked["cursor"] = cursor
        if thread:
            return await self._client.conversations_replies(channel=channel, ts=thread, **asked)
        return await self._client.conversations_history(channel=channel, **asked)

    async def me(self) -> Me:
        """Who we are; asked once, until :meth:`ask_me`."""
        return self._me or await self.ask_me()

    async def ask_me(self) -> Me:
        """Who we are, and what we may do, as of now."""
        with judged("auth.test"):
            answer = await self._client.auth_test()
        told = answer.headers.get("x-oauth-scopes")
        scopes = None if told is None else frozenset(scope.strip() for scope in told.split(","))
        self._me = Me(str(answer["bot_id"]), str(answer["user"]), str(answer["team"]), scopes)
        return self._me

    async def socket(self) -> None:
        """Ask for the address of a socket, without opening it: whether the app token is good."""
        assert self._settings.app_token is not None
        with judged("apps.connections.open"):
            await self._client.apps_connections_open(app_token=self._settings.app_token.get_secret_value())


def base_url(settings: SlackSettings) -> str:
    """The address of the Web API, with the slash at its end that the SDK counts on."""
    return settings.api_url.rstrip("/") + "/"


def session() -> aiohttp.ClientSession:
    """The connections all calls share. To be closed by whoever asked for it."""
    timeout = aiohttp.ClientTimeout(total=limits.CALL_SECONDS, connect=limits.CALL_SECONDS / 2)
    return aiohttp.ClientSession(timeout=timeout, connector=aiohttp.TCPConnector(limit=limits.CONNECTIONS))
