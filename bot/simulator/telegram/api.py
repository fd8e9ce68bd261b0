"""The Bot API over HTTP."""

import asyncio
import re
from typing import Final

from aiohttp import web

from bot.simulator.calls import Call
from bot.simulator.faults import Faults
from bot.simulator.telegram import args, limits, webhook
from bot.simulator.telegram.args import Args
from bot.simulator.telegram.department import TOKEN
from bot.simulator.telegram.errors import TelegramError, bad_request, flood
from bot.simulator.telegram.methods import METHODS
from bot.simulator.telegram.queue import poll_seconds
from bot.simulator.telegram.state import Telegram
from bot.simulator.telegram.trouble import Trouble

_OUTAGE_RETRY: Final = 2
"""Seconds of retry_after while the world's fault `ratelimit` is on."""
_POLL: Final = "getupdates"


class Api:
    """HTTP handlers around one bot."""

    def __init__(self, tg: Telegram, faults: Faults) -> None:
        self._tg = tg
        self._faults = faults

    async def call(self, request: web.Request) -> web.StreamResponse:
        """`/bot<token>/<method>`: fails as an injected trouble says, else answers like Telegram; always logged."""
        method = request.match_info["method"]
        trouble = self._tg.troubles.take(method)
        given = Args()
        if trouble is not None and not trouble.after and trouble.breaks:
            return await self._fail(request, method, given, trouble)
        error = None
        try:
            _authorise(request.match_info["token"])
            given = await args.read(request)
            answer = web.json_response({"ok": True, "result": await self._answer(method.lower(), given)})
        except TelegramError as refusal:
            answer, error = _refuse(refusal), str(refusal)
        if trouble is not None and trouble.after and trouble.breaks:
            return await self._fail(request, method, given, trouble)
        self._log(method, given, answer.status, error)
        await asyncio.sleep(trouble.delay if trouble else 0.0)
        return answer

    async def _answer(self, method: str, given: Args) -> object:
        if method == _POLL:
            return await self._updates(given)
        run = METHODS.get(method)
        if run is None or method in self._tg.unknown:
            raise TelegramError(404)
        if self._faults.active("ratelimit", "telegram"):
            raise flood(_OUTAGE_RETRY)
        return run(self._tg, given)

    async def _updates(self, given: Args) -> object:
        limit = given.number("limit", limits.UPDATES)
        if not 1 <= limit <= limits.UPDATES:
            raise bad_request("limit must be from 1 to 100")
        webhook.allow(self._tg, given)
        self._tg.updates.confirm(given.number("offset"))
        timeout = poll_seconds(given.number("timeout"))
        return await self._tg.updates.poll(limit, timeout, webhook=bool(self._tg.webhook.url))

    async def _fail(self, request: web.Request, method: str, given: Args, trouble: Trouble) -> web.StreamResponse:
        await asyncio.sleep(trouble.delay)
        if trouble.refusal is not None:
            self._log(method, given, trouble.refusal.code, str(trouble.refusal))
            return _refuse(trouble.refusal)
        answer, status, error = trouble.answer(request)
        self._log(method, given, status, error)
        return answer

    def _log(self, method: str, given: Args, status: int, error: str | None) -> None:
        if method.lower() != _POLL or error:
            self._tg.calls.append(Call(self._tg.now(), method, given.values, status, error))

    async def file(self, request: web.Request) -> web.Response:
        """`/file/bot<token>/<file_path>`."""
        content = self._tg.files.get(request.match_info["path"].removeprefix("files/"))
        if request.match_info["token"] != TOKEN or content is None:
            return _refuse(TelegramError(404))
        return web.Response(body=content)


def _authorise(token: str) -> None:
    """401 for another bot's token, 404 for what cannot be one."""
    if token != TOKEN:
        raise TelegramError(401 if re.fullmatch(r"\d+:[\w-]+", token) else 404)


def _refuse(refusal: TelegramError) -> web.Response:
    return web.json_response(refusal.body(), status=refusal.code)
