"""Every recorded notification as Slack shows it, in both languages and both forms, compared with a readable file.

``WRITE_EXPECTED=1 pytest tests/platforms/test_slack_cards.py`` writes them anew: on purpose, and look at them then.
"""

import os

import pytest

from tests.platforms.slack_cards import EXPECTED, pages

PAGES = list(pages())


@pytest.mark.parametrize(("path", "text"), PAGES, ids=[path.name for path, _ in PAGES])
def test_the_card_looks_as_agreed(path, text):
    drawn = text()
    if os.environ.get("WRITE_EXPECTED"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(drawn, encoding="utf-8")
    assert drawn == path.read_text(encoding="utf-8")


def test_no_expected_file_is_left_over():
    assert set(EXPECTED.glob("*.txt")) <= {path for path, _ in PAGES}
