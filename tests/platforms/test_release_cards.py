"""A release in every state, as both chats and the console's text show it, in both languages: readable files.

``WRITE_EXPECTED=1 pytest tests/platforms/test_release_cards.py`` writes them anew: on purpose, and look at them then.
"""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from bot.domain.releases import Fate
from bot.platforms.console.plain import plain
from bot.platforms.telegram.render import render
from handlers.cards import release, release_news
from tests.platforms import slack_cards
from tests.platforms.release_cards import GOOD, READY, SEEN, seen
from tests.platforms.test_telegram_fixtures import shown, words

EXPECTED = Path(__file__).parent / "expected"
FORMS = {"slack": "txt", "telegram": "html", "console": "txt"}
NEWS = {
    fate: release_news.draw(replace(GOOD.deployment, fate=fate), production=True)
    for fate in (Fate.GOOD, Fate.BAD, Fate.BACK)
}
CARDS = {
    **{name: release.draw(each) for name, each in SEEN.items()},
    **{f"news-{fate}": message for fate, message in NEWS.items()},
}


def drawn(chat, message, locale):
    if chat == "slack":
        return slack_cards.page(message, locale)
    if chat == "telegram":
        return shown(render(message, words(locale)))
    return plain(message, slack_cards.languages.words(locale, "Europe/Moscow")) + "\n"


@pytest.mark.parametrize("chat", FORMS)
@pytest.mark.parametrize("locale", slack_cards.LOCALES)
@pytest.mark.parametrize("case", CARDS)
def test_the_card_looks_as_agreed(case, locale, chat):
    told = drawn(chat, CARDS[case], locale)
    path = EXPECTED / chat / "release" / f"{case}.{locale}.{FORMS[chat]}"
    if os.environ.get("WRITE_EXPECTED"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(told, encoding="utf-8")
    assert told == path.read_text(encoding="utf-8")


def test_no_expected_file_is_left_over():
    wanted = {f"{case}.{locale}.{form}" for case in CARDS for locale in slack_cards.LOCALES for form in ("txt", "html")}
    assert {path.name for chat in FORMS for path in (EXPECTED / chat / "release").iterdir()} <= wanted


def test_nothing_else_is_news():
    for fate in (Fate.WAITING, Fate.RUNNING, Fate.ENDED):
        assert release_news.draw(replace(GOOD.deployment, fate=fate), production=True) is None
    assert release_news.draw(GOOD.deployment, production=False) is None
    assert release_news.draw(replace(GOOD.deployment, fate=Fate.BAD), production=False) is not None


@pytest.mark.parametrize("version", ["1.8.0 to staging", "x\nack a-1", "<!channel>", "1.8.0;", "верс", "v" * 60, ""])
def test_outside_text_never_becomes_a_command(version):
    assert release.draw(seen(replace(READY, version=version))).buttons == ()
    assert release.draw(seen(replace(READY, service=version))).buttons == ()


def test_who_is_not_in_the_catalogue_has_no_buttons():
    assert release.draw(replace(seen(READY), known=False)).buttons == ()
