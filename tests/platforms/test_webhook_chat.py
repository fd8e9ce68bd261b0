"""The paging provider's destination: the Chat port over real HTTP, and the verdicts on whatever comes back."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from pydantic import ValidationError

from bot.adapters.words import Languages
from bot.compose.core import LOCALES
from bot.domain.alerts import Ack, Alert, Group, Silenced
from bot.domain.cards import Place, Ref
from bot.domain.errors import (
    AmbiguousError,
    LostReferenceError,
    PermanentError,
    RateLimitedError,
    TemporaryError,
)
from bot.domain.messages import Demand, Lines, Message, Paragraph, Preformatted, Tone
from bot.domain.phrases import English, Link, phrase, verbatim
from bot.domain.silences import Silence
from bot.platforms.webhook import limits, open_pagers
from bot.platforms.webhook.render import render
from bot.platforms.webhook.transport import WebhookChat
from bot.platforms.webhook.verdicts import retry_after
from handlers.cards.alert import draw
from tests.platforms.pager_setup import SECRET, Provider, card, pager, provider
from tests.platforms.slack_setup import START, Clock
from tests.strategies import messages

MESSAGE = Message(phrase("HighErrors"), Tone.CRITICAL, (Paragraph(verbatim("8 % of requests fail")),))
PUBLIC = "https://pult.dept.example"
Open = Callable[..., Awaitable[WebhookChat]]


@pytest.fixture
async def stack() -> AsyncIterator[AsyncExitStack]:
    async with AsyncExitStack() as opened:
        yield opened


@pytest.fixture
async def there(stack: AsyncExitStack) -> Provider:
    return await provider(stack)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def chat(stack: AsyncExitStack, there: Provider, clock: Clock) -> WebhookChat:
    return await stack.enter_async_context(open_pagers([pager(there.url, timeout="1s")], clock, PUBLIC))


# --- what is sent ---


async def test_a_new_card_and_each_revision_are_events_of_one_incident(chat: WebhookChat, there: Provider) -> None:
    ref = await chat.post(card(), MESSAGE, English())
    assert await chat.edit(card(wanted=3), ref, MESSAGE, English()) == ref
    first, second = there.events
    assert first == {
        "id": "alert:a-7k2f@webhook:duty",
        "revision": 1,
        "subject": "alert:a-7k2f",
        "title": "HighErrors",
        "text": "8 % of requests fail",
        "tone": "critical",
        "status": "info",
        "url": PUBLIC,
        "at": START.isoformat(),
    }
    assert (second["id"], second["revision"]) == (first["id"], 3)
    assert there.keys == ["alert%3Aa-7k2f%40webhook%3Aduty/1", "alert%3Aa-7k2f%40webhook%3Aduty/3"]


async def test_every_request_is_signed_with_the_time_it_is_sent(
    chat: WebhookChat, there: Provider, clock: Clock
) -> None:
    """The provider in this test checks the signature of everything it takes."""
    await chat.post(card(), MESSAGE, English())
    clock.forward(60)
    await chat.post(card(), MESSAGE, English())
    stamps = [int(headers["X-Pult-Timestamp"]) for headers in there.headers]
    assert stamps == [int(START.timestamp()), int(START.timestamp()) + 60]
    signatures = {headers["X-Pult-Signature"] for headers in there.headers}
    assert len(signatures) == 2
    assert len(set(there.keys)) == 1, "the same event, so that a provider drops it"


async def test_it_reads_as_its_readers_do(chat: WebhookChat, there: Provider, clock: Clock) -> None:
    message = Message(phrase("Runbook"), Tone.OK)
    await chat.post(card(), message, Languages(LOCALES, clock).words("ru", "Europe/Moscow"))
    assert there.last["title"] == "Инструкция"


def group(**changes: object) -> Group:
    alert = Alert("f", {"alertname": "HighErrors", "severity": "critical"}, {"summary": "8 % fail"}, START)
    return Group("a-7k2f", "k", "alertmanager", {}, {"f": alert}, START, **changes)  # type: ignore[arg-type]


HELD = Ack("anna", START)
MUTED = Silenced(Silence("s", (), "anna", "", START, START + timedelta(hours=1)), START)
OVER = {"f": Alert("f", {"alertname": "HighErrors"}, {}, START, START + timedelta(minutes=5))}
BLIND = {"f": Alert("f", {"alertname": "H"}, {"grafana_state_reason": "MissingSeries"}, START, START)}


@pytest.mark.parametrize(
    ("state", "status"),
    [
        (group(), "triggered"),
        (group(ack=HELD), "acknowledged"),
        (group(silenced=MUTED), "acknowledged"),
        (group(ack=HELD, silenced=MUTED), "acknowledged"),
        (Group("a-1", "k", "alertmanager", {}, OVER, START, START), "resolved"),
        (Group("a-1", "k", "grafana", {}, BLIND, START, START), "resolved"),
    ],
)
async def test_an_alert_wakes_until_somebody_has_it(
    chat: WebhookChat, there: Provider, state: Group, status: str
) -> None:
    await chat.post(card(), draw(state), English())
    assert there.last["status"] == status


# --- what comes back ---


@pytest.mark.parametrize("status", [200, 201, 202, 204])
async def test_any_2xx_is_done(chat: WebhookChat, there: Provider, status: int) -> None:
    there.answers = [(status, {})]
    assert (await chat.post(card(), MESSAGE, English())).chat == "duty"


@pytest.mark.parametrize(
    ("status", "headers", "error", "delay"),
    [
        (429, {"Retry-After": "7"}, RateLimitedError, 7.0),
        (429, {}, RateLimitedError, None),
        (429, {"Retry-After": "Tue, 24 Nov 2026 03:00:30 GMT"}, RateLimitedError, 30.0),
        (429, {"Retry-After": "999999"}, RateLimitedError, 3600.0),
        (500, {}, AmbiguousError, None),
        (502, {}, AmbiguousError, None),
        (503, {"Retry-After": "5"}, AmbiguousError, 5.0),
        (408, {}, AmbiguousError, None),
        (301, {"Location": "https://elsewhere.example/"}, PermanentError, None),
        (307, {"Location": "https://elsewhere.example/"}, PermanentError, None),
        (400, {}, PermanentError, None),
        (401, {}, PermanentError, None),
        (404, {}, PermanentError, None),
        (409, {}, PermanentError, None),
        (413, {}, PermanentError, None),
    ],
)
async def test_any_other_status_is_a_verdict(
    chat: WebhookChat, there: Provider, status: int, headers: dict[str, str], error: type[Exception], delay: object
) -> None:
    for send in (
        lambda: chat.post(card(), MESSAGE, English()),
        lambda: chat.edit(card(wanted=2), Ref("duty", "x"), MESSAGE, English()),
    ):
        there.answers = [(status, headers)]
        with pytest.raises(error) as raised:
            await send()
        assert type(raised.value) is error
        assert not isinstance(raised.value, LostReferenceError)
        assert str(status) in str(raised.value)
        assert getattr(raised.value, "delay", None) == delay
        assert "s3cret" not in str(raised.value)


async def test_a_slow_answer_may_have_done_it(chat: WebhookChat, there: Provider) -> None:
    there.delay = 2
    with pytest.raises(AmbiguousError, match="duty gives no answer") as raised:
        await chat.post(card(), MESSAGE, English())
    assert "s3cret" not in str(raised.value)


async def test_a_dropped_connection_may_have_done_it(stack: AsyncExitStack, clock: Clock) -> None:
    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.close()

    server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    chat = await stack.enter_async_context(open_pagers([pager(f"http://127.0.0.1:{port}/s3cret")], clock))
    with pytest.raises(AmbiguousError):
        await chat.post(card(), MESSAGE, English())
    server.close()


async def test_nobody_there_has_not(stack: AsyncExitStack, clock: Clock) -> None:
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    chat = await stack.enter_async_context(open_pagers([pager(f"http://127.0.0.1:{port}/s3cret")], clock))
    for ask in (lambda: chat.post(card(), MESSAGE, English()), chat.check):
        with pytest.raises(TemporaryError, match="pager duty can't be reached") as raised:
            await ask()
        assert type(raised.value) is TemporaryError
        assert "s3cret" not in str(raised.value) + repr(raised.value.__cause__)


async def test_a_pager_that_is_configured_no_more(chat: WebhookChat) -> None:
    with pytest.raises(PermanentError, match="there is no pager old"):
        await chat.post(card(name="old"), MESSAGE, English())


async def test_redirects_are_not_followed(chat: WebhookChat, there: Provider) -> None:
    there.answers = [(302, {"Location": there.url})]
    with pytest.raises(PermanentError, match="moved"):
        await chat.post(card(), MESSAGE, English())
    assert there.events == []


@pytest.mark.parametrize(
    ("written", "seconds"),
    [("", None), ("soon", None), ("-5", None), ("0", 0.0), (" 12 ", 12.0), ("1.5", None), ("٣", None),
     ("Tue, 24 Nov 2026 03:01:00 GMT", 60.0), ("Tue, 24 Nov 2026 02:00:00 GMT", 0.0),
     ("Tue, 24 Nov 2099 02:00:00 GMT", 3600.0), ("Tue, 99 Nov 2026 02:00:00 GMT", None)],
)  # fmt: skip
def test_retry_after(written: str, seconds: float | None) -> None:
    assert retry_after(written, datetime(2026, 11, 24, 3, tzinfo=UTC)) == seconds


# --- the rest of the port ---


async def test_check_reaches_out_and_wakes_nobody(chat: WebhookChat, there: Provider) -> None:
    assert (await chat.check()).startswith("duty can be reached")
    assert there.heads == 1
    assert there.events == []


async def test_it_has_nothing_to_find_and_nobody_to_hear(chat: WebhookChat) -> None:
    assert await chat.find(Place("webhook:duty"), START) == {}

    async def never(_: object) -> None:
        raise AssertionError

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await chat.listen(never)


async def test_each_pager_has_its_own_key_and_address(stack: AsyncExitStack, there: Provider, clock: Clock) -> None:
    other = await provider(stack)
    pagers = [pager(there.url), pager(other.url, "spare")]
    chat = await stack.enter_async_context(open_pagers(pagers, clock))
    await chat.post(card(name="spare"), MESSAGE, English())
    assert (len(there.events), len(other.events)) == (0, 1)


async def test_cookies_are_not_kept(chat: WebhookChat, there: Provider) -> None:
    there.answers = [(200, {"Set-Cookie": "session=x"}), (200, {})]
    for _ in range(2):
        await chat.post(card(), MESSAGE, English())
    assert all("Cookie" not in headers for headers in there.headers)


def test_it_may_be_written_to_at_the_published_rate() -> None:
    chat = WebhookChat([], None, Clock(), "")  # type: ignore[arg-type]
    assert chat.pace.interval("webhook:duty") * 120 >= 60
    assert chat.pace.burst("webhook:duty") >= 1


# --- how it reads ---


def text(*blocks: object) -> str:
    return render(card(), Message(phrase("T"), blocks=blocks), English(), "")["text"]  # type: ignore[arg-type]


def test_links_go_along_with_their_addresses_and_secrets_do_not() -> None:
    said = text(
        Paragraph(phrase("{link}", link=Link("Runbook", "https://wiki.example/rb"))),
        Preformatted(
            "line\n-----BEGIN RSA PRIVATE KEY-----\nabc\nabc\n-----END RSA PRIVATE KEY-----\npassword=hunter2"
        ),
        Lines((verbatim("\u202egnp.exe\x1b[31m"),), 3),
    )
    assert said.splitlines() == ["Runbook (https://wiki.example/rb)", "line", "•••", "password=•••", "- gnp.exe[31m",
                                 "… and 3 more"]  # fmt: skip


def test_it_is_cut_after_a_whole_line() -> None:
    said = text(Lines(tuple(verbatim(f"line {number} {'x' * 50}") for number in range(200))))
    assert len(said) <= limits.TEXT
    *lines, last = said.splitlines()
    assert last == "…"
    assert all(line.endswith("x" * 50) for line in lines)
    event = render(card(), Message(verbatim("x" * 999)), English(), "")
    assert len(event["title"]) == limits.TITLE


@given(messages())
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_whatever_a_message_holds_is_an_event_within_its_limits(message: Message) -> None:
    event = render(card(), message, English(), "")
    raw = json.dumps(event, ensure_ascii=False).encode()
    assert json.loads(raw) == event
    assert len(event["title"]) <= limits.TITLE
    assert len(event["text"]) <= limits.TEXT
    assert "\n" not in event["title"]
    assert event["status"] in {"triggered", "acknowledged", "resolved", "info"}


def test_every_demand_has_a_status() -> None:
    found = {render(card(), Message(phrase("T"), demand=demand), English(), "")["status"] for demand in Demand}
    assert found == {"triggered", "acknowledged", "resolved", "info"}


# --- settings ---


@pytest.mark.parametrize(
    "wrong",
    [{"name": "Duty"}, {"name": "a/b"}, {"name": ""}, {"url": "ftp://x"}, {"url": "https://"}, {"url": "https://[x"},
     {"url": ""}, {"secret": ""}, {"secret": "  "}, {"timeout": "26s"}, {"timeout": "0s"}, {"retries": 3}],
)  # fmt: skip
def test_settings_that_cant_work_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        pager(**({"url": "https://x.example"} | wrong))


def test_nothing_of_a_pager_is_shown_in_its_repr() -> None:
    assert "KEY" not in repr(pager("https://x.example/KEY"))


# --- what docs/integrations.md says of it ---

PAGE = (Path(__file__).parents[2] / "docs" / "integrations.md").read_text(encoding="utf-8")


def example(language: str) -> str:
    section = PAGE.partition("\n## Paging providers\n")[2]
    return section.partition(f"```{language}\n")[2].partition("```")[0]


async def test_the_documented_event_has_the_keys_of_a_real_one(chat: WebhookChat, there: Provider) -> None:
    await chat.post(card(), draw(group()), English())
    shown = json.loads(example("json"))
    assert list(shown) == list(there.last)
    assert {name: type(value) for name, value in shown.items()} == {
        name: type(value) for name, value in there.last.items()
    }


async def test_the_documented_check_takes_real_events_and_no_others(chat: WebhookChat, there: Provider) -> None:
    names: dict[str, Any] = {"hmac": hmac, "hashlib": hashlib, "Mapping": Mapping}
    exec(example("python"), names)  # the page's own code, in this repository
    await chat.post(card(), MESSAGE, English())
    body, headers, now = there.bodies[-1], there.headers[-1], START.timestamp()
    assert names["genuine"](body, headers, SECRET, now)
    assert not names["genuine"](body + b" ", headers, SECRET, now)
    assert not names["genuine"](body, headers, "else", now)
    assert not names["genuine"](body, headers, SECRET, now + 301)
