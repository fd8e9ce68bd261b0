"""A good and a bad release in a real browser. ``WRITE_IMAGES=1`` writes docs/images anew: look at them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.async_api import Page

from bot.adapters.words import Languages
from bot.domain.messages import Message
from bot.ports.console import Standing
from tests.docs import DOCS
from tests.e2e.test_console_browser import PHONE, act_as, browser, pytestmark, titles
from tests.edge.console_rig import House, SteadyClock
from tests.handlers.conftest import department
from tests.handlers.department import Department
from tests.handlers.fakes import NOON
from tests.handlers.test_release_cards import LOCALES, bad, bad_way, drawn, good_way, told, watched

__all__ = ["bad", "department", "pytestmark", "told", "watched"]
CATALOGUE = DOCS.parent / "handlers" / "locales"
LATER = NOON + timedelta(minutes=12)
TALL = {"width": 1280, "height": 2400}
SLIM = PHONE | {"height": 3000}
"""A phone's width, and high enough to show all that one scrolls through."""
GOOD = ("waiting", "baking", "done")
BAD = ("held", "paused", "undone")


def house(cards: Mapping[str, Message]) -> House:
    """A console on which these operations stand, the first one uppermost."""
    found = House(clock=SteadyClock(LATER))
    shown = enumerate(cards.items())
    found.standing = [
        Standing(f"op:{name}", 1, LATER - timedelta(minutes=at), card) for at, (name, card) in shown
    ]  # fmt: skip
    return found


async def opened(page: Page, theme: str, locale: str) -> None:
    await page.clock.set_fixed_time(LATER)
    await page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
    await act_as(page, "anna")
    if locale == "ru":
        await page.locator("#person").click()
        await page.locator("#menu").get_by_role("button", name="RU").click()
    await titles(page).first.wait_for()


async def cards(place: Department, way: str) -> dict[str, Message]:
    found = await (good_way if way == "good" else bad_way)(place)
    return {name: drawn(place, found[name]) for name in (GOOD if way == "good" else BAD)}


@pytest.fixture
def place(request: pytest.FixtureRequest, way: str) -> Department:
    """Where the release of this *way* is."""
    found: Department = request.getfixturevalue("watched" if way == "good" else "bad")
    return found


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("way", ["good", "bad"])
async def test_a_release_reads_well_by_day_and_by_night(
    place: Department, way: str, theme: str, tmp_path: Path
) -> None:
    shown = await cards(place, way)
    house_ = house(shown)
    words = Languages(CATALOGUE, house_.clock).words
    async with browser(house_, TALL, opened=True, words=words) as page:
        await opened(page, theme, "en")
        assert await titles(page).count() == len(shown)
        cut = "all => all.filter(each => each.scrollWidth > each.clientWidth + 1).map(each => each.textContent)"
        assert await page.locator("#cards td, #cards .card-name, #cards li").evaluate_all(cut) == []
        folder = DOCS / "images" if os.environ.get("WRITE_IMAGES") else tmp_path
        name = f"release-{way}.png" if theme == "light" else f"release-{way}-dark.png"
        await page.locator("#cards").screenshot(path=folder / name)
        assert (folder / name).stat().st_size > 10_000


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("way", ["good", "bad"])
async def test_a_release_fits_a_phone(place: Department, way: str, locale: str, tmp_path: Path) -> None:
    house_ = house(await cards(place, way))
    words = Languages(CATALOGUE, house_.clock).words
    async with browser(house_, SLIM, opened=True, words=words) as page:
        await opened(page, "dark", locale)
        assert await page.evaluate("document.scrollingElement.scrollWidth") <= PHONE["width"]
        assert await page.evaluate("document.querySelector('#now').scrollWidth") <= PHONE["width"]
        heights = await page.locator("#cards .button:visible").evaluate_all("all => all.map(b => b.offsetHeight)")
        assert heights
        assert min(heights) >= 44  # a thumb's
        folder = Path(os.environ.get("LOOK_AT", tmp_path))
        await page.locator("#cards").screenshot(path=folder / f"phone-{way}-{locale}.png")
