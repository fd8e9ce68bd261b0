"""Files and commits, access and refusals, over the simulated GitHub and over answers it never gives."""

import base64
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from bot.adapters.clock import SystemClock
from bot.adapters.github import identity
from bot.adapters.github.forge import open_forge
from bot.domain.errors import AmbiguousError, DriftError, PermanentError, RateLimitedError, TemporaryError, UserError
from bot.ports.forge import File
from tests.adapters.github_bench import PATH, REPO, Bench, Script, scripted, settings, simulated
from tests.real import free_port


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    async with simulated() as bench:
        yield bench


async def test_a_file_is_read_and_written(bench: Bench) -> None:
    was = await bench.forge.read(REPO, PATH, "main")
    assert "sha256:" in was.text
    text = was.text + "# за наблюдением — «anna»\n"
    commit = await bench.forge.commit(REPO, PATH, "main", was, text, "deploy: api 1.8.0\n\npult operation op-41c9")
    now = await bench.forge.read(REPO, PATH, "main")
    assert now.text == text
    assert now.sha != was.sha
    assert bench.repo.history.branches["main"] == commit
    assert bench.repo.commit_at("main").message == "deploy: api 1.8.0\n\npult operation op-41c9"


async def test_a_push_in_between_is_not_overwritten(bench: Bench) -> None:
    was = await bench.forge.read(REPO, PATH, "main")
    await bench.forge.commit(REPO, PATH, "main", was, was.text + "# boris\n", "boris")
    with pytest.raises(DriftError, match=f"Somebody pushed to {REPO}/{PATH} meanwhile."):
        await bench.forge.commit(REPO, PATH, "main", was, was.text + "# anna\n", "anna")
    assert (await bench.forge.read(REPO, PATH, "main")).text == was.text + "# boris\n"


async def test_an_answer_that_got_lost_makes_no_second_commit(bench: Bench) -> None:
    was = await bench.forge.read(REPO, PATH, "main")
    bench.wire.lost = PATH
    with pytest.raises(AmbiguousError, match="GitHub does not answer"):
        await bench.forge.commit(REPO, PATH, "main", was, was.text + "# anna\n", "anna")
    bench.wire.lost = ""
    tip = bench.repo.history.branches["main"]
    bench.repo.commit("main", "docs: other", dict(bench.repo.branch("main").files) | {"a": b"b"}, SystemClock().now())
    assert await bench.forge.commit(REPO, PATH, "main", was, was.text + "# anna\n", "anna") == tip
    now = await bench.forge.read(REPO, PATH, "main")
    assert await bench.forge.commit(REPO, PATH, "main", now, now.text, "anna") == tip
    assert [commit.message for commit in bench.repo.history.log(bench.repo.branch("main"))[:3]] == [
        "docs: other", "anna", "refactor!: drop the v0 price endpoint",
    ]  # fmt: skip


async def test_a_protected_branch_is_no_push_of_somebody_else(bench: Bench) -> None:
    bench.repo.protected.add("main")
    was = await bench.forge.read(REPO, PATH, "main")
    with pytest.raises(UserError, match="Changes must be made through a pull request") as caught:
        await bench.forge.commit(REPO, PATH, "main", was, was.text + "#", "anna")
    assert not isinstance(caught.value, DriftError)


async def test_a_branch_with_a_slash_is_read(bench: Bench) -> None:
    main = bench.repo.branch("main")
    bench.repo.history.branches["release/1.8 & more"] = bench.repo.history.branches["main"]
    found = await bench.forge.read(REPO, PATH, "release/1.8 & more")
    assert found.text.encode() == main.files[PATH]


@pytest.mark.parametrize(
    ("repo", "path", "branch"),
    [("dept/nothing", PATH, "main"), (REPO, "deploy/nothing.yaml", "main"), (REPO, PATH, "nothing")],
)
async def test_what_is_not_there_is_named(bench: Bench, repo: str, path: str, branch: str) -> None:
    with pytest.raises(UserError, match=f"GitHub has no {repo}/{path}, or pult's token may not see it."):
        await bench.forge.read(repo, path, branch)


async def test_a_folder_is_no_file(bench: Bench) -> None:
    with pytest.raises(UserError, match="dept/api/deploy is no file that pult can read"):
        await bench.forge.read(REPO, "deploy", "main")


async def test_a_picture_is_no_text(bench: Bench) -> None:
    files = dict(bench.repo.branch("main").files) | {"logo.png": b"\x89PNG\xff\xfe"}
    bench.repo.commit("main", "logo", files, bench.simulation.world.clock.now())
    with pytest.raises(UserError, match=r"dept/api/logo.png is not text"):
        await bench.forge.read(REPO, "logo.png", "main")


async def test_a_wrong_token_is_said_and_not_shown(bench: Bench) -> None:
    async with open_forge(settings(bench.url, token="ghs_revoked_revoked"), SystemClock()) as forge:
        with pytest.raises(UserError, match="GitHub does not allow pult to do this: Bad credentials") as caught:
            await forge.read(REPO, PATH, "main")
    assert "ghs_revoked" not in str(caught.value)


async def test_a_spent_rate_limit_says_how_long(bench: Bench) -> None:
    bench.simulation.world.faults.start("ratelimit", "github")
    with pytest.raises(RateLimitedError) as caught:
        await bench.forge.read(REPO, PATH, "main")
    assert caught.value.delay is not None
    assert 0 < caught.value.delay <= 3601


@pytest.mark.parametrize("fault", ["error", "drop"])
async def test_a_sick_github_may_recover(bench: Bench, fault: str) -> None:
    bench.simulation.world.faults.start(fault, "github")
    with pytest.raises(TemporaryError, match="GitHub does not answer"):
        await bench.forge.read(REPO, PATH, "main")
    bench.simulation.world.faults.clear()
    assert (await bench.forge.read(REPO, PATH, "main")).sha


async def test_a_slow_github_is_given_up(bench: Bench) -> None:
    bench.simulation.world.faults.start("slow", "github", delay=0.4)
    async with open_forge(settings(bench.url, timeout=timedelta(milliseconds=100)), SystemClock()) as forge:
        with pytest.raises(TemporaryError, match="GitHub does not answer"):
            await forge.read(REPO, PATH, "main")


async def test_nobody_listens() -> None:
    async with open_forge(settings(f"http://127.0.0.1:{free_port()}"), SystemClock()) as forge:
        with pytest.raises(TemporaryError, match="GitHub does not answer"):
            await forge.check()


async def test_it_says_what_is_left(bench: Bench) -> None:
    assert await bench.forge.check() == "GitHub answers, 5000 calls left this hour"


# Answers of our own making.


SPENT = {"x-ratelimit-limit": "5000", "x-ratelimit-remaining": "0", "x-ratelimit-reset": "1795507290"}
SECONDARY = {"message": "You have exceeded a secondary rate limit. Please wait a few minutes."}


@pytest.mark.parametrize(
    ("status", "body", "headers", "delay"),
    [
        (403, {"message": "API rate limit exceeded"}, SPENT | {"Date": "Tue, 24 Nov 2026 08:01:00 GMT"}, 30),
        (429, {"message": "API rate limit exceeded"}, SPENT | {"Date": "Tue, 24 Nov 2026 08:01:00 GMT"}, 30),
        (403, {"message": "API rate limit exceeded"}, SPENT | {"Date": "Tue, 24 Nov 2026 08:09:00 GMT"}, 1),
        (403, {"message": "API rate limit exceeded"}, SPENT | {"Date": "soon"}, 60),
        (403, SECONDARY, {"Retry-After": "17"}, 17),
        (429, SECONDARY, {}, 60),
        (403, SECONDARY, {"x-ratelimit-limit": "5000", "x-ratelimit-remaining": "99", "x-ratelimit-reset": "9"}, 60),
    ],
)
async def test_every_kind_of_rate_limit(status: int, body: Any, headers: dict[str, str], delay: float) -> None:
    async with scripted(Script({"*": (status, body, headers)})) as forge:
        with pytest.raises(RateLimitedError) as caught:
            await forge.read(REPO, PATH, "main")
    assert caught.value.delay == delay


async def test_a_plain_403_is_no_rate_limit() -> None:
    answer = (403, {"message": "Resource not accessible by integration"}, {})
    async with scripted(Script({"*": answer})) as forge:
        with pytest.raises(UserError, match="does not allow pult to do this: Resource not accessible"):
            await forge.commit(REPO, PATH, "main", File("", "sha"), "text", "message")


async def test_a_refused_change_is_explained() -> None:
    answer = (422, {"message": "Invalid request.", "errors": ["sha wasn't supplied"]}, {})
    async with scripted(Script({"*": answer})) as forge:
        with pytest.raises(UserError, match=r"GitHub refuses this: Invalid request.*sha wasn't supplied"):
            await forge.commit(REPO, PATH, "main", File("", ""), "text", "message")


async def test_a_file_over_its_limit_is_not_taken_for_empty() -> None:
    answer = (200, {"type": "file", "encoding": "none", "content": "", "sha": "abc"}, {})
    async with scripted(Script({"*": answer})) as forge:
        with pytest.raises(UserError, match="no file that pult can read"):
            await forge.read(REPO, PATH, "main")


@pytest.mark.parametrize(
    ("body", "headers"),
    [("<html>log in</html>", {"Content-Type": "text/html"}), ('{"content": ', {}), ("", {})],
)
async def test_a_proxys_page_is_no_answer(body: str, headers: dict[str, str]) -> None:
    async with scripted(Script({"*": (200, body, headers)})) as forge:
        with pytest.raises(TemporaryError, match="GitHub does not answer"):
            await forge.commit(REPO, PATH, "main", File("", "sha"), "text", "message")


# As an app: its own JWT opens no repository, a token of the installation does.

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PEM = KEY.private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
).decode()
CONTENT = {"type": "file", "encoding": "base64", "content": base64.b64encode(b"text").decode(), "sha": "abc"}


def app_script() -> Script:
    return Script(
        {
            "/app": (200, {"slug": "pult-dept"}, {}),
            f"/repos/{REPO}/installation": (200, {"id": 77}, {}),
            "/repos/dept/web/installation": (200, {"id": 77}, {}),
            "/repos/other/api/installation": (404, {"message": "Not Found"}, {}),
            "/app/installations/77/access_tokens": (201, {"token": "ghs_installed"}, {}),
            "*": (200, CONTENT, {}),
        }
    )


async def test_an_app_uses_one_token_of_its_installation() -> None:
    script = app_script()
    async with scripted(script, token=None, app_id=4242, private_key=PEM) as forge:
        assert await forge.read(REPO, PATH, "main") == File("text", "abc")
        await forge.read("dept/web", PATH, "main")
    paths = [path for _, path, _ in script.asked]
    assert paths.count("/app/installations/77/access_tokens") == 1
    tokens = {auth for _, path, auth in script.asked if "/contents/" in path}
    assert tokens == {"token ghs_installed"}
    signed = {auth.removeprefix("bearer ") for _, path, auth in script.asked if path.endswith("/installation")}
    claims = jwt.decode(signed.pop(), KEY.public_key(), algorithms=["RS256"])
    assert claims["iss"] == "4242"


async def test_an_old_token_is_fetched_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(identity, "LIFE", -1.0)
    script = app_script()
    async with scripted(script, token=None, app_id=4242, private_key=PEM) as forge:
        await forge.read(REPO, PATH, "main")
        await forge.read(REPO, PATH, "main")
    assert [path for _, path, _ in script.asked].count("/app/installations/77/access_tokens") == 2


async def test_an_app_that_is_not_installed_is_told() -> None:
    async with scripted(app_script(), token=None, app_id=4242, private_key=PEM) as forge:
        with pytest.raises(UserError, match="GitHub has no other/api"):
            await forge.read("other/api", PATH, "main")


async def test_an_app_says_who_it_is() -> None:
    async with scripted(app_script(), token=None, app_id=4242, private_key=PEM) as forge:
        assert await forge.check() == "GitHub answers to the app pult-dept"


async def test_a_key_that_is_none_is_said_and_not_shown() -> None:
    async with scripted(app_script(), token=None, app_id=4242, private_key="no-pem-at-all") as forge:
        for call in (forge.check(), forge.read(REPO, PATH, "main")):
            with pytest.raises(PermanentError, match="private_key is not an RSA key in PEM") as caught:
                await call
            assert "no-pem-at-all" not in str(caught.value)
