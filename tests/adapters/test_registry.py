"""The Registry port over the simulated registry, and over answers it never gives."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from pydantic import SecretStr, ValidationError

from bot.adapters.registry.challenges import Challenge, challenge
from bot.adapters.registry.client import OciRegistry, open_registry
from bot.adapters.registry.references import Reference, reference
from bot.adapters.registry.settings import RegistrySettings
from bot.domain.errors import PermanentError, RateLimitedError, TemporaryError, UserError
from bot.simulator import registry as simulated
from bot.simulator.kubernetes.images import digest
from bot.simulator.server import Simulation, simulator
from bot.simulator.settings import SimulatorSettings
from tests.real import free_port

IMAGE = "registry.example/dept/api"
OTHER = "sha256:" + "0" * 64


def settings(url: str | None, **more: Any) -> RegistrySettings:
    who = {"username": simulated.USERNAME, "password": SecretStr(simulated.PASSWORD)} | more
    return RegistrySettings(**({"host": "registry.example", "api_url": url} | who))


@dataclass
class Bench:
    simulation: Simulation
    registry: OciRegistry
    url: str

    @property
    def there(self) -> simulated.Registry:
        assert isinstance(self.simulation.world.registry, simulated.Registry)
        return self.simulation.world.registry


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    async with simulator(SimulatorSettings(port=0)) as running:
        url = f"{running.url}/registry"
        async with open_registry([settings(url)]) as registry:
            yield Bench(running, registry, url)


async def test_a_tag_stands_for_a_digest(bench: Bench) -> None:
    assert await bench.registry.digest(f"{IMAGE}:1.8.0") == digest("api", "1.8.0")
    assert await bench.registry.digest(f"{IMAGE}@{digest('api', '1.7.2')}") == digest("api", "1.7.2")
    assert await bench.registry.digest(f"{IMAGE}:gone@{digest('api', '1.7.2')}") == digest("api", "1.7.2")


async def test_a_tag_that_was_moved_stands_for_the_new_digest(bench: Bench) -> None:
    moved = bench.there.push("dept/api", "1.8.0", b"rebuilt")
    assert await bench.registry.digest(f"{IMAGE}:1.8.0") == moved != digest("api", "1.8.0")


async def test_one_token_serves_one_repository_until_it_ends(bench: Bench) -> None:
    for version in ("1.7.2", "1.8.0", "1.8.1"):
        await bench.registry.digest(f"{IMAGE}:{version}")
    assert len(bench.there.tokens) == 1
    await bench.registry.digest("registry.example/dept/web:5.1.0")
    assert {scope for scope, _ in bench.there.tokens.values()} == {
        "repository:dept/api:pull", "repository:dept/web:pull",
    }  # fmt: skip
    bench.there.tokens.clear()  # as after a restart of the registry
    assert await bench.registry.digest(f"{IMAGE}:1.8.0") == digest("api", "1.8.0")


@pytest.mark.parametrize("image", [f"{IMAGE}:9.9.9", f"{IMAGE}@{OTHER}", "registry.example/dept/nothing:1"])
async def test_what_is_not_there_is_named(bench: Bench, image: str) -> None:
    name = image.removeprefix("registry.example/").replace("@", ":")
    with pytest.raises(UserError, match=f"registry.example has no {name}, or pult's credentials may not see it"):
        await bench.registry.digest(image)


async def test_wrong_credentials_are_said_and_not_shown(bench: Bench) -> None:
    async with open_registry([settings(bench.url, password=SecretStr("revoked-password"))]) as registry:
        for call, why in (
            (registry.digest(f"{IMAGE}:1.8.0"), "registry.example does not let pult see dept/api"),
            (registry.check(), "registry.example does not take pult's credentials"),
        ):
            with pytest.raises(UserError, match=why) as caught:
                await call
            assert "revoked" not in str(caught.value)


async def test_the_anonymous_see_nothing_private(bench: Bench) -> None:
    async with open_registry([settings(bench.url, username="", password=None)]) as registry:
        assert await registry.check() == "they answer: registry.example"
        with pytest.raises(UserError, match="does not let pult see dept/api"):
            await registry.digest(f"{IMAGE}:1.8.0")


async def test_it_says_that_it_is_taken(bench: Bench) -> None:
    assert await bench.registry.check() == "they answer: registry.example"


async def test_a_limit_says_how_long(bench: Bench) -> None:
    bench.simulation.world.faults.start("ratelimit", "registry")
    with pytest.raises(RateLimitedError) as caught:
        await bench.registry.digest(f"{IMAGE}:1.8.0")
    assert caught.value.delay == 2


@pytest.mark.parametrize("fault", ["error", "drop"])
async def test_a_sick_registry_may_recover(bench: Bench, fault: str) -> None:
    bench.simulation.world.faults.start(fault, "registry")
    with pytest.raises(TemporaryError, match=r"registry\.example does not answer"):
        await bench.registry.digest(f"{IMAGE}:1.8.0")
    bench.simulation.world.faults.clear()
    assert await bench.registry.digest(f"{IMAGE}:1.8.0")


# Answers of our own making.

Answer = Callable[[web.Request], web.Response]
BODY = b'{"schemaVersion": 2}'


@dataclass
class Script:
    answers: list[Answer]
    asked: list[tuple[str, str, str]] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append((request.method, request.path_qs, request.headers.get("Authorization", "")))
        return self.answers.pop(0)(request)


@asynccontextmanager
async def scripted(script: Script, **more: Any) -> AsyncIterator[tuple[OciRegistry, str]]:
    """The registry is asked at its own address, on this machine, so without TLS."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", script.answer)
    async with TestServer(app, host="127.0.0.1") as server:
        host = f"127.0.0.1:{server.port}"
        async with open_registry([settings(None, host=host, **more)]) as registry:
            yield registry, f"{host}/dept/api"


def says(status: int = 200, body: bytes = b"", **headers: str) -> Answer:
    return lambda _: web.Response(
        status=status, body=body, headers={name.replace("_", "-"): value for name, value in headers.items()}
    )


async def test_basic_is_answered_with_basic() -> None:
    script = Script([says(401, WWW_Authenticate='Basic realm="r"'), says(Docker_Content_Digest=OTHER)] * 1)
    async with scripted(script) as (registry, image):
        assert await registry.digest(f"{image}:1") == OTHER
        script.answers.append(says(Docker_Content_Digest=OTHER))
        assert await registry.digest(f"{image}:2") == OTHER
    assert [auth.partition(" ")[0] for _, _, auth in script.asked] == ["", "Basic", "Basic"]


async def test_without_the_header_the_content_is_hashed() -> None:
    script = Script([says(), says(body=BODY)])
    async with scripted(script) as (registry, image):
        assert await registry.digest(f"{image}:1") == f"sha256:{sha256(BODY).hexdigest()}"
    assert [method for method, _, _ in script.asked] == ["HEAD", "GET"]


async def test_another_digest_than_the_one_asked_for_is_no_answer() -> None:
    async with scripted(Script([says(), says(body=BODY)])) as (registry, image):
        with pytest.raises(UserError, match="shows another image"):
            await registry.digest(f"{image}@{OTHER}")


async def test_a_password_goes_nowhere_unencrypted() -> None:
    header = 'Bearer realm="http://token.example/token",service="x"'
    async with scripted(Script([says(401, WWW_Authenticate=header)])) as (registry, image):
        with pytest.raises(PermanentError, match="no https:// address"):
            await registry.digest(f"{image}:1")


@pytest.mark.parametrize(
    ("answers", "error", "why"),
    [
        ([says(401)], UserError, "does not let pult see"),
        ([says(403)], UserError, "does not let pult see"),
        ([says(401, WWW_Authenticate="Negotiate")], UserError, "does not let pult see"),
        ([says(401, WWW_Authenticate='Basic realm="r"')] * 2, UserError, "does not let pult see"),
        ([says(400)], UserError, "HTTP 400"),
        ([says(502)], TemporaryError, "HTTP 502"),
        ([says(429)], RateLimitedError, "fewer questions"),
        ([says(), says(body=b"x" * (4 * 1024 * 1024 + 1))], TemporaryError, "something in between"),
    ],
    ids=["401", "403", "no scheme we know", "refused", "400", "502", "429", "endless"],
)
async def test_every_refusal_has_its_verdict(answers: list[Answer], error: type[Exception], why: str) -> None:
    async with scripted(Script(list(answers))) as (registry, image):
        with pytest.raises(error, match=why):
            await registry.digest(f"{image}:1")


@pytest.mark.parametrize(
    ("token", "error"),
    [
        (says(body=b'{"expires_in": 60}'), TemporaryError),
        (says(body=b"<html>"), TemporaryError),
        (says(500), TemporaryError),
        (says(429, Retry_After="7"), RateLimitedError),
        (says(403), UserError),
    ],
    ids=["no token", "a page", "500", "429", "403"],
)
async def test_a_token_server_may_fail_too(token: Answer, error: type[Exception]) -> None:
    def ask(request: web.Request) -> web.Response:
        realm = f"http://{request.host}/token"
        return web.Response(status=401, headers={"WWW-Authenticate": f'Bearer realm="{realm}",service="x"'})

    script = Script([ask, token])
    async with scripted(script) as (registry, image):
        with pytest.raises(error):
            await registry.digest(f"{image}:1")
    assert script.asked[1][1] == "/token?service=x&scope=repository:dept/api:pull"


async def test_nobody_listens() -> None:
    async with open_registry([]) as registry:
        with pytest.raises(TemporaryError, match="does not answer"):
            await registry.digest(f"localhost:{free_port()}/api:1")


D = "sha256:" + "a" * 64


@pytest.mark.parametrize(
    ("image", "parts"),
    [
        ("redis", ("docker.io", "library/redis", "latest")),
        ("dept/api:1.8.0", ("docker.io", "dept/api", "1.8.0")),
        ("docker.io/redis:7", ("docker.io", "library/redis", "7")),
        ("localhost/api:1", ("localhost", "api", "1")),
        ("localhost:5000/a/b-c_d__e.f:v1", ("localhost:5000", "a/b-c_d__e.f", "v1")),
        (f"ghcr.io/org/api:1@{D}", ("ghcr.io", "org/api", D)),
    ],
)
def test_what_a_name_means(image: str, parts: tuple[str, str, str]) -> None:
    assert reference(image) == Reference(*parts)


@pytest.mark.parametrize(
    "image", ["", ":1", "UPPER/api", "a//b", "../v2/x", "api@sha256:12", "a b", "ghcr.io/", "api?x=1"]
)
def test_what_is_no_name(image: str) -> None:
    with pytest.raises(UserError, match="no name of an image"):
        reference(image)


@pytest.mark.parametrize(
    ("header", "wanted"),
    [
        ('Bearer realm="https://a/t",service="s,1",scope="repository:x:pull,push"',
         Challenge("bearer", "https://a/t", "s,1", "repository:x:pull,push")),
        ("bearer realm=https://a/t , service=s", Challenge("bearer", "https://a/t", "s")),
        ('Basic realm="r", Bearer realm="https://a/t"', Challenge("bearer", "https://a/t")),
        (r'Basic realm="say \"r\""', Challenge("basic", 'say "r"')),
        ('Bearer realm="https://a/t",error="see Basic realm=x, or y"', Challenge("bearer", "https://a/t")),
        ("Negotiate", None),
        ("", None),
    ],
)  # fmt: skip
def test_challenges(header: str, wanted: Challenge | None) -> None:
    assert challenge([header]) == wanted


def test_several_headers_are_one_choice() -> None:
    found = challenge(['Basic realm="r"', 'Bearer realm="https://a/t?x=1"'])
    assert found is not None
    assert found.url("repository:x:pull") == "https://a/t?x=1&scope=repository%3Ax%3Apull"


@pytest.mark.parametrize(
    "more",
    [
        {"api_url": "http://registry.example"},
        {"api_url": "registry.example"},
        {"host": "registry.example/dept"},
        {"username": "pult"},
        {"password": SecretStr("x")},
    ],
)
def test_settings_that_can_not_be(more: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        RegistrySettings(**({"host": "registry.example"} | more))
