"""Whatever a message holds: Telegram takes it, within its limits, and nothing from outside comes alive in it."""

import random
import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.domain.messages import (
    Aside,
    Button,
    Collapsed,
    Confirm,
    Facts,
    Lines,
    Message,
    Paragraph,
    Preformatted,
    Progress,
    StepMark,
    Table,
    Tone,
)
from bot.domain.phrases import Code, English, Link, phrase, verbatim
from bot.platforms.telegram import limits
from bot.platforms.telegram.keyboard import BACK, Key, linkable, turned
from bot.platforms.telegram.layout import TONES
from bot.platforms.telegram.render import Rendered, brief, caption, render, whole
from bot.platforms.telegram.rich import PICTURE, rich
from bot.platforms.telegram.text import clean, clip, units
from bot.simulator.telegram import html, markup, sending
from bot.simulator.telegram.args import Args, File
from bot.simulator.telegram.department import chats
from bot.simulator.telegram.entities import detect
from bot.simulator.telegram.state import Telegram
from tests.platforms.telegram_pictures import png
from tests.strategies import SECRET_PARTS, SECRETS, messages, outside

patient = settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
FORMATS = {"bold", "italic", "code", "pre", "expandable_blockquote", "text_link", "date_time"}


def fitting(message: Message) -> Message:
    """A key that asks first has one byte less for its command."""
    return replace(message, buttons=tuple(replace(b, command=b.command[:63]) for b in message.buttons))


any_message = given(messages())


def looks(message: Message) -> tuple[str, list[dict[str, object]]]:
    """As Telegram shows it: the text, our marks and what it finds by itself."""
    text, entities = html.parse(render(fitting(message), English()).html)
    return text, detect(text, entities)


@patient
@any_message
def test_telegram_takes_it(message: Message) -> None:
    rendered = render(fitting(message), English())
    text, entities = html.parse(rendered.html)
    assert text.startswith(TONES[message.tone])
    assert units(text) <= limits.TEXT
    assert len(entities) <= limits.ENTITIES
    assert len(rendered.html.encode()) < 35_000
    assert detect(rendered.plain, []) == []
    assert units(rendered.plain) <= limits.TEXT


@patient
@any_message
def test_telegram_takes_it_under_a_picture(message: Message) -> None:
    """Posted as it is, whole or cut, as a photo's caption; refused markup has a bare form that fits too."""
    rendered = caption(fitting(message), English())
    if units(html.parse(rendered.html)[0]) <= limits.CAPTION:
        tg = telegram()
        given = {"chat_id": "1001", "caption": rendered.html, "parse_mode": "HTML", "reply_markup": wire(rendered)}
        sending.photo(tg, Args(given, {"photo": File("graph.png", png())}))
        assert [m.kind for m in tg.messages] == ["photo"]
    else:
        assert rendered.cut, "then it is no photo"
    assert units(rendered.plain) <= limits.CAPTION


@patient
@any_message
def test_telegram_takes_it_as_a_rich_message(message: Message) -> None:
    """All of it, or there is no rich form; and nothing in it but our own marks."""
    made = fitting(message)
    sheet = rich(made, English(), picture=True)
    if sheet is None:
        return
    pictured = PICTURE in sheet.html
    media = [{"id": PICTURE, "media": {"type": "photo", "media": "attach://file"}}] if pictured else []
    body = {"html": sheet.html, "skip_entity_detection": True, "media": media}
    rows = {"inline_keyboard": wire(render(made, English()))["inline_keyboard"] + [[{"text": "Plain", "disabled": {}}]]}
    tg = telegram()
    given = {"chat_id": "1001", "rich_message": body, "reply_markup": rows}
    sending.rich_message(tg, Args(given, {"file": File("graph.png", png())}))
    (posted,) = tg.messages
    assert posted.text.startswith(TONES[message.tone])
    assert {entity["type"] for entity in posted.now.entities} <= {"bold", "italic", "code", "pre", "text_link"}
    assert all(entity.get("url", "https://").startswith(("https://", "http://")) for entity in posted.now.entities)


def telegram() -> Telegram:
    return Telegram(lambda: datetime(2026, 11, 24, tzinfo=UTC), random.Random(7))


def wire(rendered: Rendered) -> dict[str, list[list[dict[str, str]]]]:
    return {
        "inline_keyboard": [
            [{"text": key.text, **({"callback_data": key.data} if key.data else {"url": key.url})} for key in row]
            for row in rendered.keyboard
        ]
    }


@patient
@any_message
def test_nothing_from_outside_comes_alive(message: Message) -> None:
    _, entities = looks(message)
    assert {entity["type"] for entity in entities} <= FORMATS
    assert all(str(entity["url"]).startswith(("https://", "http://")) for entity in entities if "url" in entity)


@patient
@any_message
def test_its_keys_are_taken(message: Message) -> None:
    markup.read(Args({"reply_markup": wire(render(fitting(message), English()))}), chats()[1001])


@patient
@any_message
def test_what_is_shown_has_no_control_characters(message: Message) -> None:
    text = render(fitting(message), English()).plain + brief(message, English()) + whole(message).decode()
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", text)


@pytest.mark.parametrize(("secret", "part"), list(zip(SECRETS, SECRET_PARTS, strict=True)))
def test_no_secret_is_shown(secret: str, part: str) -> None:
    said = verbatim(f"see {secret} here")
    blocks = (
        Paragraph(said), Aside(said), Facts(((said, said),)), Lines((said,)), Preformatted(f"x {secret}"),
        Table((said,) * 3, ((said,) * 3,)), Progress(((StepMark.DONE, said, said),)), Collapsed(said, (said,)),
        Paragraph(phrase("{c} {l}", c=Code(secret), l=Link("x", f"https://x.example/?q={secret}"))),
    )  # fmt: skip
    confirm = Confirm(said, said)
    message = Message(
        said, Tone.OK, blocks, (Button(said, "go", confirm=confirm), Button(said, url="http://x/")), secret
    )
    shown = render(message, English())
    keys = " ".join(key.text for row in shown.keyboard for key in row)
    everything = shown.html + shown.plain + keys + brief(message, English()) + whole(message).decode()
    assert part not in everything
    assert "•••" in everything


@patient
@given(outside, st.integers(0, 300))
def test_a_cut_text_keeps_its_beginning(text: str, room: int) -> None:
    text = clean(text)
    kept = clip(text, room)
    assert units(kept) <= room
    assert text == kept or text.startswith(kept.removesuffix("…"))


_data = st.sampled_from(("ack a", "?approve op-1", "?resume op-1 undo", "reject op-1"))
_keys = st.builds(Key, st.sampled_from(("Approve", "Confirm: x", "Back", "Откатить")), _data, style=st.just("success"))
_rows = st.lists(st.lists(_keys, min_size=1, max_size=3).map(tuple), min_size=1, max_size=4).map(tuple)


@patient
@given(_rows, st.data())
def test_asking_can_always_be_taken_back(rows: tuple[tuple[Key, ...], ...], data: st.DataObject) -> None:
    asks = [key for row in rows for key in row if key.data.startswith("?")]
    if not asks:
        assert turned(rows, "?nothing", English()) is None
        return
    key = data.draw(st.sampled_from(asks))
    asked = turned(rows, key.data, English())
    assert asked is not None
    back = next(each.data for row in asked for each in row if each.data.startswith(BACK))
    assert len(back.encode()) <= limits.CALLBACK_DATA
    assert any(each.data == key.data[1:] for row in asked for each in row)
    assert turned(asked, back, English()) == rows


@patient
@given(_rows, st.from_regex(r"[<?][0-9.]{0,12}", fullmatch=True))
def test_forged_steps_do_nothing(rows: tuple[tuple[Key, ...], ...], data: str) -> None:
    assert turned(rows, data, English()) in (None, rows)
    if data.startswith(BACK):
        forged = (*rows, (Key("x", "y"), Key("Back", data)))
        result = turned(forged, data, English())
        assert result is None or sum(map(len, result)) < sum(map(len, forged))


@patient
@given(outside)
def test_only_web_addresses_are_links(text: str) -> None:
    assert not linkable(text) or text.startswith(("https://", "http://"))
