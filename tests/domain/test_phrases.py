"""Phrases: outside text is never read as part of the sentence, and leaves masked."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.errors import UserError
from bot.domain.phrases import (
    Code,
    English,
    Link,
    Phrase,
    Piece,
    Quantity,
    Strong,
    counted,
    phrase,
    pieces,
    verbatim,
)
from bot.domain.redact import MASK
from tests.domain.builders import NOON
from tests.strategies import SECRET_PARTS, SECRETS, outside, phrases


class Shouting(English):
    """A language in which every sentence is turned around its fields."""

    locale = "xx"

    def translate(self, text: str) -> str:
        return {"{a} of {b}": "{b} ← {a}", "inner": "INNER", "s": "сек", "req": "запр."}.get(text, text)

    def translate_plural(self, one: str, many: str, count: int) -> str:
        return f"[{count}] {many}"


def drawn(sentence: Phrase, words: English | None = None) -> list[tuple[str, str]]:
    return [(piece.kind, piece.text) for piece in pieces(sentence, words or English())]


def test_fields_become_runs_between_the_words() -> None:
    assert drawn(phrase("{a} of {b}!", a=Code("x"), b=Strong("y"))) == [
        ("code", "x"),
        ("text", " of "),
        ("strong", "y"),
        ("text", "!"),
    ]


def test_a_translation_may_turn_the_order() -> None:
    assert drawn(phrase("{a} of {b}", a="1", b="2"), Shouting()) == [("text", "2"), ("text", " ← "), ("text", "1")]


@pytest.mark.parametrize("text", ["{b}", "{a}", "{text}", "{{b}}", "{0}", "{b.__class__}", "%(b)s", "$b", "{", "}"])
def test_a_value_is_never_read_as_a_field(text: str) -> None:
    values = {"a": text, "b": "INJECTED"}
    assert phrase("<{a}>", **values).plain() == f"<{text}>"
    assert phrase("<{a}>", a=Code(text), b="INJECTED").plain() == f"<{text}>"
    assert phrase("<{a}>", a=Strong(text), b="INJECTED").plain() == f"<{text}>"
    assert phrase("<{a}>", a=verbatim(text), b="INJECTED").plain() == f"<{text}>"
    assert phrase("<{a}>", a=Link(text, "https://x.example"), b="INJECTED").plain() == f"<{text}>"
    assert verbatim(text).plain() == text


def test_outside_text_is_not_translated() -> None:
    assert drawn(verbatim("inner"), Shouting()) == [("text", "inner")]
    assert drawn(phrase("{a}", a=phrase("inner")), Shouting()) == [("text", "INNER")]


def test_an_inner_phrase_keeps_its_own_values() -> None:
    inner = phrase("<{a}>", a="inner a")
    assert phrase("{a} {b}", a="outer a", b=inner).plain() == "outer a <inner a>"


def test_a_missing_value_is_seen_and_not_fatal() -> None:
    assert phrase("{a} {gone}", a="1").plain() == "1 {gone}"


def test_plural_forms() -> None:
    assert counted("{n} pod of {a}", "{n} pods of {a}", 1, a="api").plain() == "1 pod of api"
    assert counted("{n} pod of {a}", "{n} pods of {a}", 0, a="api").plain() == "0 pods of api"
    assert drawn(counted("{n} pod", "{n} pods", 5), Shouting()) == [("text", "[5] "), ("text", "5"), ("text", " pods")]


def test_a_link_is_one_only_with_a_web_address() -> None:
    web = list(pieces(phrase("{a}", a=Link(phrase("Runbook"), "https://x.example/y")), English()))
    assert web == [Piece("link", "Runbook", "https://x.example/y")]
    for url in ("javascript:alert(1)", "tg://user?id=1", "", "HTTPS//x", "data:text/html,x", " https://x"):
        assert drawn(phrase("{a}", a=Link("Runbook", url))) == [("text", "Runbook")]


def test_a_moment_carries_its_time() -> None:
    assert list(pieces(phrase("{a}", a=NOON), English())) == [Piece("moment", "2026-03-01 12:00:00 UTC", at=NOON)]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (timedelta(minutes=2), "120 s"),
        (True, "True"),
        (3, "3"),
        (2.5, "2.5"),
        (Quantity(99.9, "%", 1), "99.9\N{NO-BREAK SPACE}%"),
        (Quantity(12.345, "$"), "$12.35"),
        (Quantity(14.4, "x", 1), "14.4×"),
        (Quantity(7, "", 0), "7"),
        (Quantity(7, "req", 0), "7\N{NO-BREAK SPACE}req"),
    ],
)
def test_values_and_units(value, text: str) -> None:
    assert phrase("{a}", a=value).plain() == text


def test_units_are_translated() -> None:
    assert drawn(phrase("{a}", a=Quantity(2, "s", 0)), Shouting()) == [("text", "2\N{NO-BREAK SPACE}сек")]
    assert drawn(phrase("{a}", a=Quantity(2, "req", 0)), Shouting()) == [("text", "2\N{NO-BREAK SPACE}запр.")]


@pytest.mark.parametrize("value", [None, ["x"], {"x"}, b"x", object()])
def test_what_no_phrase_can_carry_is_refused(value) -> None:
    with pytest.raises(TypeError, match="can't carry"):
        phrase("{a}", a=value).plain()


CARRIERS = {
    "text": lambda secret: secret,
    "code": Code,
    "strong": Strong,
    "phrase": verbatim,
    "link": lambda secret: Link(secret, "https://x.example"),
    "strong phrase": lambda secret: Strong(verbatim(secret)),
}


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("carrier", CARRIERS)
def test_a_secret_is_masked_in_every_kind_of_value(secret: str, carrier: str) -> None:
    said = phrase("it says: {a}", a=CARRIERS[carrier](secret)).plain()
    assert MASK in said
    assert not [part for part in SECRET_PARTS if part in said]


def test_an_error_reads_like_its_phrase() -> None:
    error = UserError("There is no pod {pod}. token: {x}", pod=Code("{x}"), x="abc")
    assert str(error) == "There is no pod {x}. token: abc"
    assert str(UserError("It said: {why}", why="password=hunter2")) == f"It said: password={MASK}"


@given(phrases)
def test_any_phrase_is_drawn_in_any_language(sentence: Phrase) -> None:
    for words in (English(), Shouting()):
        for piece in pieces(sentence, words):
            assert piece.kind in {"text", "strong", "code", "link", "moment"}
            assert piece.url.startswith(("https://", "http://")) == (piece.kind == "link")
            assert (piece.at is not None) == (piece.kind == "moment")


@given(outside, st.sampled_from(["text", "a", "b"]))
def test_a_value_never_changes_the_words_around_it(text: str, name: str) -> None:
    runs = drawn(phrase(f"before {{{name}}} after", **{name: text}))
    assert [text for _, text in runs[:: len(runs) - 1]] == ["before ", " after"]
    assert len(runs) == 3
