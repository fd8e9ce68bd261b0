"""Every recorded Grafana notification as both chats show it, in both languages, compared with a readable file.

``WRITE_EXPECTED=1 pytest tests/platforms/test_grafana_cards.py`` writes them anew: on purpose, and look at them then.
"""

import json
import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.domain.alerts import fold
from bot.platforms.telegram.render import render
from bot.ports.webhooks import Delivery
from handlers.cards.alert import draw
from handlers.webhooks import grafana
from tests.platforms import slack_cards
from tests.platforms.test_telegram_fixtures import shown, words

FIXTURES = slack_cards.ROOT / "tests" / "fixtures" / "grafana"
EXPECTED = Path(__file__).parent / "expected"
CASES = sorted(path.name for path in FIXTURES.iterdir())
NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)


def message(case):
    """What only ends has fired before."""
    folder = FIXTURES / case
    headers = {name.lower(): value for name, value in json.loads((folder / "headers.json").read_bytes()).items()}
    (told,) = grafana.parse(Delivery(headers, (folder / "body.json").read_bytes(), NOW)).notifications
    first = replace(told, alerts=tuple(replace(alert, ends_at=None) for alert in told.alerts))
    fires = any(alert.firing for alert in told.alerts)
    begun = None if fires else fold(None, first, NOW - timedelta(minutes=30), "a-7k2f")
    return draw(fold(begun, told, NOW, "a-7k2f"))


@pytest.mark.parametrize("chat", ["slack", "telegram"])
@pytest.mark.parametrize("locale", slack_cards.LOCALES)
@pytest.mark.parametrize("case", CASES)
def test_the_card_looks_as_agreed(case, locale, chat):
    told = message(case)
    drawn = slack_cards.page(told, locale) if chat == "slack" else shown(render(told, words(locale)))
    path = EXPECTED / chat / "grafana" / f"{case}.{locale}.{'txt' if chat == 'slack' else 'html'}"
    if os.environ.get("WRITE_EXPECTED"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(drawn, encoding="utf-8")
    assert drawn == path.read_text(encoding="utf-8")
