"""The Web API, the upload address and the response urls over HTTP."""

import asyncio
from typing import Final

from aiohttp import web

from bot.simulator.calls import Call
from bot.simulator.faults import Faults
from bot.simulator.slack import args, department, files, hooks
from bot.simulator.slack.args import Args
from bot.simulator.slack.errors import SlackError
from bot.simulator.slack.methods import METHODS, Method
from bot.simulator.slack.schema import Json
from bot.simulator.slack.state import Workspace
from bot.simulator.slack.trouble import Trouble

_OUTAGE_RETRY: Final = 2
"""Seconds of Retry-After while the world's fault `ratelimit` is on."""


class Api:
    """HTTP handlers around one workspace."""

    def __init__(self, ws: Workspace, faults: Faults) -> None:
        self._ws = ws
        self._faults = faults

    async def call(self, request: web.Request) -> web.StreamResponse:
        """`/api/<method>`: fails as an injected trouble says, else answers like Slack; always logged."""
        method = request.match_info["method"]
        trouble = self._ws.troubles.take(method)
        given = Args({}, None, "")
        if trouble is not None and not trouble.after and trouble.breaks:
            return await self._fail(request, method, given, trouble)
        try:
            given = await args.read(request)
            answer: web.StreamResponse = self._answer(method, given)
            error = None
        except SlackError as refusal:
            answer, error = _refuse(refusal), refusal.error
        if trouble is not None and trouble.after and trouble.breaks:
            return await self._fail(request, method, given, trouble)
        self._log(method, given, answer.status, error)
        await asyncio.sleep(trouble.delay if trouble else 0.0)
        return answer

    def _answer(self, name: str, given: Args) -> web.Response:
        method = METHODS.get(name)
        if method is None:
            raise SlackError("unknown_method")
        _authorise(method, given.token)
        method.allow(department.SCOPES)
        if self._faults.active("ratelimit", "slack"):
            raise SlackError("ratelimited", status=429, retry_after=_OUTAGE_RETRY)
        key = f"{name}/{given.text('channel')}" if method.per_channel else name
        wait = self._ws.rates.take(key, method.rate)
        if wait:
            raise SlackError("ratelimited", status=429, retry_after=wait)
        return _json(method.run(self._ws, given))

    async def _fail(self, request: web.Request, method: str, given: Args, trouble: Trouble) -> web.StreamResponse:
        await asyncio.sleep(trouble.delay)
        if trouble.error is not None:
            self._log(method, given, 200, trouble.error)
            return _refuse(SlackError(trouble.error))
        answer, status, error = trouble.answer(request)
        self._log(method, given, status, error)
        return answer

    def _log(self, method: str, given: Args, status: int, error: str | None) -> None:
        self._ws.calls.append(Call(self._ws.now(), method, given.values, status, error))

    async def upload(self, request: web.Request) -> web.Response:
        """The bytes of a file: the raw body, or the first file of a form."""
        content = await _content(request)
        try:
            upload = files.receive(self._ws, request.match_info["id"], content)
        except SlackError as refusal:
            return web.Response(status=refusal.status, text=refusal.error)
        return web.Response(text=f"OK - {upload.length}")

    async def hook(self, request: web.Request) -> web.Response:
        """A response_url: `ok` as text, or an error in JSON."""
        key = f"{request.match_info['id']}/{request.match_info['secret']}"
        body: Json = {}
        try:
            body = (await args.read(request)).values
            hooks.answer(self._ws, self._ws.tickets.use(key), body)
        except SlackError as refusal:
            self._log("response_url", Args(body, None, ""), refusal.status, refusal.error)
            return _json(refusal.body(), status=400 if refusal.status == 200 else refusal.status)
        self._log("response_url", Args(body, None, ""), 200, None)
        return web.Response(text="ok")


def _authorise(method: Method, token: str | None) -> None:
    """SlackError: not_authed, invalid_auth, not_allowed_token_type."""
    if method.auth == "none":
        return
    if not token:
        raise SlackError("not_authed")
    if token not in (department.BOT_TOKEN, department.APP_TOKEN):
        raise SlackError("invalid_auth")
    if (token == department.APP_TOKEN) != (method.auth == "app"):
        raise SlackError("not_allowed_token_type")


def _json(body: Json, status: int = 200) -> web.Response:
    return web.json_response(body, status=status, headers={"x-oauth-scopes": department.SCOPES})


def _refuse(refusal: SlackError) -> web.Response:
    answer = _json(refusal.body(), status=refusal.status)
    if refusal.retry_after is not None:
        answer.headers["Retry-After"] = str(refusal.retry_after)
    return answer


async def _content(request: web.Request) -> bytes:
    if not request.content_type.startswith("multipart/"):
        return await request.read()
    for value in (await request.post()).values():
        if isinstance(value, web.FileField):
            return value.file.read()
    return b""
