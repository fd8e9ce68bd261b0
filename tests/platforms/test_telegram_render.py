"""Neutral messages as Telegram's HTML. `expected/telegram/<card>.html` says how each card must look."""

import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.domain.errors import PermanentError
from bot.domain.messages import Aside, Button, Collapsed, Confirm, Lines, Message, Paragraph, Preformatted, Style, Table
from bot.domain.phrases import Code, English, Link, Strong, phrase, verbatim
from bot.platforms.telegram import limits
from bot.platforms.telegram.grid import columns
from bot.platforms.telegram.render import brief, render, whole
from bot.platforms.telegram.text import clip, units
from bot.simulator.telegram import html
from tests.platforms.telegram_cards import CARDS, alert, pods, storm, waiting

EXPECTED = Path(__file__).parent / "expected" / "telegram"
JOINER = "\u2060"


def readable(rendered):
    """HTML, then one line per row of keys; the invisible joiner as ‸."""
    keys = [
        " ".join(f"[{key.text} → {key.data or key.url}{' ' + key.style if key.style else ''}]" for key in row)
        for row in rendered.keyboard
    ]
    text = "\n".join((rendered.html, "", *keys, f"shortened: {'yes' if rendered.shortened else 'no'}"))
    return text.replace(JOINER, "‸") + "\n"


def text_of(message):
    return html.parse(render(message, English()).html)[0]


@pytest.mark.parametrize("name", CARDS)
def test_a_card_looks_as_expected(name):
    assert readable(render(CARDS[name](), English())) == (EXPECTED / f"{name}.html").read_text()


@pytest.mark.parametrize("name", CARDS)
def test_without_markup_it_says_the_same(name):
    rendered = render(CARDS[name](), English())
    assert html.parse(rendered.html)[0].replace(JOINER, "") == rendered.plain.replace(JOINER, "")


def test_a_long_list_is_cut_at_a_line_and_the_rest_of_the_card_stays():
    text = text_of(storm())
    assert units(text) <= limits.TEXT
    listed = re.findall(r"• instance=node-(\d+), zone=a: Node \d+ has no disk space\n", text)
    more = int(re.search(r"… and (\d+) more", text).group(1))
    assert len(listed) + more == 300
    assert len(listed) > 60
    assert text.endswith("a-9k2f · fired before as a-3b3c")


def test_two_long_parts_share_the_room():
    message = Message(
        phrase("t"),
        blocks=(Preformatted("\n".join(["log"] * 3000)), Paragraph(verbatim("word " * 3000)), Aside(phrase("end"))),
    )
    first, second, end = text_of(message).removeprefix("🔵 t\n\n").split("\n\n")
    assert abs(units(first) - units(second)) < 200
    assert first.splitlines()[-1].startswith("… and ")
    assert second.endswith("word…")
    assert end == "end"
    assert render(message, English()).shortened


def test_many_parts_leave_out_the_last_ones_but_never_what_a_press_needs_to_be_read():
    button = Button(phrase("Go"), "go", confirm=Confirm(phrase("Sure?"), phrase("All pods restart.")))
    message = Message(phrase("t"), blocks=tuple(Paragraph(verbatim("x" * 500)) for _ in range(60)), buttons=(button,))
    text = text_of(message)
    assert units(text) <= limits.TEXT
    assert text.endswith("Sure? All pods restart.")
    assert text.count("\n\n") < 60


def test_a_hundred_entities_are_marked_and_the_tail_goes_bare():
    message = Message(phrase("t"), blocks=(Lines(tuple(phrase("{n}", n=Strong(str(n))) for n in range(150))),))
    text, entities = html.parse(render(message, English()).html)
    assert len(entities) == limits.ENTITIES
    assert "• 149" in text


def test_many_long_links_do_not_weigh_more_than_telegram_reads():
    url = "https://long.example/" + "a" * 1900
    message = Message(
        phrase("t"), blocks=(Lines(tuple(phrase("{l}", l=Link("&" * 30, f"{url}{n}")) for n in range(90))),)
    )
    rendered = render(message, English())
    assert len(rendered.html.encode()) < 35_000
    assert len(html.parse(rendered.html)[1]) >= 4


def test_a_moment_is_shown_in_the_readers_own_zone():
    _, entities = html.parse(render(alert(), English()).html)
    (moment,) = [e for e in entities if e["type"] == "date_time"]
    assert moment["unix_time"] == int(datetime(2026, 11, 24, 3, 5, 10, tzinfo=UTC).timestamp())


def test_a_table_is_never_broader_than_its_limit():
    rows = tuple(tuple(verbatim(cell) for cell in ("漢字" * 40, "b" * 50, "12", "")) for _ in range(3))
    text = text_of(Message(phrase("t"), blocks=(Table(tuple(map(phrase, "abcd")), rows),)))
    assert all(columns(line) <= limits.COLUMNS for line in text.splitlines())
    assert "12" in text


def test_folded_lines_are_one_expandable_quote():
    _, entities = html.parse(render(pods(), English()).html)
    assert [e["type"] for e in entities if "quote" in e["type"]] == ["expandable_blockquote"]
    cut = Message(phrase("t"), blocks=(Collapsed(phrase("All"), tuple(verbatim("x" * 90) for _ in range(99))),))
    assert "… and" in text_of(cut)


def test_secrets_are_masked_in_text_fixed_text_and_file():
    secret = "xoxb-\x0012345678-abcdef"
    message = Message(verbatim(secret), blocks=(Preformatted(secret), Paragraph(verbatim(secret))), whole=secret)
    shown = render(message, English()).html + brief(message, English()) + whole(message).decode()
    assert "12345678" not in shown
    assert shown.count("•••") == 7


@pytest.mark.parametrize("confirm", [None, Confirm(phrase("Sure?"), phrase("It restarts."))])
def test_a_command_too_long_for_a_button_is_our_mistake(confirm):
    fits = limits.CALLBACK_DATA - (1 if confirm else 0)
    ok = Button(phrase("Go"), "x" * fits, confirm=confirm)
    assert render(Message(phrase("t"), buttons=(ok,)), English()).keyboard
    with pytest.raises(PermanentError):
        render(Message(phrase("t"), buttons=(replace(ok, command="x" * (fits + 1)),)), English())


def test_keys_stand_side_by_side_while_a_phone_shows_them_uncut():
    def rows(*labels):
        made = render(Message(phrase("t"), buttons=tuple(Button(verbatim(x), "c") for x in labels)), English()).keyboard
        return [[key.text for key in row] for row in made]

    assert rows("Ack", "Silence 1 h", "Details", "More") == [["Ack", "Silence 1 h", "Details"], ["More"]]
    assert rows("x" * 30, "y" * 30) == [["x" * 30], ["y" * 30]]
    assert rows(" ", "z" * 99) == [["c"], ["z" * 39 + "…"]]
    assert sum(map(len, rows(*["a"] * 150))) == limits.BUTTONS


def test_weights_of_keys():
    rows = render(waiting(), English()).keyboard
    assert [(key.data, key.style) for key in rows[0]] == [
        ("?approve op-41c9 12ab34cd", "success"),
        ("reject op-41c9 12ab34cd", "danger"),
    ]
    (plain,) = render(Message(phrase("t"), buttons=(Button(phrase("p"), "p"),)), English()).keyboard
    (blue,) = render(Message(phrase("t"), buttons=(Button(phrase("p"), "p", style=Style.PRIMARY),)), English()).keyboard
    assert (plain[0].style, blue[0].style) == ("", "primary")


def test_the_words_alone_for_an_alert():
    message = Message(phrase("Acked"), blocks=(Paragraph(phrase("{id} is yours.", id=Code("a-7k2f"))),))
    assert brief(message, English()) == "🔵 Acked\na-7k2f is yours."


def test_the_file_is_cut_at_a_line(monkeypatch):
    monkeypatch.setattr(limits, "DOCUMENT", 10)
    assert whole(Message(phrase("t"), whole="one\ntwo\nthree")) == b"one\ntwo"


@pytest.mark.parametrize(
    ("text", "room", "kept"),
    [
        ("short", 5, "short"),
        ("a word too many", 12, "a word too…"),
        ("unbreakable", 5, "unbr…"),
        ("🔥🔥🔥", 4, "🔥…"),
        ("x", 0, ""),
    ],
)
def test_clip(text, room, kept):
    assert clip(text, room) == kept
