"""The Probe port: only a 2xx in time is a yes, and what is wrong is said."""

import asyncio
import socket
import ssl
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.adapters.probe import http
from bot.domain.services import Probed
from tests.real import free_port


async def status(request: web.Request) -> web.Response:
    code = int(request.match_info["code"])
    return web.Response(status=code, headers={"Location": "/200"} if code == 302 else {})


async def page(request: web.Request) -> web.StreamResponse:
    """``n`` bytes, then the word, in small parts."""
    answer = web.StreamResponse()
    await answer.prepare(request)
    for part in (b"x" * int(request.match_info["n"]), b'"status":', b' "o', b'k"}'):
        await answer.write(part)
    return answer


async def around(_: web.Request) -> web.Response:
    return web.Response(status=302, headers={"Location": "/around"})


async def stall(_: web.Request) -> web.Response:
    await asyncio.sleep(0.3)
    return web.Response()


@pytest.fixture
async def base() -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_get("/{code:\\d+}", status)
    app.router.add_get("/page/{n:\\d+}", page)
    app.router.add_get("/around", around)
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


async def why(url: str, contains: str = "") -> str:
    said = await http.examine(Probed(url, contains))
    return said.plain() if said else ""


@pytest.mark.parametrize("size", [0, 1, 60_000])
async def test_the_text_is_looked_for_in_the_whole_answer(base: str, size: int) -> None:
    assert await why(f"{base}/page/{size}", '"status": "ok"') == ""
    assert await why(f"{base}/page/{size}", '"status": "well"') == 'does not say "status": "well"'


async def test_an_answer_without_end_is_not_read_to_it(base: str) -> None:
    assert await why(f"{base}/page/{2 * http.READ}", "ok") == "does not say ok"


async def test_what_is_wrong_is_said(base: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert await why(f"{base}/503", "ok") == "answers 503"
    assert await why(f"{base}/around") == "redirects in a circle"
    assert await why(f"http://127.0.0.1:{free_port()}/") == "no answer"
    monkeypatch.setattr(http, "DEADLINE", 0.1)
    assert await why(f"{base}/stall") == "no answer in time"


async def test_a_certificate_that_nobody_vouches_for(tmp_path: Path) -> None:
    key, cert = tmp_path / "key.pem", tmp_path / "cert.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=localhost",
         "-keyout", str(key), "-out", str(cert)],
        check=True, capture_output=True,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    app = web.Application()
    app.router.add_get("/{code:\\d+}", status)
    async with TestServer(app, scheme="https") as server:
        await server.start_server(ssl=context)
        assert await why(str(server.make_url("/200"))) == "its certificate can't be trusted"
