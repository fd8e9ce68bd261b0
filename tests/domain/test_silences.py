"""Matchers, as Alertmanager reads and applies them."""

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.errors import UserError
from bot.domain.redact import MASK
from bot.domain.silences import Matching, Silence, equals, matching, written
from tests.domain.builders import MINUTE, NOON
from tests.strategies import outside

texts = st.one_of(outside, st.text(max_size=20))


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("service=api", Matching("service", "api")),
        ("service!=api", Matching("service", "api", equal=False)),
        ("pod=~web-.*", Matching("pod", "web-.*", regex=True)),
        ("pod!~web-[0-9]{2}", Matching("pod", "web-[0-9]{2}", regex=True, equal=False)),
        ('service="api"', Matching("service", "api")),
        ('  service = "two words"  ', Matching("service", "two words")),
        (r'path="C:\\a\"b\"\n"', Matching("path", 'C:\\a"b"\n')),
        (r'pod=~"web-\d+"', Matching("pod", r"web-\d+", regex=True)),
        ('"my label"=x', Matching("my label", "x")),
        ("регион=Москва", Matching("регион", "Москва")),
        ("service=", Matching("service", "")),
        ('service=""', Matching("service", "")),
        ("a==b", Matching("a", "=b")),
        ("a!=~b", Matching("a", "~b", equal=False)),
        ('a="~b"', Matching("a", "~b")),
        ("url=http://x/?a=b", Matching("url", "http://x/?a=b")),
        ('a="', Matching("a", '"')),
    ],
)
def test_matchers_are_read(text: str, read: Matching) -> None:
    assert matching(text) == read


@pytest.mark.parametrize("text", ["", "a-7k2f", "1h", "deploying", "=x", "~x", "!", "two words=x", '{a="b"}', "a,b=c"])
def test_what_is_no_matcher_is_none(text: str) -> None:
    assert matching(text) is None


@pytest.mark.parametrize("text", ["pod=~(", "pod!~[a", 'pod=~"*"'])
def test_what_is_no_expression_is_refused(text: str) -> None:
    with pytest.raises(UserError, match="not a regular expression"):
        matching(text)


@given(st.builds(Matching, texts.filter(bool), texts, equal=st.booleans()))
def test_what_is_written_is_read_back(one: Matching) -> None:
    said = one.written()
    if MASK not in said:
        assert matching(said) == one


@given(st.text(min_size=1, max_size=20), texts.map(re.escape), st.booleans())
def test_an_expression_that_is_written_is_read_back(label: str, value: str, equal: bool) -> None:
    one = Matching(label, value, regex=True, equal=equal)
    if MASK not in one.written():
        assert matching(one.written()) == one


@given(texts)
def test_any_text_is_a_matcher_or_none_or_refused(text: str) -> None:
    try:
        read = matching(text)
    except UserError:
        return
    assert read is None or read.label


def test_a_secret_is_masked_and_still_matched() -> None:
    one = Matching("api_token", "hunter2hunter2")
    assert one.written() == f"api_token={MASK}"
    assert one.accepts({"api_token": "hunter2hunter2"})
    assert written([one, Matching("service", "api")]) == f"api_token={MASK}, service=api"


@pytest.mark.parametrize(
    ("text", "labels", "held"),
    [
        ("service=api", {"service": "api"}, True),
        ("service=api", {"service": "api2"}, False),
        ("service=", {}, True),
        ("service!=api", {}, True),
        ("service=~", {}, True),
        ("service=~.+", {}, False),
        ("service!~.+", {}, True),
        ("service=~api", {"service": "api2"}, False),
        ("service=~api|web", {"service": "web"}, True),
        ("service=~api|web", {"service": "apiweb"}, False),
        ("service=~.*", {"service": "line\nline"}, False),
        ("service=~(?s).*", {"service": "line\nline"}, True),
        ("service=~API", {"service": "api"}, False),
        ("service=~(?i)API", {"service": "api"}, True),
        ("service=~x$", {"service": "x\n"}, False),
    ],
)
def test_a_missing_label_is_empty_and_expressions_are_anchored(text: str, labels: dict[str, str], held: bool) -> None:
    found = matching(text)
    assert found is not None
    assert found.accepts(labels) is held


@pytest.mark.parametrize("equal", [True, False])
def test_an_expression_of_another_dialect_accepts_nothing(equal: bool) -> None:
    assert not Matching("service", r"\pL+", regex=True, equal=equal).accepts({"service": "api"})


@given(st.dictionaries(st.text(max_size=5), texts, min_size=1, max_size=4), st.data())
def test_a_silence_of_its_labels_mutes_an_alert_and_no_other(labels: dict[str, str], data: st.DataObject) -> None:
    silence = Silence("s1", equals(labels), "anna", "", NOON, NOON + MINUTE)
    assert silence.mutes({**labels, "more": "x"} if "more" not in labels else labels)
    name = data.draw(st.sampled_from(sorted(labels)))
    assert not silence.mutes({**labels, name: labels[name] + "x"})


def test_a_silence_without_matchers_mutes_nothing() -> None:
    assert not replace(Silence("s1", (), "anna", "", NOON, NOON), matchers=()).mutes({"service": "api"})
