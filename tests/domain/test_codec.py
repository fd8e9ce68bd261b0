"""What is stored is read back as it was, through real JSON."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import datetime, timedelta, timezone
from enum import Enum
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain import codec, events, messages, oncall, operations, plans, releases, requests, silences, storms, truth
from bot.domain.alerts import Ack, Alert
from bot.domain.cards import Place
from bot.domain.codec import decode, encode, stored
from bot.domain.messages import Progress, StepMark
from bot.domain.operations import Approval, StepReport
from bot.domain.phrases import Code, Link, Phrase, Quantity, Strong, phrase
from bot.domain.plans import Plan, PlannedStep
from tests.domain.builders import NOON, opened, operation, plan
from tests.domain.builders import alert as some_alert
from tests.strategies import blocks, buttons, moments, outside, phrases, tables
from tests.strategies import messages as any_message

MODULES = (events, messages, oncall, operations, plans, releases, requests, silences, storms, truth)
TYPES: dict[str, type[Any]] = {name: cls for name, cls in codec._types.items() if cls.__module__.startswith("bot.")}
texts = st.text(max_size=20)
mappings = st.dictionaries(texts, texts, max_size=3)
BY_ANNOTATION: dict[str, st.SearchStrategy[Any]] = {
    "str": texts,
    "str | Phrase": st.one_of(texts, phrases),
    "str | None": st.none() | texts,
    "int": st.integers(-(2**53), 2**53),
    "int | None": st.none() | st.integers(),
    "float": st.floats(),
    "bool": st.booleans(),
    "bool | None": st.none() | st.booleans(),
    "datetime": moments,
    "timedelta": st.timedeltas(timedelta(-9999), timedelta(9999)),
    "datetime | None": st.none() | moments,
    "Mapping[str, str]": mappings,
    "Mapping[str, datetime]": st.dictionaries(texts, moments, max_size=3),
    "tuple[str, str]": st.tuples(texts, texts),
    "Phrase": phrases,
    "Phrase | None": st.none() | phrases,
    "tuple[Phrase, ...]": st.lists(phrases, max_size=3).map(tuple),
    "tuple[tuple[Phrase, Phrase], ...]": st.lists(st.tuples(phrases, phrases), max_size=3).map(tuple),
    "Points": st.lists(st.tuples(moments, st.floats()), max_size=3).map(tuple),
    "tuple[datetime, Phrase]": st.tuples(moments, phrases),
    "Place": st.builds(Place, outside, texts, texts),
    "Block": blocks,
    "Button": buttons,
}


def of(cls: type[Any]) -> st.SearchStrategy[Any]:
    """Any value of a stored type, field by field; a new field with a new kind of annotation fails here by its name."""
    if cls.__name__ in OWN:
        return OWN[cls.__name__]
    if issubclass(cls, Enum):
        return st.sampled_from(cls)
    return st.builds(cls, **{field.name: by_annotation(str(field.type)) for field in fields(cls)})


def by_annotation(written: str) -> st.SearchStrategy[Any]:
    if written in BY_ANNOTATION:
        return BY_ANNOTATION[written]
    if written.endswith(" | None"):
        return st.none() | by_annotation(written.removesuffix(" | None"))
    if written.startswith("tuple[") and written.endswith(", ...]"):
        return st.lists(by_annotation(written[6:-6]), max_size=3).map(tuple)
    if written.startswith("tuple["):
        return st.tuples(*map(by_annotation, written[6:-1].split(", ")))
    if written.startswith("Mapping[str, "):
        return st.dictionaries(texts, by_annotation(written[13:-1]), max_size=3)
    return of(TYPES[written])


OWN: dict[str, st.SearchStrategy[Any]] = {
    "Phrase": phrases,
    "Message": any_message(),
    "Table": tables(),
    "Progress": st.lists(st.tuples(st.sampled_from(StepMark), phrases, st.none() | phrases)).map(
        lambda steps: Progress(tuple(steps))
    ),
}


def through_json(value: object) -> Any:
    return decode(json.loads(json.dumps(encode(value), allow_nan=False)))


@pytest.mark.parametrize("name", sorted(TYPES))
def test_every_stored_type_comes_back(name: str) -> None:
    @settings(max_examples=25, deadline=None)
    @given(of(TYPES[name]))
    def check(value: object) -> None:
        back = through_json(value)
        assert repr(back) == repr(value).replace(", fold=1", ""), "repr, since NaN equals nothing"
        assert type(back) is TYPES[name]

    check()


@pytest.mark.parametrize(
    "value", [plan(), operation(), opened(some_alert("a")), phrase("x")], ids=lambda v: type(v).__name__
)
def test_equal_and_not_only_alike(value: object) -> None:
    assert through_json(value) == value


@pytest.mark.parametrize("number", [float("inf"), float("-inf"), 0.0, -0.0, 1e300, 5e-324, 0.1])
def test_numbers_that_json_does_not_know(number: float) -> None:
    assert repr(through_json(Quantity(number, "x"))) == repr(Quantity(number, "x"))


@pytest.mark.parametrize("length", [timedelta(), timedelta(microseconds=1), timedelta(days=3_660, microseconds=-1)])
def test_lengths_of_time(length: timedelta) -> None:
    assert through_json(phrase("{a}", a=length)).values["a"] == length


def test_a_time_keeps_its_instant_and_its_offset() -> None:
    at = datetime(2026, 3, 1, 15, 0, 0, 1, tzinfo=timezone(timedelta(hours=3)))
    back = through_json(Ack("anna", at)).at
    assert back == at
    assert back.utcoffset() == at.utcoffset()


def test_the_kinds_of_value_stay_apart() -> None:
    values = {
        "text": "1", "whole": 1, "part": 1.0, "yes": True, "code": Code("1"), "strong": Strong("1"),
        "link": Link("1", "https://x.example"), "inner": phrase("{text}", text="{whole}"),
    }  # fmt: skip
    back = through_json(phrase("{text}", **values)).values
    assert {name: (type(value), value) for name, value in back.items()} == {
        name: (type(value), value) for name, value in values.items()
    }


def test_text_that_looks_like_the_codecs_own_is_text() -> None:
    odd = {"~": "Plan", "of": "map", '{"~": "at"}': "{}"}
    assert through_json(Alert("~", odd, odd, NOON)) == Alert("~", odd, odd, NOON)


def test_a_row_without_a_later_field_is_read() -> None:
    data = encode(StepReport("apply"))
    assert data == {"~": "StepReport", "name": "apply"}, "defaults are left out"
    assert decode(data) == StepReport("apply")


def test_an_unknown_type_is_refused() -> None:
    with pytest.raises(KeyError):
        decode({"~": "Plot"})


def test_a_field_that_is_gone_is_passed_over() -> None:
    """Rows written by an older pult stay readable."""
    assert decode({"~": "Code", "text": "x", "colour": "red"}) == Code("x")


def test_a_group_that_the_previous_version_stored_is_read() -> None:
    """As 0.1.0 wrote it: its silence was an id, and many fields were not there yet."""
    data = json.loads(
        """{"~":"Group","id":"a-7k2f","key":"{}:{}","source":"alertmanager",
        "labels":{"~":"map","of":[["alertname","HighErrors"]]},"alerts":{"~":"map","of":[["fp",{"~":"Alert",
        "fingerprint":"fp","labels":{"~":"map","of":[["alertname","HighErrors"]]},"annotations":{"~":"map","of":[]},
        "starts_at":{"~":"at","of":"2026-03-01T12:00:00+00:00"}}]]},
        "opened_at":{"~":"at","of":"2026-03-01T12:00:00+00:00"},"silence":"ead243b4-55bc-4571-8ad8-7d52f469021b",
        "ack":{"~":"Ack","person":"anna","at":{"~":"at","of":"2026-03-01T12:00:00+00:00"}},
        "seen":{"~":"map","of":[]}}"""
    )
    group = decode(data)
    assert group == replace(opened(Alert("fp", {"alertname": "HighErrors"}, {}, NOON)), id="a-7k2f", key="{}:{}",
                            receiver="", url="", ack=Ack("anna", NOON))  # fmt: skip
    assert (group.silenced, group.pages, group.history) == (None, False, ())
    assert through_json(group) == group


class Strange:
    """Never stored."""


@dataclass(frozen=True)
class Impostor:
    """Called like a stored type further down."""

    text: str


@pytest.mark.parametrize("value", [Strange(), b"bytes", {1, 2}, frozenset({"sre"}), object(), 1j])
def test_what_was_never_stored_is_refused(value: object) -> None:
    with pytest.raises(TypeError, match="not a stored type"):
        encode(value)


def test_two_types_of_one_name_are_refused() -> None:
    with pytest.raises(TypeError, match="two stored types"):
        stored(type("Plan", (), {}))
    impostor = type("Code", (Impostor,), {})
    with pytest.raises(TypeError, match="not a stored type"):
        encode(impostor("x"))
    stored(Plan, Code)


def test_what_stored_types_hold_is_stored_too() -> None:
    held = {PlannedStep, Approval, StepReport, Place, Alert, Ack, Phrase}
    assert held <= set(TYPES.values())
    assert all(is_dataclass(cls) or issubclass(cls, Enum) for cls in TYPES.values())
    assert len(MODULES) == 10
