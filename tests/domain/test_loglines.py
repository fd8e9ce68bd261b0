"""Which lines are errors, in every format that the field writes; and what of a line may be shown."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.loglines import LONGEST, errors, has, is_error, masked, short, short_names, tidy
from bot.domain.redact import MASK

ERRORS = [
    # JSON: zap, logrus, slog, structlog, Cloud Logging, serilog, ECS, OpenTelemetry, pino and bunyan
    '{"level":"error","ts":1.7e9,"caller":"api/main.go:88","msg":"request failed"}',
    '{"ts":"2026-03-01T12:00:00Z","msg":"x","level": "FATAL"}',
    '{"time":"2026-03-01T12:00:00Z","level":"ERROR","msg":"x"}',
    '{"event": "x", "level": "critical"}',
    '{"severity":"ERROR","message":"x"}',
    '{"@t":"2026-03-01T12:00:00Z","@mt":"x","@level":"Error"}',
    '{"@timestamp":"2026-03-01T12:00:00Z","log.level":"error","message":"x"}',
    '{"severity_text":"ERROR","body":"x"}',
    '{"severityText":"Fatal","body":"x"}',
    '{"level":50,"time":1700000000000,"msg":"x"}',
    '{"level":60,"msg":"x"}',
    '{"password": •••, "level":"error"}',
    '   {"levelname":"ERROR","message":"indented"}',
    # logfmt
    'level=error msg="request failed" status=500',
    'ts=2026-03-01T12:00:00Z caller=main.go:1 level=error err="x"',
    'time="2026-03-01T12:00:00Z" level=fatal msg="x"',
    'lvl=eror msg="geth writes it so"',
    "severity=CRITICAL msg=x",
    # klog
    'E0301 12:00:00.000000       1 worker.go:214] "failed"',
    "F0301 12:00:00.000000       1 main.go:2] no configuration",
    # plain words: Python, Java, Rust, nginx, PostgreSQL, Ruby, PHP, .NET, zap's console
    "2026-03-01 12:00:00,123 ERROR web.views: request failed",
    "ERROR:root:request failed",
    "2026-03-01 12:00:00.123 ERROR 1 --- [main] c.e.Api : failed",
    "[2026-03-01T12:00:00Z ERROR api::server] failed",
    "2026/03/01 12:00:00 [error] 31#31: *1 connect() failed (111: Connection refused)",
    "2026/03/01 12:00:00 [emerg] 1#1: no configuration",
    '2026-03-01 12:00:00.123 UTC [88] ERROR:  relation "items" does not exist',
    "2026-03-01 12:00:00.123 UTC [88] FATAL:  the database system is starting up",
    "E, [2026-03-01T12:00:00.123456 #1] ERROR -- : failed",
    "2026-03-01T12:00:00.000Z\tERROR\tapi/main.go:88\trequest failed",
    "SEVERE: Servlet failed",
    "fail: Microsoft.AspNetCore.Server.Kestrel[13]",
    "crit: Api.Startup[0]",
    "error: listen EADDRINUSE: address already in use :::8080",
    "12:00:00 error: failed",
    # what runtimes write as they fail
    "panic: runtime error: invalid memory address or nil pointer dereference",
    "fatal error: concurrent map writes",
    "Traceback (most recent call last):",
    "KeyError: 'user'",
    "psycopg.errors.OperationalError: connection refused",
    'Exception in thread "main" java.lang.NullPointerException',
    "java.lang.IllegalStateException: closed",
    "TypeError: Cannot read properties of undefined",
    "Unhandled exception. System.NullReferenceException: Object reference",
    "thread 'main' panicked at src/main.rs:4:5:",
    "Segmentation fault (core dumped)",
]
OTHERS = [
    "",
    " ",
    '{"level":"info","msg":"request","error":null}',
    '{"level":"info","msg":"no ERROR here"}',
    '{"msg":"level unknown"}',
    '{"level":30,"msg":"x"}',
    '{"level":"warn","msg":"error rate is falling"}',
    '{"message":"the word error", "severity":"INFO"}',
    'level=info msg="request" error=nil',
    'level=info msg="0 errors"',
    "level=warn msg=ERROR",
    'level=debug err="context canceled"',
    "I0301 12:00:00.000000       1 worker.go:1] error budget is well",
    "W0301 12:00:00.000000       1 worker.go:1] ERROR soon",
    "2026-03-01 12:00:00,123 INFO web.views: ERROR page shown",
    "2026-03-01 12:00:00,123 WARNING web.views: slow",
    '10.244.1.7 - - [01/Mar/2026:12:00:00 +0000] "GET /error HTTP/1.1" 200 512',
    "2026/03/01 12:00:00 [notice] 1#1: start worker processes",
    "LOG:  checkpoint complete",
    "request without errors",
    "error budget: 99 %",
    "an error occurred somewhere in the middle of a sentence",
    "\tat com.example.Api.main(Api.java:7)",
    '  File "/app/main.py", line 7, in <module>',
    "goroutine 1 [running]:",
    "ErrorHandler ready",
    "level=9" * 3,
]


@pytest.mark.parametrize("text", ERRORS)
def test_errors(text: str) -> None:
    assert is_error(text)


@pytest.mark.parametrize("text", OTHERS)
def test_others(text: str) -> None:
    assert not is_error(text)


def test_they_are_counted() -> None:
    assert errors([*ERRORS, *OTHERS]) == len(ERRORS)


def test_a_line_loses_its_colours_and_its_end() -> None:
    assert tidy("\x1b[31mERROR\x1b[0m failed \x1b]0;title\x07now\r\n") == "ERROR failed now"
    assert tidy("x" * 9_999) == "x" * LONGEST + "…"


KEY = ["-----BEGIN RSA PRIVATE KEY-----", "MIIEowIBAAKCAQEA1234567890abcdef", "q" * 64, "-----END RSA PRIVATE KEY-----"]


@pytest.mark.parametrize("cut", range(3))
def test_a_key_over_several_lines_is_masked_also_without_its_beginning(cut: int) -> None:
    lines = ["before", *KEY, "after"] if not cut else [*KEY[cut:], "after"]
    shown = masked(lines)
    assert len(shown) == len(lines)
    assert [line for line in shown if line != MASK] == [line for line in ("before", "after") if line in lines]


def test_a_key_without_its_end_hides_what_follows() -> None:
    assert masked(["before", *KEY[:3]]) == ["before", MASK, MASK, MASK]


def test_a_key_on_one_line_hides_itself_alone() -> None:
    assert masked(["a", "key: -----BEGIN PRIVATE KEY-----abc-----END PRIVATE KEY-----", "b"]) == [
        "a",
        f"key: {MASK}",
        "b",
    ]


def test_what_only_looks_like_the_inside_of_a_key_stays() -> None:
    lines = ["0123456789abcdef0123456789abcdef", "sha256 of it above"]
    assert masked(lines) == lines


@given(st.lists(st.text(max_size=80), max_size=20))
def test_masking_keeps_the_number_of_lines(texts: list[str]) -> None:
    assert len(masked(texts)) == len(texts)


@given(st.text(max_size=400))
def test_any_text_is_an_error_or_none(text: str) -> None:
    assert is_error(text) in (True, False)


@pytest.mark.parametrize(
    "text",
    [
        "level=" * 50_000,
        '{"' * 50_000,
        "[" * 100_000,
        "a." * 50_000 + "Error",
        "\x1b[" * 50_000,
        "-----BEGIN " * 10_000,
    ],
)
def test_hostile_lines_cost_no_more_than_their_length(text: str) -> None:
    begun = time.perf_counter()
    is_error(tidy(text))
    is_error(text)
    assert time.perf_counter() - begun < 0.5


@pytest.mark.parametrize(
    ("pod", "name"),
    [
        ("api-6c9f7d5b8-7xk2p", "7xk2p"),
        ("db-0", "db-0"),
        ("agent-x2x4z", "x2x4z"),
        ("api", "api"),
        ("nightly-28901234-abcde", "abcde"),
    ],
)
def test_short_names_of_pods(pod: str, name: str) -> None:
    assert short(pod) == name


def test_two_pods_never_share_a_short_name() -> None:
    assert short_names(["a-1-xxxxx", "b-1-xxxxx", "b-1-yyyyy/side"]) == {
        "a-1-xxxxx": "a-1-xxxxx", "b-1-xxxxx": "b-1-xxxxx", "b-1-yyyyy/side": "yyyyy/side",
    }  # fmt: skip


def test_a_word_is_found_in_any_case() -> None:
    assert has("Straße TIMEOUT", "timeout")
    assert has("STRASSE", "straße")
    assert not has("time out", "timeout")
