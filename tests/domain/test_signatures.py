"""Proofs of origin, against signatures made by other hands: openssl, Slack-like examples, recorded headers."""

from __future__ import annotations

import base64
import hmac
import json
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

import pytest

from bot.domain.errors import ForgedError
from bot.domain.signatures import MAX_AGE, check_basic, check_hmac, check_stamped, check_token
from tests.domain.builders import NOON, SECOND

FIXTURES = Path(__file__).parents[1] / "fixtures"
SECRET = "sim-release-secret"
BODY = '{"service":"api","notes":"тест"}'.encode()
STAMP = str(int(NOON.timestamp()))
FOX = b"The quick brown fox jumps over the lazy dog"
KNOWN = "sha256=f7bc83f430538424b13298e6aa6fb143ef4d59a14946175997479dbc2d1a3cd8"
"""HMAC-SHA256 of the fox under "key": the example that is printed everywhere."""


def signed(body: bytes = BODY, stamp: str = STAMP, secret: str = SECRET) -> dict[str, str]:
    text = stamp.encode() + b"." + body
    return {
        "x-pult-timestamp": stamp,
        "x-pult-signature": "sha256=" + hmac.new(secret.encode(), text, sha256).hexdigest(),
    }


def forged(headers: dict[str, str], body: bytes = BODY, secret: str = SECRET, now=NOON) -> str:
    with pytest.raises(ForgedError) as raised:
        check_stamped(body, headers, secret, now)
    return str(raised.value)


def test_a_published_example() -> None:
    check_hmac(FOX, KNOWN, "key")
    check_hmac(FOX, KNOWN.upper(), "key")
    check_hmac(FOX, KNOWN[7:], "key", prefix="")


NEARLY = (KNOWN[7:], KNOWN[:-1], KNOWN + "0", KNOWN.replace("sha256", "sha1"))


@pytest.mark.parametrize("given", ["", "sha256=", *NEARLY, "sha256=ф", "\udcff", "sha256=\udcff"])
def test_any_other_signature_is_forged(given: str) -> None:
    with pytest.raises(ForgedError):
        check_hmac(FOX, given, "key")


@pytest.mark.parametrize("secret", ["Key", "key ", "", "ключ"])
def test_any_other_secret_is_refused(secret: str) -> None:
    with pytest.raises(ForgedError):
        check_hmac(FOX, KNOWN, secret)


def test_an_empty_secret_signs_nothing() -> None:
    with pytest.raises(ForgedError):
        check_hmac(BODY, "sha256=" + hmac.new(b"", BODY, sha256).hexdigest(), "")
    assert forged(signed(secret=""), secret="") == "signature"


@pytest.mark.parametrize("name", sorted(path.name for path in (FIXTURES / "github").iterdir()))
def test_the_recorded_requests_of_github(name: str) -> None:
    case = FIXTURES / "github" / name
    headers, body = json.loads((case / "headers.json").read_text())["headers"], (case / "body.json").read_bytes()
    check_hmac(body, headers["X-Hub-Signature-256"], "test-github-secret")
    with pytest.raises(ForgedError):
        check_hmac(body + b" ", headers["X-Hub-Signature-256"], "test-github-secret")


def test_a_fresh_signature_is_taken() -> None:
    check_stamped(BODY, signed(), SECRET, NOON)
    check_stamped(b"", signed(b""), SECRET, NOON)
    for late in (-MAX_AGE, MAX_AGE):
        check_stamped(BODY, signed(), SECRET, NOON + late * SECOND)


@pytest.mark.parametrize("late", [-MAX_AGE - 1, MAX_AGE + 1, 86_400, -86_400])
def test_a_stale_or_early_one_is_not(late: int) -> None:
    assert forged(signed(), now=NOON + timedelta(seconds=late)) == "timestamp"


@pytest.mark.parametrize(
    "stamp", ["", "now", "-1", "+" + STAMP, STAMP + ".0", " " + STAMP, "0x1", "1e9", "9" * 12, "9" * 5000]
)
def test_a_timestamp_is_plain_seconds(stamp: str) -> None:
    assert forged(signed(stamp=stamp)) == "timestamp"


@pytest.mark.parametrize("stamp", ["١٧٧٢٣٦٦٤٠٠", "²", "1７", "тест"])
def test_a_timestamp_is_in_ascii_digits(stamp: str) -> None:
    assert forged(signed(stamp=stamp)) == "timestamp"


def test_bytes_that_are_no_text_are_forged_and_not_fatal() -> None:
    """aiohttp hands bytes outside UTF-8 over as lone surrogates."""
    bad = b"\xff\xfe".decode(errors="surrogateescape")
    assert forged({**signed(), "x-pult-timestamp": bad}) == "signature"
    assert forged({**signed(), "x-pult-signature": bad}) == "signature"
    for check in (lambda h: check_token(h, "t"), lambda h: check_basic(h, "u", "p")):
        for value in (f"Bearer {bad}", f"Basic {bad}", bad):
            with pytest.raises(ForgedError):
                check({"authorization": value})


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"x-pult-timestamp": STAMP},
        {"x-pult-signature": signed()["x-pult-signature"]},
        {**signed(), "x-pult-timestamp": "1"},
    ],
)
def test_half_a_signature_is_none(headers: dict[str, str]) -> None:
    assert forged(headers) == "signature"


def test_the_signature_covers_body_and_time() -> None:
    assert forged(signed(), body=BODY + b" ") == "signature"
    later = str(int(STAMP) + 1)
    assert forged({**signed(), "x-pult-timestamp": later}) == "signature"
    assert forged(signed(secret="else")) == "signature"
    split = signed(body=b"0." + BODY, stamp=STAMP)
    assert forged({**split, "x-pult-timestamp": STAMP + ".0"}) == "timestamp", "the dot does not move"


def test_what_is_wrong_is_not_told_apart_by_the_sender() -> None:
    """The signature is looked at first: a forger learns nothing about our clock."""
    assert forged({**signed(secret="else"), "x-pult-timestamp": "1"}) == "signature"


@pytest.mark.parametrize("given", ["Bearer t0ken", "bearer t0ken", "BEARER t0ken", "PultKey t0ken", "Bearer  t0ken "])
def test_a_token_under_any_scheme(given: str) -> None:
    check_token({"authorization": given}, "t0ken")


@pytest.mark.parametrize(
    "given", ["", "t0ken", "Bearer", "Bearer ", "Bearer t0ke", "Bearer t0kens", "Bearer T0KEN", "Bearer ж"]
)
def test_any_other_token_is_forged(given: str) -> None:
    with pytest.raises(ForgedError):
        check_token({"authorization": given}, "t0ken")


@pytest.mark.parametrize("headers", [{}, {"authorization": ""}, {"authorization": "Bearer "}])
def test_an_empty_token_opens_nothing(headers: dict[str, str]) -> None:
    with pytest.raises(ForgedError):
        check_token(headers, "")


def basic(pair: str, scheme: str = "Basic") -> dict[str, str]:
    return {"authorization": f"{scheme} {base64.b64encode(pair.encode()).decode()}"}


@pytest.mark.parametrize("password", ["p", "with:colon", "with blank", "пароль", ""])
def test_basic(password: str) -> None:
    check_basic(basic(f"am:{password}"), "am", password)
    check_basic(basic(f"am:{password}", "bAsIc"), "am", password)
    for wrong in (basic(f"am:{password}x"), basic(f"AM:{password}"), basic(f"am:{password}", "Bearer")):
        with pytest.raises(ForgedError):
            check_basic(wrong, "am", password)


@pytest.mark.parametrize("given", ["", "Basic", "Basic ", "Basic !!!", "Basic YW06cA", "Basic YW06cA==x", "Basic ж"])
def test_basic_that_is_no_base64(given: str) -> None:
    with pytest.raises(ForgedError):
        check_basic({"authorization": given}, "am", "p")
