"""Words: translations, moments, durations, numbers, in both languages and several zones."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.adapters.clock import SystemClock
from bot.adapters.words import Languages
from bot.domain.errors import NotReadyError
from bot.domain.phrases import Quantity, Words, counted, phrase, pieces

NOON = datetime(2026, 11, 24, 11, 5, 10, tzinfo=UTC)
PO = """
msgid ""
msgstr ""
"Language: ru\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Plural-Forms: nplurals=3; plural=(n%10==1 && n%100!=11 ? 0 : "
"n%10>=2 && n%10<=4 && (n%100<10 || n%100>=20) ? 1 : 2);\\n"

msgid "Hello, {name}"
msgstr "Привет, {name}"

msgid "{n} alert"
msgid_plural "{n} alerts"
msgstr[0] "{n} алерт"
msgstr[1] "{n} алерта"
msgstr[2] "{n} алертов"

#, fuzzy
msgid "guessed"
msgstr "угадано"

msgid "today {time}"
msgstr "сегодня {time}"

msgid "MSK"
msgstr "МСК"

msgid "unknown"
msgstr "неизвестно"

msgid "d"
msgstr "д"

msgid "h"
msgstr "ч"

msgid "min"
msgstr "мин"

msgid "s"
msgstr "с"

msgid "ms"
msgstr "мс"
"""


class Noon:
    """A clock that stands."""

    def now(self) -> datetime:
        return NOON

    async def sleep(self, seconds: float) -> None:
        raise AssertionError


@pytest.fixture
def languages(tmp_path: Path) -> Languages:
    folder = tmp_path / "ru" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    (folder / "pult.po").write_text(PO, encoding="utf-8")
    return Languages(tmp_path, Noon())


@pytest.fixture
def english(languages: Languages) -> Words:
    return languages.words("en", "UTC")


@pytest.fixture
def russian(languages: Languages) -> Words:
    return languages.words("ru", "Europe/Moscow")


def text(sentence: object, words: Words) -> str:
    return "".join(piece.text for piece in pieces(sentence, words))  # type: ignore[arg-type]


def test_texts(english: Words, russian: Words) -> None:
    hello = phrase("Hello, {name}", name="Anna")
    assert text(hello, english) == "Hello, Anna"
    assert text(hello, russian) == "Привет, Anna"
    assert russian.translate("not in the catalogue") == "not in the catalogue"
    assert russian.translate("guessed") == "guessed"
    assert russian.translate("") == ""


@pytest.mark.parametrize(("count", "en", "ru"), [
    (0, "0 alerts", "0 алертов"), (1, "1 alert", "1 алерт"), (2, "2 alerts", "2 алерта"), (5, "5 alerts", "5 алертов"),
    (11, "11 alerts", "11 алертов"), (21, "21 alerts", "21 алерт"), (1234, "1,234 alerts", "1\xa0234 алерта"),
])  # fmt: skip
def test_plurals(count: int, en: str, ru: str, english: Words, russian: Words) -> None:
    sentence = counted("{n} alert", "{n} alerts", count)
    assert text(sentence, english) == en
    assert text(sentence, russian) == ru


def test_plurals_without_a_translation(russian: Words) -> None:
    assert russian.translate_plural("{n} box", "{n} boxes", 21) == "{n} boxes"
    assert russian.translate_plural("{n} box", "{n} boxes", 1) == "{n} box"


@pytest.mark.parametrize(
    ("ago", "en", "ru"),
    [
        (timedelta(), "today 11:05:10 UTC", "сегодня 14:05:10 МСК"),
        (timedelta(hours=11), "today 00:05:10 UTC", "сегодня 03:05:10 МСК"),
        (timedelta(hours=12), "23 Nov 23:05:10 UTC", "сегодня 02:05:10 МСК"),
        (timedelta(hours=15), "23 Nov 20:05:10 UTC", "23 нояб. 23:05:10 МСК"),
        (timedelta(days=-1), "25 Nov 11:05:10 UTC", "25 нояб. 14:05:10 МСК"),
        (timedelta(days=365), "24 Nov 2025 11:05:10 UTC", "24 нояб. 2025 14:05:10 МСК"),
    ],
)
def test_moments(ago: timedelta, en: str, ru: str, english: Words, russian: Words) -> None:
    assert english.moment(NOON - ago) == en
    assert russian.moment(NOON - ago) == ru


@pytest.mark.parametrize(
    ("zone", "shown"),
    [
        ("America/New_York", "today 06:05:10 EST"),
        ("Asia/Dubai", "today 15:05:10 UTC+4"),
        ("Asia/Kathmandu", "today 16:50:10 UTC+5:45"),
        ("America/Sao_Paulo", "today 08:05:10 UTC-3"),
        ("Nowhere/Land", "today 11:05:10 UTC"),
        ("../../etc/passwd", "today 11:05:10 UTC"),
        ("", "today 11:05:10 UTC"),
    ],
)
def test_zones(zone: str, shown: str, languages: Languages) -> None:
    assert languages.words("en", zone).moment(NOON) == shown


@pytest.mark.parametrize(
    ("seconds", "en", "ru"),
    [
        (0, "0 s", "0 с"),
        (0.35, "350 ms", "350 мс"),
        (0.9996, "1 s", "1 с"),
        (1, "1 s", "1 с"),
        (2.34, "2.3 s", "2,3 с"),
        (9.96, "10 s", "10 с"),
        (59.6, "1 min", "1 мин"),
        (65, "1 min 5 s", "1 мин 5 с"),
        (3600, "1 h", "1 ч"),
        (3605, "1 h", "1 ч"),
        (7500, "2 h 5 min", "2 ч 5 мин"),
        (90061, "1 d 1 h", "1 д 1 ч"),
        (86400 * 1200, "1,200 d", "1 200 д"),
        (-300, "−5 min", "−5 мин"),
    ],
)
def test_durations(seconds: float, en: str, ru: str, english: Words, russian: Words) -> None:
    assert english.duration(timedelta(seconds=seconds)).replace("\xa0", " ") == en
    assert russian.duration(timedelta(seconds=seconds)).replace("\xa0", " ") == ru


def test_a_number_stays_with_its_unit(english: Words) -> None:
    assert english.duration(timedelta(seconds=7500)) == "2\xa0h 5\xa0min"


@pytest.mark.parametrize(
    ("value", "digits", "en", "ru"),
    [
        (0, None, "0", "0"),
        (1234, None, "1,234", "1 234"),
        (1.5e25, 2, "1.5e+25", "1.5e+25"),
        (1234.5678, None, "1,234.568", "1 234,568"),
        (99.9, 2, "99.90", "99,90"),
        (99.96, 0, "100", "100"),
        (-0.5, 1, "-0.5", "-0,5"),
        (float("nan"), 2, "unknown", "неизвестно"),
        (float("inf"), 1, "∞", "∞"),
    ],
)
def test_numbers(value: float, digits: int | None, en: str, ru: str, english: Words, russian: Words) -> None:
    assert english.number(value, digits) == en
    assert russian.number(value, digits).replace("\xa0", " ") == ru


def test_units(russian: Words) -> None:
    sentence = phrase("{a} {b} {c}", a=Quantity(12.5, "ms", 1), b=Quantity(99.9, "%"), c=Quantity(14.4, "x", 1))
    assert text(sentence, russian).replace("\xa0", " ") == "12,5 мс 99,90 % 14,4×"


def test_locales(languages: Languages) -> None:
    assert languages.locales == ("en", "ru")
    assert languages.words("ru", "UTC").locale == "ru"
    assert languages.words("xx", "UTC").locale == "en"
    assert languages.words("ru", "UTC") is languages.words("ru", "UTC")


def test_a_broken_catalogue_stops_the_start(languages: Languages, tmp_path: Path) -> None:
    assert languages.locales
    (tmp_path / "ru" / "LC_MESSAGES" / "pult.po").write_text('msgid "a"\nmsgstr "b"\nbroken\n')
    with pytest.raises(NotReadyError, match=r"ru/LC_MESSAGES/pult\.po can't be read"):
        Languages(tmp_path, Noon())


async def test_the_systems_clock() -> None:
    clock = SystemClock()
    before = clock.now()
    await clock.sleep(-1)
    assert before.tzinfo is UTC
    assert clock.now() >= before
