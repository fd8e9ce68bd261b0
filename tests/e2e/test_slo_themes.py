"""A budget's picture in a real browser, by day and by night. ``WRITE_IMAGES=1`` writes docs/images anew: look at it."""

from __future__ import annotations

import os
from datetime import datetime, timedelta
from math import nan
from pathlib import Path

import pytest

from bot.adapters.words import Languages
from bot.domain.messages import Curve, Facts, Graph, Message, Tone
from bot.domain.phrases import Quantity, phrase, verbatim
from bot.ports.console import Answer
from tests.adapters.test_pictures import contrast
from tests.docs import DOCS
from tests.e2e.test_console_browser import DESKTOP, act_as, browser, pytestmark
from tests.edge.console_rig import House, SteadyClock

__all__ = ["pytestmark"]
HOUR = timedelta(hours=1)
LOCALES = DOCS.parent / "handlers" / "locales"
COLOURS = """() => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const hex = (colour) => {
    canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
    const parts = [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
    return "#" + parts.map((part) => part.toString(16).padStart(2, "0")).join("");
  };
  const ground = (node) => {
    for (; node; node = node.parentElement) {
      const found = getComputedStyle(node).backgroundColor;
      if (!found.endsWith(", 0)") && found !== "transparent") return hex(found);
    }
    return "#ffffff";
  };
  const graph = document.querySelector("#answers .graph");
  const stroke = (node) => hex(getComputedStyle(node).stroke);
  return {
    ground: ground(graph),
    curves: [...graph.querySelectorAll(".graph-svg .curve")].map(stroke),
    letters: [...graph.querySelectorAll(".graph-title, .tick-x, .tick-y, .mark-text, .limit-text")]
      .map((node) => hex(getComputedStyle(node).color)),
  };
}"""


def month(now: datetime) -> Message:
    """A budget of 30 days: one release burned 11 % of it, one incident 20 %, and ten hours are not known."""
    left, points = 100.0, []
    for hour in range(720):
        left -= 0.03 + {300: 5.5, 301: 5.5}.get(hour, 20 / 6 if 560 <= hour < 566 else 0.0)
        points.append((now - (719 - hour) * HOUR, nan if 420 < hour < 430 else left))
    even = tuple((at, 100 * (1 - (hour + 1) / 720)) for hour, (at, _) in enumerate(points))
    curves = (Curve(phrase("left"), tuple(points)), Curve(phrase("burned evenly"), even, guide=True))
    marks = ((now - 420 * HOUR, verbatim("1.8.0")), (now - 160 * HOUR, verbatim("a-7k2f HighErrors")))
    facts = Facts(((phrase("Budget left"), phrase("{share}", share=Quantity(left, "%", 1))),))
    title = phrase("{service} {name}: {left} of the budget left", service="api", name="availability",
                   left=Quantity(left, "%", 1))  # fmt: skip
    return Message(title, Tone.OK, (facts, Graph(phrase("Budget left"), curves, "%", 0.0, marks)))


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_a_burn_down_reads_well_by_day_and_by_night(theme: str, tmp_path: Path) -> None:
    house = House(clock=SteadyClock(real=True))
    languages = Languages(LOCALES, house.clock)
    house.answers = {"slo api": Answer(True, month(house.clock.now()))}
    async with browser(house, DESKTOP, opened=True, words=languages.words) as page:
        await page.emulate_media(color_scheme=theme)
        await act_as(page, "anna")
        await page.locator("#input").fill("slo api")
        await page.keyboard.press("Enter")
        answer = page.locator("#answers .graph")
        await answer.wait_for()
        found = await page.evaluate(COLOURS)
        folder = DOCS / "images" if os.environ.get("WRITE_IMAGES") else tmp_path
        await page.locator("#answers article").screenshot(path=folder / f"slo-{theme}.png")
    assert len(found["curves"]) == 2
    assert len(set(found["curves"])) == 2
    assert [curve for curve in found["curves"] if contrast(curve, found["ground"]) < 3] == []
    assert [letters for letters in found["letters"] if contrast(letters, found["ground"]) < 4.5] == []
    assert (contrast(found["ground"], "#000000") > 10) is (theme == "light")
