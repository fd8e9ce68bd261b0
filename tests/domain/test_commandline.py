"""What people type, and the short names they type it about."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.commandline import nearest, split
from bot.domain.ids import ALERT, ALPHABET, OPERATION, full, short


@pytest.mark.parametrize(
    ("text", "name", "args"),
    [
        ("slo api 7d", "slo", ("api", "7d")),
        ("  slo   api\t7d\n", "slo", ("api", "7d")),
        ("/slo api", "slo", ("api",)),
        ("!slo api", "slo", ("api",)),
        ("/slo@pult_bot api", "slo", ("api",)),
        ("slo@pult_bot", "slo", ()),
        ("/slo@pult_bot\napi", "slo", ("api",)),
        ("SLO Api", "slo", ("Api",)),
        ("/Статус API", "статус", ("API",)),
        ("перезапусти api", "перезапусти", ("api",)),
        ("ещё", "еще", ()),
        ("Ё", "е", ()),
        ('silence a-7k2f 1h "deploying now"', "silence", ("a-7k2f", "1h", "deploying now")),
        ("silence a-7k2f 1h “deploying now” x", "silence", ("a-7k2f", "1h", "deploying now", "x")),
        ("reject op-1 «не сегодня»", "reject", ("op-1", "не сегодня")),
        ("reject op-1 it's late", "reject", ("op-1", "it's", "late")),
        ('reject op-1 "late', "reject", ("op-1", '"late')),
        ('reject op-1 a"b c"', "reject", ("op-1", 'a"b', 'c"')),
        ('reject op-1 ""', "reject", ("op-1", "")),
        ('silence alertname="High errors" pod=~"web .*" 1h', "silence", ("alertname=High errors", "pod=~web .*", "1h")),
        ("page anna@dept.example now", "page", ("anna@dept.example", "now")),
        ("approve op-41c9 0123abcd", "approve", ("op-41c9", "0123abcd")),
        ("logs api —grep=late –env staging", "logs", ("api", "--grep=late", "--env", "staging")),
        ("перезапусти api —вопреки", "перезапусти", ("api", "--вопреки")),
        ("page anna a — b “—c”", "page", ("anna", "a", "—", "b", "—c")),
        ("?", "?", ()),
        ("/", "", ()),
        ("", "", ()),
        ("   ", "", ()),
    ],
)
def test_split(text: str, name: str, args: tuple[str, ...]) -> None:
    assert split(text) == (name, args)


@given(st.text())
def test_anything_can_be_typed(text: str) -> None:
    name, args = split(text)
    assert name == name.lower()
    assert all(isinstance(arg, str) for arg in args)


@given(st.lists(st.text(alphabet="abcабв-0123.=/", min_size=1), min_size=1))
def test_plain_words_stay_as_they_are(words: list[str]) -> None:
    assert split(" ".join(["slo", *words])) == ("slo", tuple(words))


KNOWN = ("help", "status", "alerts", "alert", "restart", "promote", "releases", "failover", "перезапусти", "статус")


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("satus", "status"),
        ("statsu", "status"),
        ("restrat", "restart"),
        ("promot", "promote"),
        ("alrets", "alerts"),
        ("failver", "failover"),
        ("перезапустит", "перезапусти"),
        ("стутас", "статус"),
    ],
)
def test_typos(typed: str, meant: str) -> None:
    assert nearest(typed, KNOWN) == [meant]


def test_what_is_like_nothing_has_no_nearest() -> None:
    assert nearest("xyzzy", KNOWN) == []
    assert nearest("", KNOWN) == []
    assert nearest("status", ()) == []


@pytest.mark.parametrize(
    ("typed", "ident"),
    [("a-7k2f", "a-7k2f"), ("7k2f", "a-7k2f"), ("A-7K2F", "a-7k2f"), (" 7K2F ", "a-7k2f"), ("op-41c9", "a-op-41c9")],
)
def test_an_id_with_or_without_its_prefix(typed: str, ident: str) -> None:
    assert full(ALERT, typed) == ident


@given(st.text(), st.sampled_from([ALERT, OPERATION]), st.integers(4, 10))
def test_ids_are_short_and_readable(seed: str, prefix: str, length: int) -> None:
    ident = short(prefix, seed, length)
    assert ident == short(prefix, seed, length)
    assert ident.startswith(f"{prefix}-")
    assert len(ident) == len(prefix) + 1 + length
    assert set(ident.removeprefix(f"{prefix}-")) <= set(ALPHABET)
    assert full(prefix, ident) == ident
    assert full(prefix, ident.removeprefix(f"{prefix}-").upper()) == ident


def test_a_longer_id_begins_like_the_shorter() -> None:
    assert short(ALERT, "x", 5).startswith(short(ALERT, "x", 4))


def test_no_letter_is_misread() -> None:
    assert not set("0o1il") & set(ALPHABET)
    assert len(set(ALPHABET)) == len(ALPHABET)


def test_seeds_spread() -> None:
    assert len({short(OPERATION, str(seed)) for seed in range(200)}) >= 198
