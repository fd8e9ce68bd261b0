"""Every recorded Alertmanager notification as Telegram shows it, in both languages.

`expected/telegram/alertmanager/<case>.<locale>.html` says how each must look; `python -m
tests.platforms.test_telegram_fixtures` writes them anew, to be read before they are committed.
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.adapters.words.languages import Languages
from bot.domain.alerts import Ack, fold
from bot.platforms.telegram.render import caption, render
from bot.platforms.telegram.rich import rich
from bot.ports.webhooks import Delivery
from bot.simulator.telegram import html
from handlers.cards.alert import draw
from handlers.webhooks import alertmanager
from tests.platforms.telegram_pictures import graph
from tests.platforms.telegram_setup import FIXTURES, Clock

ROOT = Path(__file__).parents[2]
EXPECTED = Path(__file__).parent / "expected" / "telegram" / "alertmanager"
CASES = sorted(path.name for path in (FIXTURES / "alertmanager").iterdir())
LOCALES = ("en", "ru")
NOW = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)
MINUTES = timedelta(minutes=30)
LANGUAGES = Languages(ROOT / "handlers" / "locales", Clock())


def told(case):
    body = (FIXTURES / "alertmanager" / case / "body.json").read_bytes()
    (notification,) = alertmanager.parse(Delivery({}, body, NOW)).notifications
    return notification


def group(case):
    """What only resolves has fired before."""
    last = told(case)
    first = replace(last, alerts=tuple(replace(alert, ends_at=None) for alert in last.alerts))
    begun = None if any(alert.firing for alert in last.alerts) else fold(None, first, NOW - MINUTES, "a-7k2f")
    return fold(begun, last, NOW, "a-7k2f")


def words(locale):
    return LANGUAGES.words(locale, "Europe/Moscow")


def shown(rendered):
    keys = [
        " ".join(f"[{key.text}{f' · {key.style}' if key.style else ''}]" for key in row) for row in rendered.keyboard
    ]
    return "\n".join((rendered.html, "", *keys)).replace("\u2060", "‸") + "\n"


def drawn(case, locale):
    return shown(render(draw(group(case)), words(locale)))


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("case", CASES)
def test_it_looks_as_expected(case, locale):
    assert drawn(case, locale) == (EXPECTED / f"{case}.{locale}.html").read_text()


@pytest.mark.parametrize("case", CASES)
def test_each_case_has_its_files_and_no_other_is_there(case):
    names = {path.name for path in EXPECTED.iterdir()}
    assert names == {f"{each}.{locale}.html" for each in CASES for locale in LOCALES}
    assert case in CASES


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("case", CASES)
def test_with_a_graph_it_still_fits_under_a_picture(case, locale):
    message = draw(replace(group(case), ack=Ack("anna", NOW)))
    message = replace(message, blocks=(*message.blocks[:2], graph(), *message.blocks[2:]))
    under = caption(message, words(locale))
    html.parse(under.html)
    assert not under.cut


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("case", CASES)
def test_each_has_a_rich_form(case, locale):
    assert rich(draw(group(case)), words(locale), picture=False) is not None


def write():
    EXPECTED.mkdir(parents=True, exist_ok=True)
    for case in CASES:
        for locale in LOCALES:
            (EXPECTED / f"{case}.{locale}.html").write_text(drawn(case, locale))


if __name__ == "__main__":
    write()
