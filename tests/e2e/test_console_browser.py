"""The console in a real browser, against the real HTTP side with the rest of pult faked."""

import os
import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from math import nan
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, async_playwright, expect

from bot.domain.messages import (
    Aside,
    Button,
    Confirm,
    Curve,
    Facts,
    Graph,
    Lines,
    Message,
    Paragraph,
    Preformatted,
    Progress,
    StepMark,
    Style,
    Table,
    Tone,
)
from bot.domain.phrases import Code, Link, Strong, phrase, verbatim
from bot.ports.console import Answer, Standing
from tests.edge.console_rig import House, SteadyClock

CHROMIUM = Path("/usr/bin/chromium")
pytestmark = pytest.mark.skipif(
    not CHROMIUM.exists() and "CI" not in os.environ, reason="needs Debian's chromium: apt-get install chromium"
)
ATTACK = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"
DESKTOP = {"width": 1280, "height": 800}
PHONE = {"width": 390, "height": 844}


def alert(name: str = "HighErrorRate", tone: Tone = Tone.CRITICAL, ident: str = "a-7k2f") -> Message:
    blocks = (
        Paragraph(verbatim("8 % of requests fail in nyc2.")),
        Facts(((phrase("Severity"), phrase("{s}", s=Strong(str(tone)))),)),
        Aside(phrase("{id}", id=Code(ident))),
    )
    return Message(verbatim(name), tone, blocks, (Button(phrase("Ack"), f"ack {ident}", style=Style.PRIMARY),))


def graph(house: House, *, curves: int = 1, title: str = "Error rate") -> Graph:
    """An hour that rises over its limit in the last twenty minutes, with a hole before."""
    now = house.clock.now()
    values = [nan if 20 <= at < 26 else 0.5 if at < 40 else 7.25 for at in range(61)]
    points = [
        tuple((now - timedelta(minutes=60 - at), value + n) for at, value in enumerate(values)) for n in range(curves)
    ]
    marks = ((now - timedelta(minutes=30), verbatim(ATTACK if title == ATTACK else "release 1.8.0")),)
    names = [verbatim(ATTACK if title == ATTACK else f"pod {n}") for n in range(curves)]
    return Graph(verbatim(title), tuple(map(Curve, names, points)), "%", 5.0, marks)


def operation(*marks: StepMark, tone: Tone = Tone.WORKING, waiting: bool = False) -> Message:
    steps = tuple((mark, phrase("Step {n}", n=at), None) for at, mark in enumerate(marks, 1))
    sure = Confirm(phrase("Approve?"), phrase("Promote api 1.8.0 to production."))
    approve = Button(phrase("Approve"), "approve op-41c9 5c0d9e1f", style=Style.PRIMARY, confirm=sure)
    return Message(phrase("Promote api 1.8.0"), tone, (Progress(steps),), (approve,) if waiting else ())


@asynccontextmanager
async def browser(house: House, viewport: dict[str, int] = DESKTOP, **changes: Any) -> AsyncGenerator[Page]:
    """A page on the console. Whatever breaks in its script fails the test."""
    broken: list[str] = []
    async with house.open(**changes) as address, async_playwright() as playwright:
        chromium = await playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--headless=new", "--disable-dev-shm-usage"]
        )
        try:
            context = await chromium.new_context(viewport=viewport, locale="en-GB", reduced_motion="reduce")
            context.set_default_timeout(10_000)
            page = await context.new_page()
            page.on("pageerror", lambda error: broken.append(str(error)))
            page.on("console", lambda said: broken.append(said.text) if "Content Security" in said.text else None)
            await page.goto(str(address))
            yield page
        finally:
            await chromium.close()
    assert broken == []


def opened(house: House, viewport: dict[str, int] = DESKTOP) -> Any:
    return browser(house, viewport, opened=True)


async def act_as(page: Page, name: str) -> None:
    await page.get_by_role("button", name=name).click()
    await expect(page.locator("#link")).to_have_text("Live")


def titles(page: Page) -> Any:
    return page.locator("#cards .card-name")


@pytest.fixture
def house() -> House:
    return House(clock=SteadyClock(real=True))


async def test_a_person_logs_in_with_their_token(house: House) -> None:
    async with browser(house) as page:
        await expect(page.get_by_role("heading", name="Sign in to pult")).to_be_visible()
        await page.get_by_label("Personal token").fill("guess")
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("alert").first).to_have_text("This token belongs to nobody here.")
        await page.get_by_label("Personal token").fill("token-anna")
        await page.keyboard.press("Enter")
        await expect(page.locator("#vitals")).to_have_text("Nothing is firing")
        await page.reload()
        await expect(page.locator("#person")).to_contain_text("anna")
        await page.locator("#person").click()
        await page.get_by_role("button", name="Sign out").click()
        await expect(page.get_by_role("heading", name="Sign in to pult")).to_be_visible()


async def test_a_card_arrives_changes_and_settles(house: House) -> None:
    async with opened(house) as page:
        await act_as(page, "anna")
        await expect(page.locator("#cards")).to_contain_text("All quiet")
        await house.show("alert:a-7k2f", alert())
        await expect(titles(page)).to_have_text(["HighErrorRate"])
        await expect(page.locator("#vitals")).to_have_text("1critical")
        await expect(page.locator("#alarm")).to_have_text("New critical: HighErrorRate")
        assert await page.title() == "▲ 1 critical · pult"
        await house.show("alert:a-7k2f", alert("Resolved: HighErrorRate", Tone.OK), revision=2)
        await expect(titles(page)).to_have_text(["Resolved: HighErrorRate"])
        await expect(page.locator("#vitals")).to_have_text("Nothing is firing")
        body = page.get_by_text("8 % of requests fail")
        await expect(body).to_be_hidden()
        await page.get_by_role("button", name="Resolved: HighErrorRate").click()
        await expect(body).to_be_visible()


async def test_a_graph_is_drawn_and_read(house: House) -> None:
    house.standing = [Standing("alert:a-7k2f", 1, house.clock.now(), replace(alert(), blocks=(graph(house),)))]
    async with opened(house) as page:
        await act_as(page, "anna")
        figure = page.locator("#cards .graph")
        await expect(figure.locator("figcaption")).to_contain_text("now 7.25")
        drawn = figure.get_by_role("img")
        await expect(drawn).to_have_attribute("aria-label", re.compile("^Error rate: .*now 7.25.%, highest 7.25.%$"))
        line = await figure.locator("path.curve").first.get_attribute("d")
        assert line is not None
        assert line.count("M") == 2  # the hole is no line
        await expect(figure.locator(".limit-text")).to_have_text(re.compile("limit 5.%"))
        values = [re.compile(f"^{value}.%$") for value in ("0.0", "2.5", "5.0", "7.5")]
        await expect(figure.locator(".tick-y")).to_have_text(values)
        await expect(figure.locator(".mark-text")).to_have_text("release 1.8.0")
        assert await figure.locator(".tick-x").count() >= 3
        plot, tip = figure.locator(".graph-plot"), figure.locator(".graph-tip")
        box = await plot.bounding_box()
        assert box is not None
        for share, said in ((0.1, "0.50"), (0.38, "no data"), (0.9, "7.25")):
            await plot.hover(position={"x": box["width"] * share, "y": 30})
            await expect(tip).to_contain_text(said)
        await plot.focus()
        await page.mouse.move(0, 0)
        await page.keyboard.press("Home")
        await expect(tip).to_contain_text("0.50")
        await page.keyboard.press("End")
        await expect(tip).to_contain_text("7.25")
        await page.keyboard.press("Escape")
        await expect(tip).to_be_hidden()


async def test_a_graph_of_several_tells_them_apart_and_one_without_values_says_so(house: House) -> None:
    empty = Graph(verbatim("Error rate"), (Curve(verbatim("a"), ((house.clock.now(), nan),)),))
    blocks = (graph(house, curves=3), empty)
    house.standing = [Standing("alert:a-7k2f", 1, house.clock.now(), replace(alert(), blocks=blocks))]
    async with opened(house) as page:
        await act_as(page, "anna")
        first, second = page.locator("#cards .graph").first, page.locator("#cards .graph").last
        await expect(first.locator(".graph-legend li")).to_have_text(
            [re.compile(f"pod {n}{n + 7}.25") for n in range(3)]
        )
        looks = await first.locator(".graph-legend path").evaluate_all(
            "all => all.map(each => getComputedStyle(each).stroke + getComputedStyle(each).strokeDasharray)"
        )
        assert len(set(looks)) == 3
        await expect(second).to_contain_text("no data")
        await expect(second.get_by_role("img")).to_have_count(0)


async def test_outside_text_in_a_graph_stays_text(house: House) -> None:
    drawn = replace(alert(), blocks=(graph(house, curves=2, title=ATTACK),))
    house.standing = [Standing("alert:a-7k2f", 1, house.clock.now(), drawn)]
    async with opened(house) as page:
        await act_as(page, "anna")
        figure = page.locator("#cards .graph")
        await expect(figure.locator("figcaption")).to_have_text(ATTACK)
        await figure.locator(".graph-plot").hover()
        await expect(figure.locator(".graph-tip")).to_contain_text(ATTACK)
        assert await page.locator("#frame img:not(.brand img), #frame script").count() == 0
        assert "owned" not in await page.title()


async def test_how_an_alert_stands_is_seen_at_a_glance(house: House) -> None:
    now = house.clock.now()
    since = (Facts(((phrase("Since"), phrase("{at}", at=now - timedelta(minutes=4, seconds=10))),)), graph(house))
    free = replace(alert("Free"), blocks=since)
    held = replace(alert("Held", ident="a-2"), blocks=since, buttons=(Button(phrase("Details"), "alert a-2"),))
    house.standing = [
        Standing("alert:a-1", 1, now, free),
        Standing("alert:a-2", 1, now, held),
        Standing("alert:a-3", 1, now, replace(alert("Hushed", Tone.MUTED, "a-3"), blocks=since)),
        Standing("alert:a-4", 1, now, replace(alert("Over", Tone.OK, "a-4"), blocks=since)),
    ]
    async with opened(house) as page:
        await act_as(page, "anna")
        await expect(titles(page)).to_have_text(["Free", "Held", "Hushed", "Over"])
        cards = page.locator("#cards .card")
        states = await cards.evaluate_all("all => all.map(card => card.dataset.state)")
        assert states == ["firing", "held", "silenced", "resolved"]
        await expect(cards.nth(0).locator(".age")).to_have_text("4 min")
        await expect(cards.nth(1).locator(".state")).to_have_text("held")
        await expect(cards.nth(2).locator(".state")).to_have_text("silenced")
        await expect(cards.nth(3).locator(".spark path")).to_have_attribute("d", re.compile("^M"))
        await expect(page.locator("#vitals")).to_have_text("2critical1 held1silenced")


async def test_since_when_goes_on_by_itself(house: House) -> None:
    began = house.clock.now() - timedelta(seconds=20)
    going = replace(alert(), blocks=(Facts(((phrase("Since"), phrase("{at}", at=began)),)),))
    house.standing = [Standing("alert:a-7k2f", 1, house.clock.now(), going)]
    async with opened(house) as page:
        await act_as(page, "anna")
        age = page.locator("#cards .age")
        first = await age.text_content()
        await expect(age).not_to_have_text(first or "")


async def test_a_storm_scrolls_within_its_card_and_is_filtered(house: House) -> None:
    def storm(count: int) -> Message:
        rows = tuple((phrase("{id}", id=Code(f"a-{at:03}")), verbatim(f"Slow · svc{at % 7}")) for at in range(count))
        return Message(phrase("Storm of {n}", n=count), Tone.WARNING, (Table((phrase("Id"), phrase("What")), rows),))

    house.standing = [Standing("storm:s-1", 1, house.clock.now(), storm(490))]
    async with opened(house, PHONE) as page:
        await act_as(page, "anna")
        await expect(page.locator("#vitals")).to_have_text("1storm")
        card = page.locator("#cards .card")
        height = await card.evaluate("card => card.offsetHeight")
        assert height < PHONE["height"]
        await card.get_by_role("searchbox").fill("SVC3 a-01")
        await expect(card.locator("tbody tr:visible")).to_have_count(2)  # a-010, a-017
        await expect(card.locator(".filter-count")).to_have_text("2 of 490")
        await house.show("storm:s-1", storm(500), 2)  # what is typed survives an edit
        await expect(card.locator(".filter-count")).to_have_text("2 of 500")
        await expect(card.get_by_role("searchbox")).to_be_focused()
        await page.keyboard.press("Escape")
        await expect(card.locator("tbody tr:visible")).to_have_count(500)
        assert await page.evaluate("document.querySelector('#now').scrollWidth") <= PHONE["width"]


async def test_the_strip_says_who_is_on_call(house: House) -> None:
    names: list[str] | None = ["anna", "boris"]

    async def on_call() -> list[str] | None:
        return names

    async with browser(house, opened=True, on_call=on_call) as page:
        await act_as(page, "chen")
        await expect(page.locator("#oncall")).to_contain_text("On call")
        await expect(page.locator("#oncall b")).to_have_text(["anna", "boris"])
        names = []
        await page.reload()
        await expect(page.locator("#oncall")).to_have_text("Nobody is on call")
        names = None
        await page.reload()
        await expect(page.locator("#link")).to_have_text("Live")
        await expect(page.locator("#oncall")).to_be_hidden()


async def test_what_is_urgent_comes_first(house: House) -> None:
    now = house.clock.now()
    house.standing = [
        Standing("alert:a-3", 1, now, alert("Over", Tone.OK)),
        Standing("alert:a-2", 1, now, alert("Slow", Tone.WARNING)),
        Standing("op:op-41c9", 1, now, operation(StepMark.PENDING, tone=Tone.WARNING, waiting=True)),
        Standing("op:op-8m3k", 1, now, operation(StepMark.RUNNING)),
        Standing("alert:a-1", 1, now - timedelta(hours=3), alert("Down")),
    ]
    async with opened(house) as page:
        await act_as(page, "anna")
        await expect(titles(page)).to_have_text(["Down", "Promote api 1.8.0", "Slow", "Promote api 1.8.0", "Over"])
        await expect(page.locator("#vitals")).to_have_text("1critical1warning2operations open1 waiting")
        await page.get_by_role("group").get_by_role("button", name="Operations").click()
        await expect(titles(page)).to_have_text(["Promote api 1.8.0"] * 2)


async def test_a_dangerous_press_needs_a_second_one(house: House) -> None:
    house.standing = [
        Standing("op:op-41c9", 1, house.clock.now(), operation(StepMark.PENDING, tone=Tone.WARNING, waiting=True))
    ]
    house.answers["approve op-41c9 5c0d9e1f"] = Answer(True, Message(phrase("You approved it"), Tone.OK), "op-41c9")
    async with opened(house) as page:
        await act_as(page, "chen")
        approve = page.locator("#cards").get_by_role("button", name="Approve")
        await approve.click()
        dialog = page.get_by_role("dialog")
        await expect(dialog).to_contain_text("Promote api 1.8.0 to production.")
        await page.keyboard.press("Enter")  # the habit: nothing must happen
        await expect(dialog).to_be_hidden()
        assert house.asked == []
        await approve.click()
        await dialog.get_by_role("button", name="Approve").click()
        await expect(page.locator("#answers")).to_contain_text("You approved it")
    (request,) = house.asked
    assert (request.account, request.text, request.pressed) == ("chen", "approve op-41c9 5c0d9e1f", True)


async def test_an_operation_moves_on_before_ones_eyes(house: House) -> None:
    running, pending, done = StepMark.RUNNING, StepMark.PENDING, StepMark.DONE
    async with opened(house) as page:
        await act_as(page, "anna")
        await house.show("op:op-41c9", operation(running, pending), 1)
        await expect(page.locator(".steps li[data-mark=running]")).to_have_text("Step 1")
        await house.show("op:op-41c9", operation(done, running), 2)
        await expect(page.locator(".steps li[data-mark=running]")).to_have_text("Step 2")
        await expect(page.locator(".meter")).to_have_attribute("value", "1")
        await house.show("op:op-41c9", operation(running, pending), 1)  # an old one changes nothing
        await house.show("notice:1", alert("News", Tone.WARNING))
        await expect(titles(page)).to_contain_text(["News", "Promote api 1.8.0"])
        await expect(page.locator(".steps li[data-mark=running]")).to_have_text("Step 2")


async def test_a_command_is_typed_completed_and_repeated(house: House) -> None:
    rows = ((verbatim("api"), phrase("82.1×")), (verbatim("web"), phrase("0.9×")))
    table = Table((phrase("SLO"), phrase("Burn 1 h")), rows)
    house.answers["slo api"] = Answer(True, Message(phrase("api availability"), Tone.WARNING, (table,)))
    async with opened(house) as page:
        await act_as(page, "anna")
        await page.keyboard.press("/")
        await page.keyboard.type("sl")
        await expect(page.get_by_role("option")).to_contain_text(["slo [service] [window]"])
        await page.keyboard.press("Tab")
        await expect(page.locator("#input")).to_have_value("slo ")
        await page.keyboard.press("ArrowDown")
        await page.keyboard.press("Enter")
        answer = page.locator("#answers .entry").first
        await expect(answer).to_contain_text("api availability")
        await expect(answer.locator("td.number")).to_have_text(["82.1×", "0.9×"])
        await page.keyboard.press("ArrowUp")
        await expect(page.locator("#input")).to_have_value("slo api")
        await page.keyboard.press("Enter")
        await expect(page.locator("#answers .entry")).to_have_count(2)
    assert [request.text for request in house.asked] == ["slo api", "slo api"]


async def test_outside_text_stays_text(house: House) -> None:
    evil = Message(
        verbatim(ATTACK),
        Tone.CRITICAL,
        (
            Paragraph(phrase("{l}", l=Link(ATTACK, "javascript:document.title='owned'"))),
            Facts(((verbatim(ATTACK), phrase("{c}", c=Code(ATTACK))),)),
            Lines((verbatim(ATTACK),)),
            Table((verbatim(ATTACK),), ((verbatim(ATTACK),),)),
            Preformatted(ATTACK),
        ),
        (Button(verbatim(ATTACK), "status", confirm=Confirm(verbatim(ATTACK), verbatim(ATTACK))),),
        whole=ATTACK * 2,
    )
    house.answers[ATTACK] = Answer(True, evil)
    house.standing = [Standing("alert:a-7k2f", 1, house.clock.now(), evil)]
    async with opened(house) as page:
        await act_as(page, "anna")
        await page.locator("#input").fill(ATTACK)
        await page.keyboard.press("Enter")
        await expect(page.locator("#answers .card-name")).to_have_text(ATTACK)
        await page.locator("#cards .actions button").click()
        await expect(page.get_by_role("dialog")).to_contain_text(ATTACK)
        assert await page.locator("#frame img:not(.brand img), #frame script, dialog img, dialog script").count() == 0
        assert await page.locator("#frame a[href^='javascript']").count() == 0
        assert "owned" not in await page.title()


async def test_two_people_in_one_browser(house: House) -> None:
    async with opened(house) as page:
        await act_as(page, "anna")
        await page.locator("#person").click()
        await page.locator("#menu").get_by_role("button", name="chen").click()
        await expect(page.locator("#person")).to_contain_text("chen")
        await expect(page.locator("#link")).to_have_text("Live")
        await page.locator("#input").fill("status")
        await page.keyboard.press("Enter")
        await expect(page.locator("#answers")).to_contain_text("You asked status")
    assert [request.account for request in house.asked] == ["chen"]


async def test_it_speaks_two_languages(house: House) -> None:
    house.standing = [Standing("alert:a-7k2f", 1, house.clock.now(), Message(phrase("High error rate"), Tone.CRITICAL))]
    async with opened(house) as page:
        await act_as(page, "anna")
        await page.locator("#language").get_by_role("button", name="RU").click()
        await expect(titles(page)).to_have_text(["Много ошибок"])
        await expect(page.locator("#vitals")).to_have_text("1критический")
        await expect(page.locator("html")).to_have_attribute("lang", "ru")
        await page.reload()
        await expect(page.locator("#link")).to_have_text("На связи")


async def test_a_lost_connection_is_said_and_mended(house: House) -> None:
    house.standing = [Standing("alert:a-7k2f", 1, house.clock.now(), alert())]
    async with opened(house) as page:
        await act_as(page, "anna")
        await expect(page.locator("#vitals")).to_have_text("1critical")
        await page.route("**/api/me", lambda route: route.abort())
        await page.context.set_offline(True)
        assert house.console is not None
        await house.console.close()
        await expect(page.locator("#banner")).to_contain_text("Connection lost.")
        await expect(page.locator("#vitals")).to_have_text("Not connected: unknown")  # never the old numbers
        await page.locator("#input").fill("status")
        await page.keyboard.press("Enter")
        await expect(page.locator("#answers")).to_contain_text("nothing was sent")
        await page.unroute("**/api/me")
        await page.context.set_offline(False)
        await expect(page.locator("#link")).to_have_text("Live")
        await expect(page.locator("#banner")).to_be_hidden()
        await expect(page.locator("#vitals")).to_have_text("1critical")


async def test_a_phone_shows_it_all_within_its_width(house: House, tmp_path: Path) -> None:
    wide = Table(tuple(verbatim(f"column {at}") for at in range(9)), (tuple(verbatim("x" * 12) for _ in range(9)),))
    big = Message(verbatim("W" * 300), Tone.CRITICAL, (wide, Preformatted("y" * 900)), alert().buttons)
    house.standing = [Standing("alert:a-7k2f", 1, house.clock.now(), big)]
    async with opened(house, PHONE) as page:
        await act_as(page, "anna")
        await expect(titles(page)).to_be_visible()
        assert await page.evaluate("document.scrollingElement.scrollWidth") <= PHONE["width"]
        assert await page.evaluate("document.querySelector('#now').scrollWidth") <= PHONE["width"]
        bottom = await page.locator("#tabs").bounding_box()
        assert bottom is not None
        assert bottom["y"] + bottom["height"] <= PHONE["height"]
        await page.locator("#cards").get_by_role("button", name="Ack").click()
        await page.locator(".toast").click()
        await expect(page.locator("#answers")).to_contain_text("You asked ack a-7k2f")
        for size in await page.locator(".button:visible, #tabs button").evaluate_all(
            "all => all.map(b => b.offsetHeight)"
        ):
            assert size >= 44  # a thumb's
        shot = tmp_path / "phone.png"
        await page.screenshot(path=shot)
        assert shot.stat().st_size > 10_000
