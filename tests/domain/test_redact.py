"""Masking: what must not come out, what must come out as it is, and that neither takes long."""

from __future__ import annotations

import re
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.redact import MASK, redact, secret_name
from tests.strategies import SECRETS, outside

A36 = "0123456789abcdefghij0123456789ABCDEF"
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbm5hIn0.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
PEM = "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA\nAQEA\n-----END RSA PRIVATE KEY-----"

TOKENS = {
    "slack bot": "xoxb-123456789012-1234567890123-AbCdEfGhIjKl",
    "slack user": "xoxp-123456789012-123456789012-AbCdEf",
    "slack rotating": "xoxe.xoxp-1-Mi0yLTEyMzQ1Njc4OTA",
    "slack refresh": "xoxe-1-My0xLTEyMzQ1Njc4OTA",
    "slack config": "xoxc-12345678-abcdef",
    "slack app": "xapp-1-A0123-456789-abcdef0123456789",
    "telegram": "424242424:AAH-abcdefghijklmnopqrstuvwxyz0123456",
    "github classic": f"ghp_{A36}",
    "github app": f"ghs_{A36}",
    "github user": f"ghu_{A36}",
    "github oauth": f"gho_{A36}",
    "github refresh": f"ghr_{A36}",
    "github fine": f"github_pat_11ABCDEFG0{A36}_{A36}",
    "digitalocean personal": "dop_v1_" + "0123456789abcdef" * 4,
    "digitalocean oauth": "doo_v1_" + "0123456789abcdef" * 4,
    "digitalocean refresh": "dor_v1_" + "0123456789abcdef" * 4,
    "aws": "AKIAIOSFODNN7EXAMPLE",
    "aws session": "ASIAIOSFODNN7EXAMPLE",
    "jwt": JWT,
    "private key": PEM,
    "private key cut off": PEM[:60],
}
FRAMES = ("{}", "token is {} ok", "({})", '"{}"', "'{}'", "<{}>", "a={},b", "\n{}\n", "https://x.example/?q={}", "«{}»")

HIDDEN = {
    "https://pult:s3cr3t@db.internal/x": "s3cr3t",
    "postgres://pult:s3cr3tpass@a.internal:5432,b.internal/pult": "s3cr3tpass",
    "redis://:s3cr3t@cache": "s3cr3t",
    "amqp://u:p%40ss@q/v": "p%40ss",
    "https://u:with@sign@host/x": "with@sign",
    "https://api.telegram.org/bot424242424:AAH-abcdefghijklmnopqrstuvwxyz0123456/sendMessage": "AAH-abcdef",
    "https://hooks.slack.com/services/T0DEPT/B0HOOK/abcdefghijklmnopqrstuvwx": "abcdefghijklmnopqrstuvwx",
    "Authorization: Bearer sim-alertmanager-token": "sim-alertmanager-token",
    "authorization: bearer abc.def~ghi+jkl/mno==": "abc.def",
    "Authorization: Basic YW5uYTpodW50ZXIy": "YW5uYTpodW50ZXIy",
    "password=hunter2": "hunter2",
    r'{"event":"got {\"api_key\": \"s3cr3t\", \"user\": 1}"}': "s3cr3t",
    r'{"a":"{\\\"password\\\":\\\"s3cr3t\\\"}"}': "s3cr3t",
    "password = hunter2": "hunter2",
    "Password: hunter2": "hunter2",
    "DB_PASSWORD=hunter2 HOME=/": "hunter2",
    "PGPASSWORD='hunter 2'": "hunter 2",
    'password="hunter 2" x': "hunter 2",
    'password="hun\\"ter2" x': "ter2",
    'password="hunter2 that was cut': "hunter2",
    '{"password": "hunter2", "user": "anna"}': "hunter2",
    "{'password': 'hunter2', 'user': 'anna'}": "hunter2",
    "client_secret=hunter2&grant_type=x": "hunter2",
    "api_key=hunter2": "hunter2",
    "apikey: hunter2": "hunter2",
    "X-Api-Key: hunter2": "hunter2",
    "private-key: hunter2": "hunter2",
    "aws_secret_access_key = hunter2/abc+x": "hunter2",
    "slack-token: hunter2": "hunter2",
    "https://x.example/?access_token=hunter2&x=1": "hunter2",
    "passphrase=hunter2": "hunter2",
    "MYSQL_PWD=hunter2": "hunter2",
    "pg_dump --password hunter2 -h db": "hunter2",
    "app --slack-bot-token hunter2": "hunter2",
    "credentials: hunter2": "hunter2",
}
KEPT = (
    "Error rate of api is 8 % since 12:00 (burn 14.4×)",
    "10.20.0.11:9100",
    "[::1]:8080",
    "https://runbooks.example/api?x=1&y=2#z",
    "https://grafana.example:3000/d/abc?from=now-1h&to=now",
    "mail anna@example.org or see https://x.example/@anna",
    "http://prom:9090/graph?g0.expr=sum(rate(http_requests_total%7Bjob%3D%22api%22%7D%5B5m%5D))",
    "registry.example/dept/api@sha256:" + "0123456789abcdef" * 4,
    "commit 0123456789abcdef0123456789abcdef01234567",
    "api-6c9f7d8b5-2xkqp restarted 4 times",
    "the secretary of the password club forgot the token",
    "tokens were counted",
    "approve op-41c9 0123abcd",
    "2026-11-24T00:13:00.137Z 12:00:00",
    "-1001000000001/17",
    "key: value, monkey=banana",
    "пароль не найден",
    "a --force flag",
    "",
)


@pytest.mark.parametrize(("name", "frame"), list(product(TOKENS, FRAMES)))
def test_a_token_is_masked_wherever_it_stands(name: str, frame: str) -> None:
    masked = redact(frame.format(TOKENS[name]))
    parts = [part for part in re.split(r"[^\w+/]+", TOKENS[name]) if len(part) > 9 and not part.startswith("RSA")]
    assert MASK in masked
    assert not [part for part in parts if part in masked]
    if name != "private key cut off":
        before, _, after = frame.partition("{}")
        assert masked.endswith(after)
        assert masked.startswith(before.removesuffix("a="))


@pytest.mark.parametrize("text", HIDDEN)
def test_a_named_or_embedded_secret_is_masked(text: str) -> None:
    masked = redact(text)
    assert HIDDEN[text] not in masked
    assert MASK in masked


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("DB_PASSWORD=hunter2 HOME=/", f"DB_PASSWORD={MASK} HOME=/"),
        ('{"password": "hunter2", "user": "anna"}', f'{{"password": {MASK}, "user": "anna"}}'),
        ("https://x.example/?access_token=hunter2&x=1", f"https://x.example/?access_token={MASK}&x=1"),
        ("postgres://pult:s3cr3t@db/pult", f"postgres://{MASK}@db/pult"),
        ("pg_dump --password hunter2 -h db", f"pg_dump --password {MASK} -h db"),
        ("Authorization: Bearer abcdefgh01, x", f"Authorization: Bearer {MASK}, x"),
    ],
)
def test_what_stands_around_a_secret_stays(text: str, masked: str) -> None:
    assert redact(text) == masked


@pytest.mark.parametrize("text", KEPT)
def test_ordinary_text_is_untouched(text: str) -> None:
    assert redact(text) == text


_glue = (" ", "=", '"', "://", "@", ":", "token", "Bearer ")
_texts = st.one_of(st.sampled_from((*TOKENS.values(), *HIDDEN, *KEPT, *SECRETS, *_glue)), outside)
_pieces = st.lists(_texts, max_size=5)


@given(_pieces.map("".join))
def test_masking_twice_is_masking_once(text: str) -> None:
    once = redact(text)
    assert redact(once) == once


@given(st.text(alphabet="abc xyz.,!?абв\n()[]<>*_~", max_size=200))
def test_text_without_a_secret_is_untouched(text: str) -> None:
    assert redact(text) == text


BITS = ("a", "a-", "_", "-", "--", "1", "1:", ":", "@", '"', "\\", "://a", "://a:", "gh", "xoxb-", "token ", "token  ")
WORDS = ("password", "password-", "--token", "secret=", 'password="', "password='", "bearer ", "authorization: basic ")
HEADS = ("eyJaaaaaaaa-", "eyJaaaaaaaa.", "-----BEGIN A", "-----BEGIN PRIVATE KEY-----", "hooks.slack.com/services/")


@pytest.mark.timeout(10)
@pytest.mark.parametrize("unit", BITS + WORDS + HEADS)
def test_no_text_takes_quadratic_time(unit: str) -> None:
    """100 KB take a tenth of a second; a pattern that scans to the end from every start takes minutes."""
    assert isinstance(redact(unit * (100_000 // len(unit))), str)


@pytest.mark.parametrize(
    ("label", "secret"),
    [
        ("password", True),
        ("db_Password", True),
        ("api-key", True),
        ("apikey", True),
        ("API_KEY", True),
        ("slack_token", True),
        ("client_secret_name", True),
        ("private_key", True),
        ("credentials", True),
        ("service", False),
        ("pod", False),
        ("key", False),
        ("primary", False),
    ],
)
def test_labels_that_carry_secrets(label: str, secret: bool) -> None:
    assert secret_name(label) is secret


@pytest.mark.parametrize(
    "glued",
    [
        "dop_v1_" + "0123456789abcdef" * 2 + "xoxb-1234567890-secret",
        "PGPASSWORD='hunter 2'xoxb-1234567890-secret",
        "ghp_" + "a" * 36 + "-----BEGIN RSA PRIVATE KEY-----x",
    ],
)
def test_a_secret_glued_to_another_is_masked_too(glued: str) -> None:
    masked = redact(glued)
    assert "1234567890" not in masked
    assert redact(masked) == masked
