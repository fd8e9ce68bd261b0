"""What holds a plan, who may override it, and who may go on alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest

from bot.domain.approvals import (
    Word,
    admit,
    consenting,
    decided,
    glass,
    holding,
    needed,
    overridden,
    spoken,
)
from bot.domain.codec import decode, encode
from bot.domain.errors import UserError
from bot.domain.operations import Operation, Verdict
from bot.domain.people import Person
from bot.domain.phrases import phrase
from bot.domain.plans import Hold
from bot.domain.policy import Rule
from tests.domain.builders import BORIS, CHEN, MINUTE, NOON, VERA, operation, plan

FREEZE, BUDGET = Hold("freeze", phrase("it is frozen")), Hold("budget", phrase("it is spent"))
LEADS = Rule(approvals=1, four_eyes=True, override=frozenset({"lead"}), break_glass="lead")
DORA = Person("dora", slack="U0DORA", roles=frozenset({"lead"}))
"""A lead who is no sre: may override, but not approve."""


def held(*holds: Hold, **changes: object) -> Operation:
    return operation(plan=plan(holds=holds, **changes))


def word(*overrides: str, why: str = "the outage", **changes: object) -> Word:
    return Word(Verdict.APPROVE, reason=why, overrides=overrides, **changes)  # type: ignore[arg-type]


def after(of: Operation, *said: tuple[Person, Word], rule: Rule = LEADS, at: datetime = NOON + MINUTE) -> Operation:
    """*of* once everybody has said their word, each admitted."""
    for person, each in said:
        admit(of, person, rule, each, at)
        of = replace(of, approvals=(*of.approvals, spoken(of, person, rule, each, "slack", at)))
    return of


def refusal(of: Operation, person: Person, said: Word, rule: Rule = LEADS) -> str:
    with pytest.raises(UserError) as raised:
        admit(of, person, rule, said, NOON + MINUTE)
    return str(raised.value)


def test_a_plain_yes_overrides_nothing_and_is_told_the_command() -> None:
    text = refusal(held(FREEZE, BUDGET), CHEN, word(why=""))
    assert "is held by freeze, budget" in text
    assert "approve op-41c9 --override freeze,budget <why>" in text


def test_an_override_takes_its_role() -> None:
    assert "takes the role lead" in refusal(held(FREEZE), BORIS, word("freeze"))
    assert "takes the role lead" in refusal(held(FREEZE), VERA, word("freeze"))
    assert "takes the role sre" in refusal(held(FREEZE), DORA, word("freeze"), Rule(four_eyes=True))


@pytest.mark.parametrize("why", ["", "   "])
def test_an_override_takes_a_reason(why: str) -> None:
    text = refusal(held(FREEZE), CHEN, word("freeze", why=why))
    assert "approve op-41c9 --override freeze <why>" in text


def test_no_button_overrides() -> None:
    assert "No button" in refusal(held(FREEZE), CHEN, word("freeze", pressed=True))
    assert "No button" in refusal(held(), CHEN, word(glass=True, pressed=True))


def test_what_does_not_hold_it_cannot_be_overridden() -> None:
    assert "not held by budget" in refusal(held(FREEZE), CHEN, word("budget"))
    assert "Nothing holds" in refusal(held(), CHEN, word("freeze"))


def test_four_eyes_look_at_overrides_too() -> None:
    own = replace(held(FREEZE), proposer="chen")
    assert "somebody else" in refusal(own, CHEN, word("freeze"))
    forged = replace(own, approvals=(spoken(own, CHEN, LEADS, word("freeze"), "slack", NOON),))
    assert holding(forged, LEADS) == (FREEZE,)
    assert not decided(forged, LEADS)
    one_pair = replace(LEADS, four_eyes=False)
    assert decided(after(own, (CHEN, word("freeze")), rule=one_pair), one_pair)


def test_every_hold_has_to_be_overridden() -> None:
    half = after(held(FREEZE, BUDGET), (CHEN, word("freeze")))
    assert holding(half, LEADS) == (BUDGET,)
    assert not decided(half, LEADS)
    assert "held by budget" in refusal(half, BORIS, word(why=""))
    whole = after(half, (CHEN, word("budget", why="it is spent already")))
    assert decided(whole, LEADS)
    assert consenting(whole, LEADS) == ("chen",), "one person counts once, however often they speak"
    assert {name: given.reason for name, given in overridden(whole, LEADS).items()} == {
        "freeze": "the outage", "budget": "it is spent already",
    }  # fmt: skip
    assert "already approved" in refusal(whole, CHEN, word("budget"))


def test_whoever_may_only_override_has_not_approved() -> None:
    opened = after(held(FREEZE), (DORA, word("freeze")))
    assert consenting(opened, LEADS) == ()
    assert not decided(opened, LEADS)
    assert "do not cover" in refusal(opened, DORA, word(why=""))
    assert decided(after(opened, (BORIS, word(why=""))), LEADS)


def test_an_override_is_of_one_plan_only() -> None:
    opened = after(held(FREEZE), (CHEN, word("freeze")))
    moved = replace(opened, plan=plan(holds=(FREEZE,), pins={"template": "t2"}))
    assert holding(moved, LEADS) == (FREEZE,)
    assert "another plan" in refusal(moved, CHEN, word("freeze", seen=opened.plan.hash[:8]))


def test_the_plan_may_ask_for_more_people_and_never_for_fewer() -> None:
    assert needed(held(approvals=3), LEADS) == 3
    assert needed(held(), LEADS) == 1
    assert needed(held(approvals=1), Rule(approvals=2)) == 2
    two = held(approvals=2)
    assert not decided(after(two, (BORIS, word(why=""))), LEADS)
    assert decided(after(two, (BORIS, word(why="")), (CHEN, word(why=""))), LEADS)


def test_what_needs_nobody_waits_all_the_same_while_it_is_held() -> None:
    free = Rule(approvals=0)
    assert decided(held(), free)
    assert not decided(held(FREEZE), free)
    assert decided(after(held(FREEZE), (BORIS, word("freeze")), rule=free), free)


def test_only_the_role_that_is_named_goes_on_alone() -> None:
    assert "Only the role lead" in refusal(held(), BORIS, word(glass=True))
    assert "Nobody may go on alone" in refusal(held(), CHEN, word(glass=True), Rule())
    assert "Nobody may go on alone" in refusal(held(), VERA, word(glass=True), Rule())
    assert "Say why" in refusal(held(), CHEN, word(why="", glass=True))


def test_going_on_alone_lacks_no_approval() -> None:
    many = held(approvals=3)
    alone = after(many, (CHEN, word(glass=True)))
    assert decided(alone, LEADS)
    assert (found := glass(alone)) is not None
    assert found.person == "chen"
    assert consenting(alone, LEADS) == ("chen",)


def test_the_proposer_may_go_on_alone_and_is_no_second_person_by_it() -> None:
    own = replace(held(), proposer="chen")
    alone = after(own, (CHEN, word(glass=True)))
    assert decided(alone, LEADS)
    assert consenting(alone, LEADS) == ()


def test_the_glass_is_no_override() -> None:
    text = refusal(held(FREEZE), CHEN, word(glass=True))
    assert "approve op-41c9 --break-glass --override freeze <why>" in text
    assert not decided(replace(held(FREEZE), approvals=(
        spoken(held(FREEZE), CHEN, LEADS, word(glass=True), "slack", NOON),
    )), LEADS)  # fmt: skip
    own = replace(held(FREEZE), proposer="chen")
    assert decided(after(own, (CHEN, word("freeze", glass=True))), LEADS)


def test_who_has_approved_may_go_on_alone_after_all() -> None:
    one = after(held(approvals=2), (CHEN, word(why="")))
    assert not decided(one, LEADS)
    alone = after(one, (CHEN, word(glass=True)))
    assert decided(alone, LEADS)
    assert "already approved" in refusal(alone, CHEN, word(glass=True))


def test_a_rejection_needs_no_override() -> None:
    admit(held(FREEZE), BORIS, LEADS, Word(Verdict.REJECT), NOON + MINUTE)
    assert "do not cover" in refusal(held(FREEZE), VERA, Word(Verdict.REJECT))


def test_what_was_said_is_kept_and_rows_of_before_can_be_read() -> None:
    opened = after(held(FREEZE), (DORA, word("freeze")))
    assert decode(encode(opened)) == opened
    plain = after(held(), (BORIS, word(why="")))
    assert not {"overrides", "glass", "counts"} & set(encode(plain.approvals[0]))  # type: ignore[arg-type]
