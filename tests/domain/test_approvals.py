"""Whose word counts on a plan, and what an operation can become."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import product

import pytest

from bot.domain.approvals import Word, admit, consenting, contends
from bot.domain.errors import UserError
from bot.domain.operations import (
    FINAL,
    MOVES,
    STATE_WORDS,
    State,
    StepReport,
    Verdict,
)
from bot.domain.people import Directory, Person
from bot.domain.phrases import phrase
from bot.domain.policy import AT_ONCE, DEFAULTS, ONE_PRESS, Condition, More, Policy, Rule, too_few, vacant
from bot.domain.services import Environment
from bot.domain.targets import Hand, Target
from tests.domain.builders import ANNA, BORIS, CHEN, MINUTE, NOON, SECOND, VERA, approval, operation, plan

TWO = Rule(approvals=2, four_eyes=True)
WAITING = operation()
SEEN = WAITING.plan.hash[:8]


def refusal(person: Person, rule: Rule = TWO, of=WAITING, seen: str = SEEN, after: timedelta = MINUTE) -> str:
    with pytest.raises(UserError) as raised:
        admit(of, person, rule, Word(Verdict.APPROVE, seen), NOON + after)
    return str(raised.value)


def test_another_person_may_approve() -> None:
    admit(WAITING, BORIS, TWO, Word(Verdict.APPROVE, SEEN), NOON + MINUTE)
    admit(WAITING, BORIS, TWO, Word(Verdict.APPROVE, ""), NOON + MINUTE)
    admit(WAITING, BORIS, TWO, Word(Verdict.APPROVE, WAITING.plan.hash), NOON + MINUTE)


def test_the_proposer_may_not_under_four_eyes() -> None:
    assert "somebody else" in refusal(ANNA)
    admit(WAITING, ANNA, Rule(approvals=1), Word(Verdict.APPROVE, SEEN), NOON + MINUTE)


def test_one_person_counts_once_whatever_the_platform() -> None:
    once = replace(WAITING, approvals=(approval("boris", WAITING, platform="slack"),))
    assert "already approved" in refusal(BORIS, of=once)
    admit(once, CHEN, TWO, Word(Verdict.APPROVE, SEEN), NOON + MINUTE)


def test_a_slack_and_a_telegram_account_are_one_person() -> None:
    people = Directory([ANNA, BORIS])
    assert people.find("slack", "U0BORIS") is people.find("telegram", "1002") is people.find("console", "boris")
    assert people.find("slack", "1002") is None
    assert people.find("telegram", "") is None
    assert people.find("mail", "boris") is None


def test_the_hash_on_the_button_has_to_be_this_plans() -> None:
    other = plan(pins={"template": "t2", "file": "f1"})
    assert other.hash[:8] != SEEN
    assert "another plan" in refusal(BORIS, seen=other.hash[:8])
    assert "another plan" in refusal(BORIS, seen=SEEN + "x")
    assert "another plan" in refusal(BORIS, seen=SEEN.upper() if SEEN.upper() != SEEN else "zz")


def test_it_expires_on_the_second() -> None:
    admit(WAITING, BORIS, TWO, Word(Verdict.APPROVE, SEEN), WAITING.expires_at - SECOND)
    assert "expired" in refusal(BORIS, after=timedelta(minutes=30))


@pytest.mark.parametrize("state", [state for state in State if state is not State.WAITING])
def test_only_what_waits_can_be_approved(state: State) -> None:
    text = refusal(BORIS, of=replace(WAITING, state=state))
    assert STATE_WORDS[state].plain() in text


def test_consent_is_distinct_people_on_this_very_plan() -> None:
    given = (
        approval("boris", WAITING),
        approval("boris", WAITING, platform="telegram"),
        approval("anna", WAITING),
        approval("chen", WAITING, Verdict.REJECT),
        replace(approval("chen", WAITING), plan_hash=plan(lock="else").hash),
    )
    every = replace(WAITING, approvals=given)
    assert consenting(every, TWO) == ("boris",)
    assert consenting(every, Rule(approvals=2)) == ("boris", "anna")


def test_consent_dies_with_the_plan_it_was_given_to() -> None:
    approved = replace(WAITING, approvals=(approval("boris", WAITING),))
    assert consenting(replace(approved, plan=plan(pins={"template": "t2"})), TWO) == ()


@pytest.mark.parametrize(("before", "after"), list(product(State, State)))
def test_every_move_is_allowed_or_refused(before: State, after: State) -> None:
    here = operation(before)
    if after in MOVES.get(before, ()):
        assert here.moved(after) == replace(here, state=after)
    else:
        with pytest.raises(ValueError, match="can't become"):
            here.moved(after)


def test_the_moves_are_those_of_the_interface() -> None:
    """interface.md, section 5: proposed → waiting → approved → running → (paused) → an end."""
    s = State
    assert set(MOVES) == set(State) - FINAL, "what is final never moves"
    assert s.RUNNING not in MOVES[s.WAITING] | MOVES[s.PROPOSED], "nothing runs without approval"
    assert s.SUCCEEDED not in MOVES[s.PAUSED] | MOVES[s.APPROVED] | MOVES[s.WAITING], "only what ran succeeds"
    assert all(s.PROPOSED not in after for after in MOVES.values())
    assert {state for state in State if s.APPROVED in MOVES.get(state, ())} == {s.PROPOSED, s.WAITING}


def reachable(start: State) -> set[State]:
    found, todo = {start}, [start]
    while todo:
        new = set(MOVES.get(todo.pop(), ())) - found
        found |= new
        todo += new
    return found


def test_every_state_is_reached_and_every_live_one_can_end() -> None:
    assert reachable(State.PROPOSED) == set(State)
    assert all(reachable(state) & FINAL for state in State)


def test_plans_contend_for_every_environment_they_change() -> None:
    production = Environment("production", "nyc2", "production", "deployment", "api")
    staging = Environment("staging", "nyc2", "staging", "deployment", "api")
    image = "registry.example/dept/api@sha256:" + "1" * 64
    both = plan(targets=(Target(staging, Hand.PATCH, image, "", "t"), Target(production, Hand.PATCH, image, "", "t")))
    assert contends(both, plan(lock="api in staging"))
    assert contends(plan(lock="api in staging"), both)
    assert contends(both, plan())
    assert not contends(both, plan(lock="bots in staging"))
    assert not contends(plan(lock=""), plan(lock=""))


def test_every_state_has_words() -> None:
    assert set(STATE_WORDS) == set(State)
    assert len({words.text for words in STATE_WORDS.values()}) == len(State)


def test_a_report_replaces_its_own_step_only() -> None:
    report = StepReport("apply", said=phrase("done"))
    reported = operation().reported(report)
    assert reported.steps == (report, StepReport("rollout"))
    assert reported.report("apply") == report
    assert reported.report("undo apply") is None
    back = StepReport("undo apply", title=phrase("Put it back"))
    assert reported.reported(back).steps == (*reported.steps, back), "a step on the way back comes last"


def test_default_rules() -> None:
    """Rulings 4, 25 and 28."""
    policy = Policy()
    at_once = ["ack", "silence", "unsilence", "oncall", "page", "sync", "freeze", "unfreeze", "cancel"]
    once = ["restart", "scale", "undo", "promote", "rollback", "rightsize", "drill", "failover", "cordon", "drain"]
    assert {action: policy.rule(action).approvals for action in at_once} == dict.fromkeys(at_once, 0)
    assert {action: policy.rule(action).approvals for action in once} == dict.fromkeys(once, 1)
    assert {action for action in DEFAULTS if policy.rule(action).four_eyes} == {"promote", "failover"}
    assert all(rule.roles == {"sre"} for rule in DEFAULTS.values())
    assert set(AT_ONCE).isdisjoint(ONE_PRESS)


def test_who_may() -> None:
    policy = Policy({"promote": Rule(roles=frozenset({"lead"}), environments=frozenset({"production"}))})
    assert not policy.allows(ANNA, "promote", "production")
    assert policy.allows(CHEN, "promote", "production")
    assert policy.allows(CHEN, "promote")
    assert not policy.allows(CHEN, "promote", "staging")
    assert policy.allows(ANNA, "restart", "staging")
    assert not policy.allows(VERA, "restart")
    assert not policy.allows(VERA, "ack")


def test_a_policy_that_nobody_could_satisfy_is_found() -> None:
    people = Directory([ANNA, BORIS, CHEN, VERA])
    assert list(too_few(Policy(), people)) == []
    assert list(too_few(Policy(), Directory([ANNA]))) == [("promote", 1, 0), ("failover", 1, 0)]
    friday = More(Condition(weekdays=frozenset({4})), 3, "it is Friday")
    strict = Policy({"promote": Rule(four_eyes=True, more=(friday,)), "restart": Rule(approvals=3)})
    assert list(too_few(strict, people)) == [("promote", 3, 2)]
    nobody = [action for action, _, able in too_few(Policy(), Directory([VERA])) if able == 0]
    assert set(nobody) == set(DEFAULTS) - set(AT_ONCE)


def test_a_role_for_emergencies_that_nobody_has_is_found() -> None:
    rules = {"promote": Rule(break_glass="laed", override=frozenset({"lead", "boss"})), "restart": Rule()}
    assert list(vacant(Policy(rules), Directory([ANNA, CHEN]))) == [("promote", "boss"), ("promote", "laed")]


def test_a_rule_of_zero_approvals_is_not_mistaken_for_none() -> None:
    assert Policy({"promote": Rule(approvals=0)}).rule("promote").approvals == 0


def test_an_action_that_does_not_exist_is_a_programming_error() -> None:
    with pytest.raises(KeyError):
        Policy().rule("dance")
