"""Approvals: whose word counts on a plan, what holds it, and when it may go on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from bot.domain.errors import UserError
from bot.domain.operations import STATE_WORDS, Approval, Operation, State, Verdict
from bot.domain.people import Person
from bot.domain.phrases import Code
from bot.domain.plans import Hold, Plan
from bot.domain.policy import Rule


@dataclass(frozen=True)
class Word:
    """What one person says to one plan.

    ``seen``: the beginning of the plan's hash that the button carried, or that was typed. ``overrides``: names of
    holds. ``glass``: they go on alone, without the approvals that are missing. ``pressed``: a button, nothing typed.
    """

    verdict: Verdict
    seen: str = ""
    reason: str = ""
    overrides: tuple[str, ...] = ()
    glass: bool = False
    pressed: bool = False

    @property
    def grave(self) -> bool:
        """Whether it sets aside what the policy asks for: it takes typed words and a reason."""
        return self.glass or bool(self.overrides)


def needed(operation: Operation, rule: Rule) -> int:
    """How many people have to approve: as the rule says, or more where the facts asked for more."""
    return max(rule.approvals, operation.plan.approvals)


def consenting(operation: Operation, rule: Rule) -> tuple[str, ...]:
    """Names of the distinct people whose approval counts for this very plan, the first first."""
    own = _barred(operation, rule)
    return tuple(dict.fromkeys(given.person for given in _valid(operation) if given.counts and given.person != own))


def overridden(operation: Operation, rule: Rule) -> Mapping[str, Approval]:
    """The word that overrode each hold, by the hold's name. The proposer's own counts as an approval of theirs would.

    Whoever breaks the glass goes on alone, so that four eyes ask nothing of their overrides.
    """
    own = _barred(operation, rule)
    found: dict[str, Approval] = {}
    for given in _valid(operation):
        for name in given.overrides if given.glass or given.person != own else ():
            found.setdefault(name, given)
    return found


def holding(operation: Operation, rule: Rule) -> tuple[Hold, ...]:
    """The holds that nobody has overridden yet."""
    done = overridden(operation, rule)
    return tuple(hold for hold in operation.plan.holds if hold.name not in done)


def glass(operation: Operation) -> Approval | None:
    """The word of whoever goes on alone."""
    return next((given for given in _valid(operation) if given.glass), None)


def decided(operation: Operation, rule: Rule) -> bool:
    """Whether it may go on: nothing holds it, and enough people said yes, or one goes on alone."""
    enough = len(consenting(operation, rule)) >= needed(operation, rule)
    return not holding(operation, rule) and (enough or glass(operation) is not None)


def environments(plan: Plan) -> frozenset[str]:
    """Every environment that *plan* changes."""
    return frozenset({plan.environment, *(target.environment.name for target in plan.targets)})


def contends(one: Plan, other: Plan) -> bool:
    """Whether the two may not change the world at the same time."""
    return bool(_locks(one) & _locks(other))


def gives_way(waiting: Plan, other: Plan) -> bool:
    """Whether *waiting*, which nobody began, is no reason to refuse *other*: the way back is never barred by a plan."""
    return other.action == "rollback" and waiting.action != "rollback"


def _locks(plan: Plan) -> frozenset[str]:
    """The plan's own, and one for each environment that it changes on the way."""
    more = (f"{plan.service} in {target.environment.name}" for target in plan.targets)
    return frozenset({plan.lock, *more} - {""})


def admit(operation: Operation, person: Person, rule: Rule, word: Word, now: datetime) -> None:
    """Raise UserError, with the reason a person can read, unless this person's word may count now."""
    _in_time(operation, word, now)
    _entitled(operation, person, rule, word)
    if word.verdict is Verdict.REJECT:
        return
    if word.grave:
        _serious(operation, word)
    if rule.four_eyes and person.name == operation.proposer and not word.glass:
        raise UserError("You proposed {id}: somebody else has to approve it.", id=Code(operation.id))
    _news(operation, person, word)
    _unheld(operation, rule, word)


def spoken(operation: Operation, person: Person, rule: Rule, word: Word, platform: str, now: datetime) -> Approval:
    """*word*, admitted, as it is kept. Who may only override a hold, or break the glass, has not approved by it."""
    counts = word.verdict is Verdict.APPROVE and bool(person.roles & rule.roles)
    return Approval(
        operation.id, person.name, word.verdict, operation.plan.hash, platform, now, word.reason,
        overrides=word.overrides, glass=word.glass, counts=counts,
    )  # fmt: skip


def _barred(operation: Operation, rule: Rule) -> str:
    """Whose own word does not count, empty: everybody's does."""
    return operation.proposer if rule.four_eyes else ""


def _valid(operation: Operation) -> Iterable[Approval]:
    seen = operation.plan.hash
    return (each for each in operation.approvals if each.verdict is Verdict.APPROVE and each.plan_hash == seen)


def _in_time(operation: Operation, word: Word, now: datetime) -> None:
    ident = Code(operation.id)
    if operation.state is not State.WAITING:
        raise UserError(
            "{id} is not waiting for approval: it is {state}.", id=ident, state=STATE_WORDS[operation.state]
        )
    if now >= operation.expires_at:
        raise UserError("{id} has expired. Propose it again.", id=ident)
    if word.seen and not operation.plan.hash.startswith(word.seen):
        raise UserError("That button belongs to another plan. Look at the card of {id} again.", id=ident)


def _entitled(operation: Operation, person: Person, rule: Rule, word: Word) -> None:
    action = Code(operation.plan.action)
    if word.glass and rule.break_glass not in person.roles:
        if not rule.break_glass:
            raise UserError("Nobody may go on alone with {action}.", action=action)
        raise UserError("Only the role {role} may go on alone with {action}.", role=rule.break_glass, action=action)
    if word.overrides and not person.roles & rule.overriders:
        roles = ", ".join(sorted(rule.overriders))
        raise UserError("Overriding a hold of {action} takes the role {roles}.", action=action, roles=roles)
    if not word.grave and not person.roles & rule.roles:
        raise UserError("Your roles do not cover {action}.", action=action)


def _serious(operation: Operation, word: Word) -> None:
    """Nobody sets the policy aside by the way: not with a button, not without saying why, not what isn't there."""
    ident, there = Code(operation.id), [hold.name for hold in operation.plan.holds]
    unknown = [name for name in word.overrides if name not in there]
    if unknown:
        names, held = Code(", ".join(unknown)[:40]), ", ".join(there)
        if not there:
            raise UserError("Nothing holds {id}, so {names} can't be overridden.", id=ident, names=names)
        raise UserError("{id} is not held by {names}, but by: {held}.", id=ident, names=names, held=held)
    if word.pressed:
        raise UserError("No button does that. Type it, with your reason.")
    if not word.reason.strip():
        raise UserError("Say why, at the end: {command}", command=Code(written(operation, word)))


def _news(operation: Operation, person: Person, word: Word) -> None:
    """One person counts once; they may still override what they have not, or go on alone after all."""
    own = [given for given in _valid(operation) if given.person == person.name]
    said = {name for given in own for name in given.overrides}
    more = bool(set(word.overrides) - said) or (word.glass and not any(given.glass for given in own))
    if own and not more:
        raise UserError("You have already approved {id}; one person counts once.", id=Code(operation.id))


def _unheld(operation: Operation, rule: Rule, word: Word) -> None:
    """A plain yes is no override; who goes on alone has to say of everything that they mean it."""
    left = [hold.name for hold in holding(operation, rule) if hold.name not in word.overrides]
    if left and (word.glass or not word.overrides):
        whole = Word(word.verdict, overrides=tuple(left), glass=word.glass)
        raise UserError(
            "{id} is held by {holds}. Whoever overrides that says so, and why: {command}",
            id=Code(operation.id), holds=", ".join(left), command=Code(written(operation, whole)),
        )  # fmt: skip


def written(operation: Operation, word: Word) -> str:
    """The command that says *word*."""
    flags = ["--break-glass"] * word.glass
    if word.overrides:
        flags.append(f"--override {','.join(word.overrides)}")
    return " ".join(["approve", operation.id, *flags, "<why>"])
