"""Telegram's HTML: its words for what is wrong, bytes in errors, UTF-16 units in entities, what it finds by itself."""

import random
from datetime import UTC, datetime

import pytest

from bot.simulator.telegram.args import Args
from bot.simulator.telegram.entities import detect, links, mentions, part, trim
from bot.simulator.telegram.errors import TelegramError
from bot.simulator.telegram.html import parse, units
from bot.simulator.telegram.rich import read
from bot.simulator.telegram.state import Telegram

REFUSED = {
    "<br>": 'Unsupported start tag "br" at byte offset 0',
    "a < b": 'Unsupported start tag "" at byte offset 2',
    "Жж <foo>": 'Unsupported start tag "foo" at byte offset 5',
    "x <b": "Unclosed start tag at byte offset 2",
    "<a href": 'Unclosed start tag "a" at byte offset 0',
    '<a href="x"': "Unclosed start tag at byte offset 0",
    '<a href="x': "Unclosed start tag at byte offset 0",
    '<a ="x">y</a>': 'Empty attribute name in the tag "a" at byte offset 0',
    "<a href=x/>y</a>": "Unexpected end of name token at byte offset 8",
    "<span>x</span>": 'Tag "span" must have class "tg-spoiler" at byte offset 0',
    "x</b>": "Unexpected end tag at byte offset 1",
    "<b>x</b": "Unclosed end tag at byte offset 4",
    "<b>x</i>": 'Unmatched end tag at byte offset 4, expected "</b>", found "</i>"',
    "<b><i>x</b></i>": 'Unmatched end tag at byte offset 7, expected "</i>", found "</b>"',
    "<b>x": 'Can\'t find end tag corresponding to start tag "b"',
    '<tg-emoji emoji-id="x">y</tg-emoji>': "Invalid custom emoji identifier specified",
}


@pytest.mark.parametrize("source", REFUSED)
def test_broken_markup_is_refused_in_telegrams_words(source):
    with pytest.raises(TelegramError) as caught:
        parse(source)
    assert caught.value.code == 400
    assert str(caught.value) == f"Bad Request: can't parse entities: {REFUSED[source]}"


@pytest.mark.parametrize(
    ("source", "text", "entities"),
    [
        ("<b>a<i>🎉</i></b>!", "a🎉!", [("bold", 0, 3), ("italic", 1, 2)]),
        ("<STRONG>x</STRONG> <del>y</>", "x y", [("bold", 0, 1), ("strikethrough", 2, 1)]),
        ("a &lt;b&gt; &amp; &quot;&#60;&#x3c; &nbsp;", 'a <b> & "<< &nbsp;', []),
        ("<b></b>x", "x", []),
        ("<pre><code>x</code></pre>", "x", [("code", 0, 1), ("pre", 0, 1)]),
        ('<span class="tg-spoiler">x</span>', "x", [("spoiler", 0, 1)]),
        ("<blockquote expandable>x</blockquote>", "x", [("expandable_blockquote", 0, 1)]),
        ('<a href="http://localhost">x</a>', "x", []),
    ],
)
def test_what_is_read(source, text, entities):
    found_text, found = parse(source)
    assert found_text == text
    assert sorted((e["type"], e["offset"], e["length"]) for e in found) == entities


def test_links_times_and_languages_carry_their_values():
    _, found = parse(
        '<a href="https://dept.example?a=1&amp;b=2">x</a><a href="tg://user?id=1001">y</a>'
        '<tg-time unix="1700000000" format="r">z</tg-time><pre><code class="language-sh">w</code></pre>'
    )
    assert found == [
        {"offset": 0, "length": 1, "type": "text_link", "url": "https://dept.example?a=1&b=2"},
        {"offset": 1, "length": 1, "type": "text_mention", "user_id": 1001},
        {"offset": 2, "length": 1, "type": "date_time", "unix_time": 1700000000, "date_time_format": "r"},
        {"offset": 3, "length": 1, "type": "pre", "language": "sh"},
    ]


def test_trimming_moves_entities():
    assert trim(
        "  \n ab ", [{"type": "bold", "offset": 0, "length": 5}, {"type": "code", "offset": 0, "length": 3}]
    ) == (
        "ab",
        [{"type": "bold", "offset": 0, "length": 1}],
    )


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("ask @chen_dept now", ["@chen_dept"]),
        ("/status@pult_sim_bot api", ["/status@pult_sim_bot"]),
        ("see https://dept.example/a?b=1.", ["https://dept.example/a?b=1"]),
        ("go to evil.com/x", ["evil.com/x"]),
        ("mail ops@dept.example", ["ops@dept.example"]),
        ("path /var/log and a/b", []),
        ("half 1/2 #1", []),
        ("🎉 #sev1", ["#sev1"]),
    ],
)
def test_what_telegram_finds_by_itself(text, found):
    assert [part(text, entity) for entity in detect(text, [])] == found


def test_nothing_is_found_inside_code():
    text, entities = parse("<code>@chen_dept https://evil.com</code> @boris_dept")
    everything = detect(text, entities)
    assert mentions(text, everything) == ["@boris_dept"]
    assert links(text, everything) == []


def test_units_are_utf16():
    assert [units(text) for text in ("abc", "Жж", "🎉", "👩‍🚒")] == [3, 2, 2, 5]


CELL = "<table><tr>{}</tr></table>"


def check(rich):
    return read(Telegram(lambda: datetime(2026, 11, 24, tzinfo=UTC), random.Random(7)), Args({"rich_message": rich}))


@pytest.mark.parametrize(
    ("rich", "sentence"),
    [
        ({}, "Rich message must be non-empty"),
        ({"html": "<p> </p>"}, "Rich message must be non-empty"),
        ({"html": "x", "markdown": "y"}, "exactly one of html, markdown, blocks"),
        ({"html": CELL.format("<td></td>")}, "Table cell must be non-empty"),
        ({"html": CELL.format("<td><p>x</p></td>")}, "Block is not allowed"),
        ({"html": CELL.format("<td>x</td>" * 21)}, "RICH_VALIDATE_TABLE_COLUMNS_TOO_MANY"),
        ({"html": "<ul><li></li></ul>"}, "List item must be non-empty"),
        ({"html": "<p>x</p>" * 501}, "RICH_VALIDATE_BLOCKS_TOO_MANY"),
        ({"html": "x" * 32_769}, "RICH_VALIDATE_TEXT_TOO_LONG"),
        ({"html": "<b>" * 17 + "x" + "</b>" * 17}, "RICH_VALIDATE_DEPTH_TOO_BIG"),
        ({"html": "<marquee>x</marquee>"}, 'can\'t parse entities: Unsupported start tag "marquee"'),
        ({"html": "<p>x"}, "can't parse entities: Can't find end tag corresponding to start tag \"p\""),
        ({"blocks": [{"type": "paragraph", "text": "x"}] * 501}, "RICH_VALIDATE_BLOCKS_TOO_MANY"),
    ],
)
def test_rich_messages_have_their_own_limits(rich, sentence):
    with pytest.raises(TelegramError) as caught:
        check(rich)
    assert str(caught.value) == f"Bad Request: {sentence}"


def test_a_rich_message_is_read():
    html = "<h3>api</h3>" + CELL.format("<td>x</td>" * 20) + '<a href="https://dept.example">more</a>'
    text, entities = check({"html": html, "skip_entity_detection": True})
    assert text == "api" + "x" * 20 + "more"
    assert entities == ({"offset": 23, "length": 4, "type": "text_link", "url": "https://dept.example/"},)
