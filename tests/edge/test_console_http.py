"""The console over HTTP: page, login, identity, ``POST /api/ask``."""

from datetime import timedelta
from http.cookies import SimpleCookie

import aiohttp
import pytest
from yarl import URL

from bot.domain.errors import UnavailableError
from bot.domain.messages import Message
from bot.domain.phrases import phrase
from bot.edge.console_parts import ASK_BURST, BODY_MAX, LOGIN_BURST, TEXT_MAX
from bot.ports.console import Answer
from tests.edge.console_rig import House

BEARER = {"Authorization": "Bearer token-anna"}


def client(server: URL, **headers: str) -> aiohttp.ClientSession:
    jar = aiohttp.CookieJar(unsafe=True)
    return aiohttp.ClientSession(base_url=str(server), headers=headers, cookie_jar=jar)


async def ask(http: aiohttp.ClientSession, text: str = "slo api", **more: object) -> tuple[int, dict]:
    async with http.post("/api/ask", json={"text": text, **more}) as answer:
        return answer.status, await answer.json()


async def test_the_page_and_its_files_are_served_with_a_strict_policy() -> None:
    async with House().open() as server, client(server) as http:
        async with http.get("/") as answer:
            assert (answer.status, answer.content_type) == (200, "text/html")
            policy = answer.headers["Content-Security-Policy"]
            assert "default-src 'none'" in policy
            assert "unsafe" not in policy
            tag = answer.headers["ETag"]
        async with http.get("/", headers={"If-None-Match": tag}) as answer:
            assert answer.status == 304
        async with http.get("/static/app.js") as answer:
            assert (answer.status, answer.content_type) == (200, "text/javascript")
        for name in ("nothing.js", "..%2Ftransport.py", "%2e%2e/%2e%2e/render.py", "index.html%00"):
            async with http.get(f"/static/{name}") as answer:
                assert answer.status in {400, 404}, name


async def test_a_command_runs_as_the_owner_of_the_token() -> None:
    house = House()
    house.answers["restart api"] = Answer(True, Message(phrase("A plan")), "op-41c9")
    async with house.open() as server, client(server, **BEARER) as http:
        assert await ask(http, "restart api") == (200, {"ok": True, "text": "• A plan", "op": "op-41c9"})
        assert (await ask(http))[1]["op"] is None
    first, second = house.asked
    assert (first.platform, first.account, first.text) == ("console", "anna", "restart api")
    assert first.place == first.private
    assert first.place.destination == "console:anna"
    assert (first.shared, first.pressed) == (False, False)
    assert first.id.startswith("console:")
    assert first.id != second.id


async def test_the_answer_speaks_the_language_asked_for_else_the_persons() -> None:
    async with House().open() as server:
        async with client(server, Authorization="Bearer token-boris") as http:
            assert (await ask(http))[1]["text"].startswith("• Вы спросили")
            assert (await ask(http, locale="en"))[1]["text"].startswith("• You asked")
        async with client(server, **BEARER) as http:
            assert (await ask(http, locale="ru"))[1]["text"].startswith("• Вы спросили")


async def test_a_failed_command_is_an_answer() -> None:
    house = House()
    house.answers["nonsense"] = Answer(False, Message(phrase("That did not work")))
    async with house.open() as server, client(server, **BEARER) as http:
        status, data = await ask(http, "nonsense")
        assert (status, data["ok"]) == (200, False)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer token-mallory"},
        {"Authorization": "Bearer "},
        {"Authorization": "Basic dG9rZW4tYW5uYQ=="},
        {"X-Pult-Person": "anna"},
        {"Cookie": "pult_session=YW5uYQ.1772625600." + "0" * 64},
        {"Cookie": "pult_session=\xff.²." + "0" * 64},
        {"Cookie": "pult_session=anna"},
    ],
)
async def test_who_is_not_known_gets_401_and_runs_nothing(headers: dict[str, str]) -> None:
    house = House()
    async with house.open() as server, client(server) as http:
        async with http.post("/api/ask", json={"text": "status"}, headers=headers) as answer:
            assert answer.status == 401
            assert "anna" not in await answer.text()
        async with http.get("/api/me", headers=headers) as answer:
            assert answer.status == 401
        async with http.get("/api/people", headers=headers) as answer:
            assert answer.status == 404
    assert house.asked == []


async def test_a_wrong_token_is_nobody_even_with_a_good_session() -> None:
    async with House().open() as server, client(server) as http:
        await http.post("/api/login", json={"token": "token-anna"})
        async with http.get("/api/me", headers={"Authorization": "Bearer wrong"}) as answer:
            assert answer.status == 401


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"nonsense",
        b"[]",
        b"{}",
        b'{"text": 1}',
        b'{"text": "  "}',
        b'{"text": "\\ud800"}',
        b'{"text": "x", "locale": "tlh"}',
        b'{"text": "x", "locale": 7}',
        b'{"text": "x", "pressed": "yes"}',
        b"\xff\xfe",
        b"[" * 9_000,
        b'{"text": "' + b"x" * (TEXT_MAX + 1) + b'"}',
    ],
)
async def test_what_cant_be_read_is_400(body: bytes) -> None:
    house = House()
    async with house.open() as server, client(server, **BEARER) as http, http.post("/api/ask", data=body) as answer:
        assert answer.status == 400
        assert (await answer.json())["error"]
    assert house.asked == []


@pytest.mark.parametrize("chunked", [False, True])
async def test_a_body_too_large_is_413_before_anything_else(chunked: bool) -> None:
    async def parts():
        for _ in range(5):
            yield b"x" * (BODY_MAX // 4)

    async with House().open() as server, client(server) as http:
        body = parts() if chunked else b"x" * (BODY_MAX + 1)
        async with http.post("/api/ask", data=body) as answer:
            assert answer.status == 413


async def test_a_store_that_is_away_is_503() -> None:
    house = House(trouble=UnavailableError("disk full"))
    async with (
        house.open() as server,
        client(server, **BEARER) as http,
        http.post("/api/ask", json={"text": "status"}) as answer,
    ):
        assert answer.status == 503
        assert int(answer.headers["Retry-After"]) > 0
        assert "disk" not in await answer.text()


async def test_one_person_cant_flood_and_holds_up_nobody_else() -> None:
    house = House()
    async with house.open() as server, client(server, **BEARER) as http:
        for _ in range(ASK_BURST):
            assert (await ask(http))[0] == 200
        async with http.post("/api/ask", json={"text": "status"}) as answer:
            assert answer.status == 429
            assert int(answer.headers["Retry-After"]) >= 1
        async with client(server, Authorization="Bearer token-chen") as other:
            assert (await ask(other))[0] == 200
        house.clock.at += timedelta(seconds=1)
        assert (await ask(http))[0] == 200


async def test_login_sets_a_cookie_that_only_our_page_can_use() -> None:
    async with House().open() as server, client(server) as http:
        async with http.post("/api/login", json={"token": "token-anna"}) as answer:
            assert answer.status == 200
            assert (await answer.json())["name"] == "anna"
            cookie = SimpleCookie(answer.headers["Set-Cookie"])["pult_session"]
            assert (cookie["httponly"], cookie["samesite"], cookie["path"], cookie["secure"]) == (
                True, "Strict", "/", "",
            )  # fmt: skip
            assert "token-anna" not in cookie.value
        assert (await ask(http))[0] == 200
        async with http.get("/api/me") as answer:
            assert (await answer.json())["roles"] == ["sre"]
        async with http.post("/api/logout") as answer:
            assert answer.status == 200
        assert (await ask(http))[0] == 401


async def test_behind_https_the_cookie_is_secure() -> None:
    async with (
        House().open(public_url="https://pult.example") as server,
        client(server) as http,
        http.post("/api/login", json={"token": "token-anna"}) as answer,
    ):
        assert SimpleCookie(answer.headers["Set-Cookie"])["pult_session"]["secure"] is True


async def test_wrong_tokens_are_slowed_down() -> None:
    house = House()
    async with house.open() as server, client(server) as http:
        for _ in range(LOGIN_BURST):
            async with http.post("/api/login", json={"token": "guess"}) as answer:
                assert answer.status == 401
        async with http.post("/api/login", json={"token": "token-anna"}) as answer:
            assert answer.status == 429
        house.clock.at += timedelta(minutes=1)
        async with http.post("/api/login", json={"token": "token-anna"}) as answer:
            assert answer.status == 200


@pytest.mark.parametrize("body", [b"", b"{}", b'{"token": 5}'])
async def test_a_login_without_a_token_is_400(body: bytes) -> None:
    async with House().open() as server, client(server) as http, http.post("/api/login", data=body) as answer:
        assert answer.status == 400


@pytest.mark.parametrize("path", ["/api/ask", "/api/login", "/api/logout"])
@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:1"])
async def test_another_site_cant_post(path: str, origin: str) -> None:
    house = House()
    async with (
        house.open() as server,
        client(server, Origin=origin, **BEARER) as http,
        http.post(path, json={"text": "status", "token": "token-anna"}) as answer,
    ):
        assert answer.status == 403
        assert "Set-Cookie" not in answer.headers
    assert house.asked == []


async def test_our_own_page_can_post_also_through_a_proxy() -> None:
    async with House().open(public_url="https://pult.example") as server:
        for origin in ("https://pult.example", str(server.origin())):
            async with client(server, Origin=origin, **BEARER) as http:
                assert (await ask(http))[0] == 200


async def test_in_open_mode_people_are_listed_and_chosen() -> None:
    house = House()
    async with house.open(opened=True) as server, client(server) as http:
        async with http.get("/api/me") as answer:
            assert (answer.status, (await answer.json())["open"]) == (401, True)
        async with http.get("/api/people") as answer:
            assert [one["name"] for one in (await answer.json())["people"]] == ["anna", "boris", "chen", "vera"]
        async with http.post("/api/ask", json={"text": "status"}, headers={"X-Pult-Person": "boris"}) as answer:
            assert answer.status == 200
        async with http.post("/api/ask", json={"text": "status"}, headers={"X-Pult-Person": "mallory"}) as answer:
            assert answer.status == 401
    assert [request.account for request in house.asked] == ["boris"]


async def test_in_open_mode_a_foreign_name_for_this_machine_gets_nothing() -> None:
    house = House()
    async with house.open(opened=True) as server, client(server, Host="evil.example") as http:
        async with http.get("/api/people") as answer:
            assert answer.status == 404
        async with http.post("/api/ask", json={"text": "status"}, headers={"X-Pult-Person": "anna"}) as answer:
            assert answer.status == 401
    assert house.asked == []
