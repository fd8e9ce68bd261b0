"""``logs`` and ``events``: what a person reads, and what becomes of everything that can be asked wrongly."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.adapters.words import Languages
from bot.compose.core import LOCALES
from bot.domain.cards import Place
from bot.domain.errors import PermanentError, UserError
from bot.domain.messages import Message, Preformatted, Tone
from bot.domain.phrases import English, Words, phrase
from bot.domain.requests import Request
from bot.platforms.console.plain import plain
from bot.platforms.slack.render import render as slack
from bot.platforms.telegram.render import render as telegram
from bot.ports.happenings import Happening
from bot.ports.logs import Line
from tests.handlers.department import Check, Department, read
from tests.handlers.fakes import NOON, FakeClock

PROD, SFO = ("nyc2", "production"), ("sfo3", "production")
POD_A, POD_B = "api-6c9f7d5b8-7xk2p", "api-6c9f7d5b8-q9z4m"
REQUEST = 'level=info msg="request" route=/v1/items status=200'
FAILED = 'level=error msg="request failed" status=500 err="connection refused"'


def ago(seconds: float) -> timedelta:
    return timedelta(seconds=seconds)


def lines(count: int, text: str = REQUEST, source: str = POD_A) -> tuple[Line, ...]:
    """One a second, the last a second before noon."""
    return tuple(Line(NOON - ago(count - number), source, f"{text} n={number}") for number in range(count))


def pre(message: Message) -> list[str]:
    (block,) = (block for block in message.blocks if isinstance(block, Preformatted))
    return block.text.splitlines()


def newer(message: Message) -> str:
    return next(button.command for button in message.buttons if button.label.plain() == "Newer")


async def test_logs(department: Department, reads_as: Check) -> None:
    department.logs.written[PROD] = (
        Line(NOON - ago(9), POD_A, REQUEST),
        Line(NOON - ago(8), POD_B, REQUEST),
        Line(NOON - ago(5.5), POD_B, FAILED),
        Line(NOON - ago(2), POD_A, 'level=info msg="request" error=<nil> <!channel> *bold* `x`'),
    )
    reads_as("commands/logs", await department.say("vera", "logs api"))


async def test_many_lines_go_into_the_file(department: Department, reads_as: Check) -> None:
    department.logs.written[PROD] = lines(300)
    reply = await department.reply("vera", "логи api --за 1h")
    assert len(reply.message.whole.splitlines()) == 300
    shown = pre(reply.message)
    assert shown[-1].endswith("n=299")
    assert len(shown) == 25
    reads_as("commands/logs-many", read(replace(reply.message, whole="(the file)")))


@pytest.mark.parametrize("length", [1, 26, 300])
async def test_what_is_left_out_is_attached_in_every_chat(department: Department, length: int) -> None:
    department.logs.written[PROD] = lines(length, REQUEST * 6)
    message = (await department.reply("vera", "logs api")).message
    hidden = length > 1
    for drawn in (slack(message, English()).shortened, telegram(message, English()).shortened):
        assert drawn is hidden
    whole = message.whole.splitlines()
    assert len(whole) == length
    assert whole[-1].endswith(f"n={length - 1}")
    if hidden:
        assert pre(message)[-1].endswith("…")


async def test_a_lone_line_that_is_too_long_is_attached_too(department: Department) -> None:
    department.logs.written[PROD] = (Line(NOON - ago(1), POD_A, "x" * 3_990),)
    message = (await department.reply("vera", "logs api")).message
    assert slack(message, English()).shortened
    assert message.whole.endswith("x" * 3_990)


async def test_newer_shows_each_line_once(department: Department) -> None:
    """However the lines come in between, each stands in exactly one answer."""
    written = department.logs.written
    written[PROD] = lines(5)
    seen: list[str] = []
    command = "logs api 7xk2p --grep request"
    for turn in range(4):
        reply = await department.reply("vera", command)
        seen += [line.rpartition(" ")[2] for line in pre(reply.message)] if reply.message.whole else []
        command = newer(reply.message)
        assert len(command) <= 64
        department.clock.at += ago(10)
        fresh = tuple(Line(department.clock.at - ago(7), POD_A, f"{REQUEST} n={turn}{part}") for part in "ab")
        written[PROD] += fresh
    assert seen == [*(f"n={n}" for n in range(5)), "n=0a", "n=0b", "n=1a", "n=1b", "n=2a", "n=2b"]
    assert {wanted.pod for wanted in department.logs.asked} == {"7xk2p"}
    assert {wanted.grep for wanted in department.logs.asked} == {"request"}


async def test_nothing_newer_says_so(department: Department, reads_as: Check) -> None:
    department.logs.written[PROD] = lines(2)
    command = newer((await department.reply("vera", "logs api")).message)
    department.clock.at += ago(30)
    reads_as("commands/logs-none-newer", await department.say("vera", command))


async def test_both_regions_side_by_side(department: Department, reads_as: Check) -> None:
    department.logs.written[PROD] = (Line(NOON - ago(4), "web-abc-11111", REQUEST),)
    department.logs.written[SFO] = (Line(NOON - ago(3), "web-abc-22222", FAILED),)
    reads_as("commands/logs-regions", await department.say("vera", "logs web"))


async def test_loki_away_the_pods_help_out(department: Department, reads_as: Check) -> None:
    department.logs.away = True
    department.pod_logs.written[PROD] = lines(3)
    reads_as("commands/logs-helped-out", await department.say("vera", "logs api"))


async def test_loki_that_lets_nobody_in_or_understands_nothing_is_told(department: Department) -> None:
    department.pod_logs.written[PROD] = lines(3)
    for refusal, told in (
        (PermanentError("401"), "Loki does not let pult in"),
        (UserError("Loki refuses the query: {why}", why="parse error"), "Loki refuses the query: parse error"),
    ):
        department.logs.refuses = refusal
        said = await department.say("vera", "logs api")
        assert told in said
        assert "3 lines of api" in said


async def test_nobody_answers(department: Department, reads_as: Check) -> None:
    department.logs.away = department.pod_logs.away = True
    reads_as("commands/logs-away", await department.say("vera", "logs api", ok=False))


async def test_a_selector_that_fits_nothing_is_noticed(department: Department) -> None:
    department.pod_logs.written[PROD] = lines(3)
    said = await department.say("vera", "logs api")
    assert "[loki] selector" in said
    assert "3 lines of api" in said


async def test_silence_is_no_misfit_when_a_word_was_looked_for(department: Department) -> None:
    department.pod_logs.written[PROD] = lines(3)
    said = await department.say("vera", "logs api --grep nothing-like-it")
    assert "No line of api holds nothing-like-it" in said
    assert department.pod_logs.asked == []


async def test_only_the_pods_know_their_life_before(department: Department) -> None:
    department.pod_logs.written[PROD] = (Line(NOON - timedelta(hours=20), POD_A, "panic: boom"),)
    message = (await department.reply("vera", "logs api --previous")).message
    assert department.logs.asked == []
    (wanted,) = department.pod_logs.asked
    assert wanted.previous
    assert pre(message)[0].startswith("✖ ")
    assert [button.label.plain() for button in message.buttons] == ["Events"]


async def test_what_could_not_be_read_is_said(department: Department) -> None:
    department.logs.written[PROD] = lines(2)
    department.logs.cut = True
    department.logs.silent = (phrase("{pod}: {trouble}", pod=POD_B, trouble=phrase("it has not started")),)
    reply = await department.reply("vera", "logs api")
    said = read(reply.message)
    assert f"{POD_B}: it has not started" in said
    assert "these are the newest" in said
    assert "at least 0" in said
    assert reply.message.tone is Tone.WARNING


async def test_without_loki(department: Department) -> None:
    department.without = frozenset({"loki"})
    department.pod_logs.written[PROD] = lines(2)
    assert "2 lines of api" in await department.say("vera", "logs api")
    department.pod_logs.refuses = UserError("nyc2 does not allow pult to do this")
    assert "does not allow" in await department.say("vera", "logs api", ok=False)


async def test_a_private_answer_speaks_the_persons_own_time(department: Department) -> None:
    """Shared chats speak the department's; NOON is in UTC, Moscow three hours ahead."""
    department.logs.written[PROD] = lines(1)
    shared = (await department.reply("vera", "logs api")).message
    assert " 14:59:59 " in pre(shared)[0]
    place = Place("console:ops")
    alone = Request("test:own", "console", "dora", "logs api", place, place, NOON, shared=False)
    message = (await department.router().answer(alone)).message
    assert " 17:29:59 " in pre(message)[0], "dora sits in Kolkata"


async def test_lines_of_two_days_bear_their_date(department: Department) -> None:
    department.logs.written[PROD] = (
        Line(NOON - timedelta(hours=20), POD_A, REQUEST),
        Line(NOON - ago(3), POD_A, REQUEST),
    )
    assert pre((await department.reply("vera", "logs api --since 1d")).message)[0].startswith("  02-28 19:00:00")


@pytest.mark.parametrize(
    "words",
    [
        "logs", "logs chekout", "logs api --since soon", "logs api --since 0s", "logs api --since 90d",
        "logs api --since", "logs api --color", "logs api one two", "logs api --env moon", "logs api --after yesterday",
        "logs api --after 99999999999999999999", "events api somepod", "events", "events api --previous",
    ],
)  # fmt: skip
async def test_what_is_asked_wrongly_is_answered_in_words(department: Department, words: str) -> None:
    said = await department.say("vera", words, ok=False)
    assert "That did not work" in said
    assert "Quote" not in said


@pytest.mark.parametrize(
    "words",
    [
        "logs api --env staging --since 5m --grep timeout", "logs api —since 5m —grep=timeout —env staging",
        "логи api --за 5m --найти timeout --среда staging", "logs api in staging --since=5m --grep TIMEOUT",
    ],
)  # fmt: skip
async def test_options_in_many_hands(department: Department, words: str) -> None:
    department.logs.written["nyc2", "staging"] = lines(1, "a Timeout here")
    assert "1 line of api" in await department.say("vera", words)
    (wanted,) = department.logs.asked
    assert wanted.until - wanted.since == timedelta(minutes=5)
    assert wanted.grep.lower() == "timeout"


async def test_a_command_too_long_for_a_button_has_none(department: Department) -> None:
    department.logs.written[PROD] = lines(2)
    for words in (f"logs api --grep {'re' * 30}", "logs api --grep привет"):
        message = (await department.reply("vera", words)).message
        assert [button.label.plain() for button in message.buttons] == ["Events"]


def happening(seconds: float, reason: str, text: str, **values: object) -> Happening:
    given: dict[str, object] = {
        "at": NOON - ago(seconds), "first": NOON - ago(seconds), "kind": "Pod", "name": POD_A, "reason": reason,
        "text": text, **values,
    }  # fmt: skip
    return Happening(**given)  # type: ignore[arg-type]


async def test_events(department: Department, reads_as: Check) -> None:
    department.happenings.told["nyc2"] = (
        happening(2400, "ScalingReplicaSet", "Scaled up replica set api-6c9f7d5b8 from 1 to 2", kind="Deployment",
                  name="api"),
        happening(2390, "SuccessfulCreate", f"Created pod: {POD_A}", kind="ReplicaSet", name="api-6c9f7d5b8"),
        happening(2380, "Pulled", 'Container image "registry.example/dept/api@sha256:1234" already present on machine'),
        happening(2379, "Started", "Started container api"),
        happening(2370, "Started", "Started container api", name=POD_B),
        happening(60, "BackOff", f"Back-off restarting failed container api in pod {POD_A}_production", count=14,
                  first=NOON - ago(1200), warning=True),
        happening(50, "BackOff", f"Back-off restarting failed container api in pod {POD_B}_production", count=3,
                  first=NOON - ago(900), name=POD_B, warning=True),
        happening(20, "SomethingNew", "a reason that nobody has words for <!channel> *x*"),
    )  # fmt: skip
    reads_as("commands/events", await department.say("vera", "события api"))


async def test_many_events_go_into_the_file(department: Department) -> None:
    department.happenings.told["nyc2"] = tuple(happening(60 - n, f"Reason{n}", f"text {n}") for n in range(40))
    message = (await department.reply("vera", "events api")).message
    assert slack(message, English()).shortened
    assert telegram(message, English()).shortened
    assert len(message.whole.splitlines()) == 40
    said = read(message)
    assert "… and 25 more" in said
    assert said.index("… and 25 more") < said.index("Reason39")


async def test_a_warning_is_shown_before_newer_news(department: Department) -> None:
    news = tuple(happening(30 - n, f"Reason{n}", f"text {n}") for n in range(20))
    department.happenings.told["nyc2"] = (happening(50, "Evicted", "low on memory", warning=True), *news)
    said = read(replace((await department.reply("vera", "events web")).message, whole=""))
    assert "Reason5 " not in said
    assert said.index("low on memory") < said.index("Reason6") < said.index("Reason19")


async def test_events_of_a_region_that_is_away(department: Department, reads_as: Check) -> None:
    department.happenings.away.add("sfo3")
    department.happenings.told["nyc2"] = (happening(5, "Killing", "Stopping container web", name="web-1-abcde"),)
    reads_as("commands/events-away", await department.say("vera", "events web"))
    department.happenings.told.clear()
    assert "What happened to web in 3600 s is known only in part" in await department.say("vera", "events web")
    department.happenings.away.add("nyc2")
    assert "could not be read" in await department.say("vera", "events web", ok=False)


async def test_events_that_may_not_be_read(department: Department) -> None:
    department.happenings.refuses = UserError("nyc2 does not allow pult to do this")
    assert "does not allow" in await department.say("vera", "events api", ok=False)


async def test_nothing_happened(department: Department) -> None:
    message = (await department.reply("vera", "events api --since 15m")).message
    assert "Nothing happened to api" in read(message)
    assert message.tone is Tone.INFO
    assert [button.command for button in message.buttons] == ["events api --since 15m", "logs api"]


@pytest.fixture
def russian() -> Words:
    return Languages(LOCALES, FakeClock()).words("ru", "Europe/Moscow")


async def test_cards_in_russian(department: Department, reads_as: Check, russian: Words) -> None:
    """As both chats and a terminal get them; what a log says is never markup, mention or link."""
    department.logs.written[PROD] = (
        Line(NOON - ago(8), POD_B, REQUEST),
        Line(NOON - ago(5), POD_B, FAILED),
        Line(NOON - ago(2), POD_A, "<!channel> <b>@anna</b> *bold* `x` https://evil.example [a](b) &amp;"),
    )
    department.logs.cut = True
    department.happenings.told["nyc2"] = (
        happening(60, "BackOff", f"Back-off restarting <@U0ANNA> in pod {POD_A}", count=14, warning=True),
    )
    for name in ("logs", "events"):
        message = (await department.reply("vera", f"{name} api")).message
        drawn = slack(message, russian)
        reads_as(f"commands/{name}-ru", plain(message, russian) + "\n")
        reads_as(f"commands/{name}-ru-telegram", telegram(message, russian).html + "\n")
        blocks = json.dumps(drawn.blocks, ensure_ascii=False, indent=1)
        reads_as(f"commands/{name}-ru-slack", f"{drawn.text}\n\n{blocks}\n")
