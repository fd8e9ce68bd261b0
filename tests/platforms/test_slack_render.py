"""What Slack is sent: readable examples, and everything that must hold for any message at all."""

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

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
    Style,
    Table,
    Tone,
)
from bot.domain.phrases import Code, English, Link, Phrase, Quantity, Strong, phrase, verbatim
from bot.platforms.slack import limits
from bot.platforms.slack.render import forms, render
from bot.platforms.slack.richer import RICH
from bot.platforms.slack.texts import address, clean, cut, cut_lines, inert, size, tame
from bot.simulator.slack.mentions import links, mentions
from bot.simulator.slack.rules import check_message, text_sum, walk
from tests.strategies import NASTY, SECRET_PARTS, SECRETS, messages, outside

EXPECTED = Path(__file__).parent / "expected" / "slack"
AT = datetime(2026, 11, 24, 3, 12, 5, tzinfo=UTC)
WORDS = English()

ALERT = Message(
    phrase("{name} · {service}", name="HighErrorRate", service="api"),
    Tone.CRITICAL,
    (
        Paragraph(verbatim("More than 5 % of requests to api fail & users see <errors>.")),
        Facts(
            (
                (phrase("Severity"), phrase("{level}", level=Strong(phrase("critical")))),
                (phrase("Since"), phrase("{at}", at=AT)),
                (phrase("Region"), verbatim("nyc2")),
                (phrase("Value now"), phrase("{value}", value=Quantity(8.04, "%"))),
                (phrase("Held by"), phrase("{person} since {at}", person="anna", at=AT + timedelta(minutes=2))),
            )
        ),
        Lines((verbatim("pod=api-7f9c8: 12 restarts"), verbatim("pod=api-x2x2x: *not* bold, @here")), more=3),
        Paragraph(
            phrase(
                "{a} · {b}",
                a=Link(phrase("Runbook"), "https://runbooks.example/api?x=1&y=2"),
                b=Link("Evil", "javascript:alert(1)"),
            )
        ),
        Aside(phrase("{id} · fired before as {previous}", id=Code("a-7k2f"), previous=Code("a-3b3b"))),
    ),
    (
        Button(phrase("Ack"), "ack a-7k2f", style=Style.PRIMARY),
        Button(phrase("Silence 1 h"), "silence a-7k2f 1h"),
        Button(phrase("Dashboard"), url="https://grafana.example/d/api"),
    ),
    whole="everything\nat length",
)

OPERATION = Message(
    phrase("{title}: {state}", title="Promote api 1.8.0 to production", state=phrase("waiting for approval")),
    Tone.WARNING,
    (
        Facts(((phrase("Service"), verbatim("kube_api_*")), (phrase("Proposed by"), verbatim("anna")))),
        Progress(
            (
                (StepMark.DONE, phrase("Check the image"), phrase("sha256:12 ({took})", took=timedelta(seconds=2))),
                (StepMark.RUNNING, phrase("Roll out in {cluster}", cluster=Code("nyc2")), phrase("3 of 4 pods")),
                (StepMark.PENDING, phrase("Verify"), None),
                (StepMark.FAILED, phrase("Tell"), phrase("no answer")),
                (StepMark.SKIPPED, phrase("Celebrate"), None),
            )
        ),
        Table(
            (phrase("Evidence"), phrase("Says")),
            ((phrase("Tests"), verbatim("412 passed")), (phrase("Trivy"), verbatim("0 critical, 2 high"))),
        ),
        Collapsed(phrase("Blast radius"), (verbatim("4 pods"), verbatim("12 req/s"))),
        Aside(phrase("{id} · plan {hash}", id=Code("op-41c9"), hash=Code("0123abcd"))),
    ),
    (
        Button(
            phrase("Approve"), "approve op-41c9 0123abcd", style=Style.PRIMARY,
            confirm=Confirm(phrase("Approve?"), phrase("It starts at once.")),
        ),
        Button(phrase("Reject"), "reject op-41c9 0123abcd", style=Style.DANGER),
    ),
)  # fmt: skip

LOGS = Message(
    phrase("Logs of {service}", service="api"),
    Tone.INFO,
    (
        Paragraph(phrase("{n} lines since {at}.", n=120, at=AT)),
        Preformatted("\n".join(f"03:1{n % 10} GET /v1/items?token=abcdef123456 {n}" for n in range(120))),
        Table(
            tuple(verbatim(f"a rather long heading {n}") for n in range(4)),
            (tuple(verbatim(f"cell {n}") for n in range(4)),),
        ),
    ),
    whole="x",
)


def pretty(message):
    drawn = render(message, WORDS)
    return (
        f"{drawn.text}\n\n--- shortened: {drawn.shortened}\n{json.dumps(drawn.blocks, indent=1, ensure_ascii=False)}\n"
    )


@pytest.mark.parametrize(("name", "message"), [("alert", ALERT), ("operation", OPERATION), ("logs", LOGS)])
def test_the_card_looks_as_agreed(name, message):
    path = EXPECTED / f"{name}.txt"
    assert pretty(message) == path.read_text(encoding="utf-8")


def marked_up(blocks):
    return [found["text"] for found in walk(blocks) if found.get("type") == "mrkdwn"]


def own_links(message):
    """Addresses the message itself carries as links."""
    seen, waiting = set(), [message]
    while waiting:
        match waiting.pop():
            case Link(text, url):
                seen.add(address(url))
                waiting.append(text)
            case Button(label, url=url) as button:
                seen.add(address(url))
                waiting += [label, button.confirm]
            case tuple() as many:
                waiting += many
            case Phrase(values=values):
                waiting += values.values()
            case other if hasattr(other, "__dataclass_fields__"):
                waiting += vars(other).values()
    return seen


TOKENS = r"<!date\^\d+\^\{date_short_pretty\} \{time\}\|[^<>|]*>|<https?://[^<>|]+\|[^<>|]*>"


def cells(blocks):
    """Characters in tables: the simulator keeps a sum of their own for them, the renderer counts them in."""
    return sum(
        len(found["text"])
        for block in blocks
        if block["type"] == "data_table"
        for found in walk(block["rows"])
        if isinstance(found.get("text"), str)
    )


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(messages(), st.sets(st.sampled_from(sorted(RICH))))
def test_no_message_exceeds_a_limit_or_lets_outside_text_act(message, allowed):
    drawn = forms(message, WORDS, frozenset(allowed))
    assert drawn.rich is None or drawn.rich.rich <= allowed
    for form in filter(None, (drawn.rich, drawn.classic)):
        assert_harmless(message, form)


def assert_harmless(message, drawn):
    sent = json.dumps([drawn.text, drawn.blocks], ensure_ascii=False)
    sent.encode()
    check_message(drawn.blocks, lambda _: True)
    assert drawn.blocks[0]["type"] == "header"
    assert len(drawn.blocks) <= limits.BLOCKS
    assert text_sum(drawn.blocks) + cells(drawn.blocks) <= limits.BLOCKS_TEXT
    assert 0 < len(drawn.text.encode("utf-16-le")) // 2 <= limits.TEXT
    assert mentions(drawn.text, drawn.blocks, link_names=True) == []
    assert {url for url, _ in links(drawn.text, drawn.blocks)} <= own_links(message)
    rest = re.sub(TOKENS, "¤", drawn.text)
    assert not re.search(r"[<>*~`]|://|@\w|:[\w+'-]+:|(?m:^&gt;)", rest)
    assert not re.search(r"\b_\w|\w_\b|[^\w]_", rest)
    for text in marked_up(drawn.blocks):
        bare = re.sub(r"`[^`\n]+`|\*[^*\n]+\*", "", re.sub(TOKENS, "¤", text))
        assert not re.search(r"[<>*~`]|://|@|:[\w+'-]+:", bare)
    assert not [part for part in SECRET_PARTS if part in sent]
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", sent.replace("\\n", ""))


@settings(max_examples=60, deadline=None)
@given(messages())
def test_the_first_buttons_say_what_the_card_means(message):
    elements = [e for block in render(message, WORDS).blocks if block["type"] == "actions" for e in block["elements"]]
    offered = [(e.get("value", ""), e.get("url", "")) for e in elements]
    usable = [(b.command, "" if b.command else address(b.url)) for b in message.buttons if b.command or address(b.url)]
    assert offered == usable[: len(offered)]
    assert len({e["action_id"] for e in elements}) == len(elements)
    assert offered or not usable


def test_the_small_print_stays_when_the_card_is_too_long():
    parts = [Preformatted("x" * 90)] * 2 + [Preformatted("y" * 2_900)] * 6
    drawn = render(Message(phrase("t"), blocks=(*parts, Aside(phrase("{id}", id=Code("op-41c9"))))), WORDS)
    assert drawn.shortened
    assert "`op-41c9`" in marked_up(drawn.blocks)
    assert drawn.blocks[-1] == {
        "type": "context",
        "elements": [{"type": "plain_text", "text": "… and 2 more", "emoji": False}],
    }


@pytest.mark.parametrize("whole", ["", "all of it"])
def test_what_the_sender_left_out_is_attached_when_there_is_a_whole(whole):
    drawn = render(Message(phrase("t"), blocks=(Lines((verbatim("a"),), more=490),), whole=whole), WORDS)
    assert drawn.shortened
    assert ("The attached file has all of it." in json.dumps(drawn.blocks)) == bool(whole)
    assert "… and 490 more" in json.dumps(drawn.blocks, ensure_ascii=False)


def test_a_short_message_is_not_shortened():
    assert not render(OPERATION, WORDS).shortened


def test_a_button_whose_command_holds_a_secret_is_not_offered():
    drawn = render(Message(phrase("t"), buttons=(Button(phrase("x"), "say token=abcdefgh"),)), WORDS)
    assert [block["type"] for block in drawn.blocks] == ["header"]
    assert "abcdefgh" not in drawn.text


@settings(deadline=None)
@given(outside, st.integers(1, 200))
def test_a_cut_text_fits_and_says_so(text, most):
    short = cut(text, most)
    assert size(short) <= most
    assert short == text or short.endswith("…")


@settings(deadline=None)
@given(outside, st.integers(1, 200), st.integers(1, 9))
def test_lines_are_cut_whole_and_counted(text, most, lines):
    kept, left_out = cut_lines(text, most, lines)
    assert size(kept) <= most
    assert kept.count("\n") + 1 + left_out == text.strip("\n").count("\n") + 1


@settings(deadline=None)
@given(outside)
def test_cleaning_twice_changes_nothing(text):
    assert clean(clean(text)) == clean(text)


@pytest.mark.parametrize("text", ["api", "1.8.0", "kube_pod_name", "anna, boris", "4 of 5", "8.04 %", "R&D", "a < b"])
def test_plain_names_are_tame(text):
    assert tame(text)
    assert inert(text).replace("&amp;", "&").replace("&lt;", "<") == text


@pytest.mark.parametrize("text", [text for text in NASTY[:9] if text])
def test_nasty_texts_are_not_tame(text):
    assert not tame(text) or "&" in text


@pytest.mark.parametrize(
    ("url", "sent"),
    [
        ("https://a.example/x?y=1&z=[2]", "https://a.example/x?y=1&z=[2]"),
        ('https://a.example/<b>|"c" d', "https://a.example/%3Cb%3E%7C%22c%22%20d"),
        ("https://a.example/%20", "https://a.example/%20"),
        ("https://пример.example/", ""),
        ("https://user:password@a.example/", ""),
        ("https://", ""),
        ("https://[", ""),
        ("https://a.example/" + "p" * 3_000, ""),
    ],
)
def test_an_address_slack_would_refuse_is_no_link(url, sent):
    assert address(url) == sent


@pytest.mark.parametrize("secret", SECRETS)
def test_secrets_are_masked_in_logs(secret):
    sent = json.dumps(render(Message(phrase("t"), blocks=(Preformatted(f"x {secret}\n"),)), WORDS).blocks)
    assert not [part for part in SECRET_PARTS if part in sent]


@pytest.mark.parametrize("ident", ["a`*b*`c", "*b*", ":fire:", "@here", "> q", "_i_", "https://evil.example"])
def test_what_slack_would_parse_is_never_put_into_mrkdwn(ident):
    for said in (phrase("{id} of api", id=Code(ident)), phrase("{text} of api", text=ident)):
        drawn = render(Message(phrase("t"), blocks=(Aside(said), Facts(((phrase("Id"), said),)))), WORDS)
        assert marked_up(drawn.blocks) == []
        assert json.dumps(drawn.blocks).count(ident) == 2


@pytest.mark.parametrize(
    ("first", "second"), [("x:fi", "re:"), (":", "https:"), ("https:", "//evil.example"), ("@", "here")]
)
def test_what_neighbours_put_together_is_inert_in_the_spoken_text(first, second):
    pair = phrase("{a}{b}", a=first, b=second)
    blocks = (
        Paragraph(pair),
        Facts(((verbatim(first), pair), (phrase("{a}:fire", a="x"), verbatim("y")))),
        Table((verbatim("x:fire"),), ((pair,),)),
        Progress(((StepMark.DONE, verbatim("x"), pair),)),
    )
    text = render(Message(phrase("t"), blocks=blocks), WORDS).text
    assert not re.search(r":[\w+'-]+:|://|@\w", text)


def test_an_emoji_code_put_together_by_neighbours_is_seen():
    said = phrase("{a}{b}", a=":fi", b="re:")
    assert marked_up(render(Message(phrase("t"), blocks=(Aside(said),)), WORDS).blocks) == []
