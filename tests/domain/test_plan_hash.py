"""A plan's hash: what an approval is bound to."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from datetime import timedelta
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.codec import decode, encode
from bot.domain.phrases import phrase
from bot.domain.plans import Hold, Plan, PlannedStep
from bot.domain.services import Environment
from bot.domain.targets import Hand, Target
from tests.domain.builders import plan

CHANGES = {
    "action": "rollback",
    "title": phrase("Promote {service} {version}", service="api", version="1.8.1"),
    "service": "web",
    "environment": "staging",
    "steps": plan().steps[:1],
    "params": {"digest": "sha256:13", "cluster": "nyc2"},
    "pins": {"template": "t2", "file": "f1"},
    "blast": (),
    "evidence": ((phrase("tests"), phrase("failed")),),
    "lock": "",
    "targets": (Target(Environment("staging", "nyc2", "staging", "deployment", "api"), Hand.PATCH, "i", "p", "t"),),
    "holds": (Hold("freeze", phrase("frozen")),),
    "approvals": 2,
    "because": (phrase("it is Friday"),),
    "brake": "fence",
    "harmless": True,
}


def test_it_is_sha256_in_hex() -> None:
    assert len(plan().hash) == 64
    assert int(plan().hash, 16)


def test_it_is_the_same_in_another_process() -> None:
    """A change of this value voids what waits for approval: bump it knowingly, as the hash is shown and audited."""
    assert plan(steps=(), title=phrase("x")).hash == "c9f10ff0a4a6b0d4d107d0477b3a8a2eb46f6775f379cac13544c96b9551b97f"


@pytest.mark.parametrize("field", [field.name for field in fields(Plan)])
def test_any_change_changes_it(field: str) -> None:
    assert plan(**{field: CHANGES[field]}).hash != plan().hash


@pytest.mark.parametrize(
    "change",
    [
        {"name": "else"},
        {"title": phrase("Set the image to {digest}", digest="sha256:12")},
        {"undo": None},
        {"skippable": True},
    ],
    ids=str,
)
def test_any_change_of_a_step_changes_it(change: dict[str, object]) -> None:
    first, second = plan().steps
    assert plan(steps=(replace(first, **change), second)).hash != plan().hash


def test_the_order_of_steps_counts() -> None:
    assert plan(steps=plan().steps[::-1]).hash != plan().hash


def test_the_order_of_params_pins_and_values_does_not() -> None:
    values = {"a": "1", "b": "2", "c": "3"}
    made = {
        plan(params=dict(order), pins=dict(order), title=phrase("{a} {b} {c}", **dict(order))).hash
        for order in permutations(values.items())
    }
    assert len(made) == 1


def test_a_key_is_not_mistaken_for_a_value() -> None:
    assert plan(params={"a": "b"}).hash != plan(params={"b": "a"}).hash
    assert plan(params={"a": "b", "c": "d"}).hash != plan(params={"a": "d", "c": "b"}).hash
    assert plan(params={}, pins={"a": "b"}).hash != plan(params={"a": "b"}, pins={}).hash


def test_it_survives_the_store() -> None:
    step = PlannedStep("watch", phrase("Watch for {time}", time=timedelta(minutes=10)))
    made = plan(steps=(step,))
    assert decode(json.loads(json.dumps(encode(made)))).hash == made.hash


@given(st.dictionaries(st.text(), st.text(), max_size=5), st.dictionaries(st.text(), st.text(), max_size=5))
def test_equal_hashes_are_equal_plans(one: dict[str, str], other: dict[str, str]) -> None:
    assert (plan(params=one).hash == plan(params=other).hash) == (one == other)
