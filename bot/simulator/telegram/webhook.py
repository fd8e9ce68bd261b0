"""setWebhook and the sender behind it: in order, with the secret, repeated with growing pauses."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Final
from urllib.parse import urlsplit

from aiohttp import ClientError, ClientSession, ClientTimeout

from bot.simulator.telegram import limits
from bot.simulator.telegram.args import Args
from bot.simulator.telegram.department import Json
from bot.simulator.telegram.errors import bad_request
from bot.simulator.telegram.state import Telegram, Webhook

_HEADER: Final = "X-Telegram-Bot-Api-Secret-Token"
_LOOPBACK: Final = ("127.0.0.1", "localhost")


def set_webhook(tg: Telegram, args: Args) -> bool:
    """HTTPS, or HTTP on loopback as a local Bot API server allows. An empty url removes it."""
    url, secret = args.text("url"), args.text("secret_token")
    if not url:
        return delete_webhook(tg, args)
    parts = urlsplit(url)
    if parts.scheme != "https" and parts.hostname not in _LOOPBACK:
        raise bad_request("bad webhook: An HTTPS URL must be provided for webhook")
    if secret and not re.fullmatch(limits.WEBHOOK_SECRET, secret):
        raise bad_request("secret token contains unallowed characters")
    tg.webhook = Webhook(url, secret, args.number("max_connections", 40))
    allow(tg, args)
    if args.flag("drop_pending_updates"):
        tg.updates.clear()
    tg.updates.arrived.set()
    return True


def delete_webhook(tg: Telegram, args: Args) -> bool:
    tg.webhook = Webhook()
    if args.flag("drop_pending_updates"):
        tg.updates.clear()
    return True


def allow(tg: Telegram, args: Args) -> None:
    """`allowed_updates` stays as it was when a call does not name it."""
    allowed = args.structure("allowed_updates")
    if isinstance(allowed, list):
        tg.updates.allowed = [str(kind) for kind in allowed]


def info(tg: Telegram, _args: Args) -> Json:
    hook = tg.webhook
    shown: Json = {
        "url": hook.url,
        "has_custom_certificate": False,
        "pending_update_count": len(tg.updates.pending),
        "max_connections": hook.max_connections,
    }
    if hook.last_error_date is not None:
        shown |= {"last_error_date": hook.last_error_date, "last_error_message": hook.last_error}
    return shown | ({"allowed_updates": tg.updates.allowed} if tg.updates.allowed else {})


class Sender:
    """Posts pending updates to the webhook one by one. *stretch* turns Telegram's seconds between repeats into ours."""

    def __init__(self, tg: Telegram, stretch: Callable[[float], float]) -> None:
        self._tg = tg
        self._stretch = stretch

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Updates leave while this is open."""
        async with ClientSession() as session:
            sending = asyncio.create_task(self._run(session), name="telegram webhook")
            try:
                yield
            finally:
                sending.cancel()
                with suppress(asyncio.CancelledError):
                    await sending

    async def _run(self, session: ClientSession) -> None:
        pause = limits.WEBHOOK_PAUSE[0]
        while True:
            await self._tg.updates.arrived.wait()
            update = self._tg.updates.take() if self._tg.webhook.url else None
            if update is None:
                self._tg.updates.arrived.clear()
                continue
            wait = await self._post(session, update)
            if wait is None:
                self._tg.updates.done(update)
                pause = limits.WEBHOOK_PAUSE[0]
                continue
            await asyncio.sleep(self._stretch(max(wait, pause)))
            pause = min(pause * 2, limits.WEBHOOK_PAUSE[1])

    async def _post(self, session: ClientSession, update: Json) -> float | None:
        """None: accepted; else the seconds the receiver asked to wait, 0 when it did not say."""
        hook = self._tg.webhook
        headers = {_HEADER: hook.secret} if hook.secret else {}
        timeout = ClientTimeout(total=limits.WEBHOOK_DEADLINE)
        try:
            async with session.post(hook.url, json=update, headers=headers, timeout=timeout) as answer:
                if answer.status // 100 == 2:
                    return None
                asked = answer.headers.get("Retry-After", "")
                self._failed(hook, f"Wrong response from the webhook: {answer.status} {answer.reason}")
                return float(asked) if asked.isdecimal() else 0.0
        except (ClientError, TimeoutError) as lost:
            self._failed(hook, f"Connection failed: {type(lost).__name__}")
            return 0.0

    def _failed(self, hook: Webhook, sentence: str) -> None:
        hook.last_error_date = int(self._tg.now().timestamp())
        hook.last_error = sentence
