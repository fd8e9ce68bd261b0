"""The Probe port: only a 2xx in time is a yes."""

import asyncio
import socket
from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.adapters.probe import http
from tests.real import free_port


async def status(request: web.Request) -> web.Response:
    code = int(request.match_info["code"])
    return web.Response(status=code, headers={"Location": "/200"} if code == 302 else {})


async def stall(_: web.Request) -> web.Response:
    await asyncio.sleep(0.3)
    return web.Response()


@pytest.fixture
async def base() -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_get("/{code:\\d+}", status)
    app.router.add_get("/stall", stall)
    async with TestServer(app) as server:
        yield str(server.make_url("")).rstrip("/")


@pytest.mark.parametrize(
    ("code", "up"), [(200, True), (204, True), (302, True), (304, False), (404, False), (429, False), (503, False)]
)
async def test_an_answer_counts_by_its_status(base: str, code: int, up: bool) -> None:
    assert await http.answers(f"{base}/{code}") is up


async def test_a_late_answer_is_none(base: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "DEADLINE", 0.1)
    assert await http.answers(f"{base}/stall") is False


async def test_no_answer_is_a_no() -> None:
    assert await http.answers(f"http://127.0.0.1:{free_port()}/") is False


async def test_words_that_are_no_http_are_a_no() -> None:
    async def babble(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.example ESMTP\r\n")
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_server(babble, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        assert await http.answers(f"http://127.0.0.1:{port}/") is False
        assert await http.answers(f"https://127.0.0.1:{port}/") is False


@pytest.mark.parametrize("url", ["http://", "no address", "http://[::1", "http://127.0.0.1:99999/"])
async def test_what_is_no_address_is_a_no(url: str) -> None:
    assert await http.answers(url) is False


async def test_silence_is_a_no(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "DEADLINE", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        assert await http.answers(f"http://127.0.0.1:{silent.getsockname()[1]}/") is False
