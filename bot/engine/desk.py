"""The desk: where plans wait for people. Every change, refusal and approval is audited as it is made."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime

from bot.domain.audit import Deed
from bot.domain.cards import Place, Priority, Wish, subject
from bot.domain.errors import UserError
from bot.domain.ids import OPERATION, short
from bot.domain.messages import Message
from bot.domain.operations import (
    STATE_WORDS,
    Approval,
    Choice,
    Operation,
    State,
    StepReport,
    Verdict,
    admit,
    consenting,
)
from bot.domain.people import Directory, Person
from bot.domain.phrases import Code
from bot.domain.plans import Plan
from bot.domain.policy import Policy, Rule
from bot.domain.redact import redact
from bot.engine.meters import Meters
from bot.ports.clock import Clock
from bot.ports.commands import Call, Reply
from bot.ports.desk import Outcome
from bot.ports.store import Store, Tx

FEW = 3
"""As many may approve: then those on call are enough to ask (ruling 35)."""


class Desk:
    """Proposals, approvals, rejections, cancellations, expiry. ``on_approved`` starts the running.

    ``platforms`` are those where people may be told in private.
    """

    def __init__(  # noqa: PLR0913 - the collaborators of one rule set
        self,
        store: Store,
        clock: Clock,
        *,
        directory: Directory,
        policy: Policy,
        draw: Callable[[Operation, Rule], Message],
        approvals_in: Iterable[str],
        platforms: Iterable[str],
        meters: Meters,
        on_call: Callable[[Tx, datetime], frozenset[str]] = lambda _tx, _now: frozenset(),
    ) -> None:
        self._store, self._clock, self._directory, self._policy = store, clock, directory, policy
        self._draw, self._approvals_in, self._meters = draw, tuple(approvals_in), meters
        self._platforms, self._on_call = tuple(platforms), on_call
        self.on_approved: Callable[[str], None] = lambda _: None
        self.on_choice: Callable[[str, Choice], None] = lambda _ident, _choice: None

    async def propose(self, call: Call, plan: Plan) -> Reply:
        """Make *plan* an operation and show its card everywhere it belongs (ruling 9)."""
        rule = self._policy.rule(plan.action)
        async with self._refusals(call, plan.action, plan.lock or plan.service):
            self._allow(call, plan)
            operation = await self._store.write(lambda tx: self._proposed(tx, call, plan, rule))
        if operation.state is State.APPROVED:
            self.on_approved(operation.id)
        return Reply(self._draw(operation, rule), operation.id, public=True)

    async def press(self, call: Call, ident: str, verdict: Verdict, seen_hash: str, reason: str) -> Outcome:
        """One person's approval or rejection of one plan. A refused press changes nothing and is audited."""
        async with self._refusals(call, verdict, ident):
            outcome = await self._store.write(lambda tx: self._pressed(tx, call, ident, verdict, seen_hash, reason))
        if outcome.operation.state is State.APPROVED and outcome.refusal is None:
            self.on_approved(ident)
        return outcome

    async def cancel(self, call: Call, ident: str) -> Operation:
        """Stop an operation that has not begun. UserError: it is running (pause first) or over."""
        async with self._refusals(call, "cancel", ident):
            return await self._store.write(lambda tx: self._cancelled(tx, call, ident))

    async def choose(self, call: Call, ident: str, choice: Choice) -> Operation:
        """Tell a paused operation how to go on. UserError: it isn't paused, or the choice isn't safe."""
        async with self._refusals(call, "resume", ident):
            operation = await self._store.write(lambda tx: self._chosen(tx, call, ident, choice))
        self.on_choice(ident, choice)
        return operation

    async def expire(self) -> None:
        """Turn what waited too long into expired (called regularly)."""
        now = self._clock.now()
        live = await self._store.read(lambda tx: tx.live_operations())
        for operation in live:
            if operation.state is State.WAITING and now >= operation.expires_at:
                await self._store.write(lambda tx, ident=operation.id: self._expired(tx, ident, now))  # type: ignore[misc]

    async def refused(self, person: str, platform: str, action: str, text: str) -> None:
        """Put a refusal into the audit chain."""
        deed = Deed(self._clock.now(), person, platform, action, redact(text)[:200], "denied")  # a cut secret hides
        await self._store.write(lambda tx: tx.append(deed))

    @asynccontextmanager
    async def _refusals(self, call: Call, action: str, target: str) -> AsyncGenerator[None]:
        """Put what is refused inside into the audit chain, in a transaction of its own: the refused one is gone."""
        try:
            yield
        except UserError as refusal:
            deed = _deed(call, action, target, "refused", str(refusal))
            await self._store.write(lambda tx: tx.append(deed))
            raise

    def _allow(self, call: Call, plan: Plan) -> None:
        if not self._policy.allows(call.who, plan.action, plan.environment):
            raise UserError(
                "Your roles do not cover {env} for {action}.", env=plan.environment, action=Code(plan.action)
            )

    def _proposed(self, tx: Tx, call: Call, plan: Plan, rule: Rule) -> Operation:
        for other in tx.live_operations():
            if plan.lock and other.plan.lock == plan.lock:
                raise UserError(
                    "{id} is already under way for {target}. Wait for it, or {cancel} it.",
                    id=Code(other.id), target=plan.lock, cancel=Code(f"cancel {other.id}"),
                )  # fmt: skip
        operation = Operation(
            _free_id(tx, plan, call.now), plan, call.who.name, State.PROPOSED, call.now, call.now + rule.expires,
            call.request.place, steps=tuple(StepReport(step.name) for step in plan.steps),
        ).moved(State.WAITING if rule.approvals else State.APPROVED)  # fmt: skip
        tx.save_operation(operation)
        for wish in self._wishes(operation, rule, self._on_call(tx, call.now)):
            tx.show(wish, call.now)
        tx.append(_deed(call, plan.action, operation.id, "proposed", plan.hash))
        return operation

    def _wishes(self, operation: Operation, rule: Rule, on_call: frozenset[str]) -> Iterable[Wish]:
        what = subject("op", operation.id)
        yield Wish(what, operation.asked_in, Priority.OPERATION)
        for destination in self._approvals_in:
            yield Wish(what, Place(destination), Priority.OPERATION)
        if rule.approvals:
            for person in self._asked(operation, rule, on_call):
                yield from self._private_cards(subject("ask", operation.id), person)

    def _asked(self, operation: Operation, rule: Rule, on_call: frozenset[str]) -> Iterable[Person]:
        """Who gets a card of their own: those who may approve and are on call, or all when few may (ruling 35)."""
        able = [
            person
            for person in self._directory.holding(rule.roles)
            if not (rule.four_eyes and person.name == operation.proposer)
        ]
        here = [person for person in able if person.name in on_call]
        return here if here and len(able) >= FEW else able

    def _private_cards(self, what: str, person: Person) -> Iterable[Wish]:
        for platform in self._platforms:
            if account := person.account(platform):
                place = Place(f"{platform}:{account}", locale=person.locale, zone=person.zone)
                yield Wish(what, place, Priority.OPERATION)

    def _pressed(
        self, tx: Tx, call: Call, ident: str, verdict: Verdict, seen_hash: str, reason: str
    ) -> Outcome:  # fmt: skip
        operation = _known(tx, ident)
        rule = self._policy.rule(operation.plan.action)
        try:
            self._admit(operation, call, rule, verdict, seen_hash)
        except UserError as refusal:
            tx.append(_deed(call, verdict, ident, "refused", str(refusal)))
            return Outcome(operation, refusal)
        given = Approval(
            ident, call.who.name, verdict, operation.plan.hash, call.request.platform, call.now, reason
        )  # fmt: skip
        operation = replace(operation, approvals=(*operation.approvals, given))
        if verdict is Verdict.REJECT:
            operation = replace(operation.moved(State.REJECTED), ended_at=call.now)
        elif len(consenting(operation, rule)) >= rule.approvals:
            operation = operation.moved(State.APPROVED)
        self._save(tx, operation, call.now)
        tx.append(_deed(call, verdict, ident, str(operation.state), operation.plan.hash))
        return Outcome(operation)

    def _admit(self, operation: Operation, call: Call, rule: Rule, verdict: Verdict, seen_hash: str) -> None:
        if not self._policy.allows(call.who, operation.plan.action, operation.plan.environment):
            raise UserError("Your roles do not cover {action}.", action=Code(operation.plan.action))
        lenient = replace(rule, four_eyes=False) if verdict is Verdict.REJECT else rule
        admit(operation, call.who, lenient, seen_hash, call.now)

    def _cancelled(self, tx: Tx, call: Call, ident: str) -> Operation:
        operation = _known(tx, ident)
        if operation.state not in {State.WAITING, State.APPROVED}:
            raise UserError(
                "{id} can't be cancelled: it is {state}.", id=Code(ident), state=STATE_WORDS[operation.state]
            )
        self._save(tx, replace(operation.moved(State.CANCELLED), ended_at=call.now), call.now)
        tx.append(_deed(call, "cancel", ident, "cancelled"))
        return operation

    def _chosen(self, tx: Tx, call: Call, ident: str, choice: Choice) -> Operation:
        operation = _known(tx, ident)
        if not self._policy.allows(call.who, operation.plan.action, operation.plan.environment):
            raise UserError("Your roles do not cover {action}.", action=Code(operation.plan.action))
        if operation.state is not State.PAUSED:
            raise UserError("{id} is not paused.", id=Code(ident))
        if choice not in operation.choices:
            offered = ", ".join(operation.choices)
            raise UserError("{id} offers only: {choices}.", id=Code(ident), choices=offered)
        tx.append(_deed(call, "resume", ident, str(choice)))
        return operation

    def _expired(self, tx: Tx, ident: str, now: datetime) -> None:
        operation = _known(tx, ident)
        if operation.state is State.WAITING:
            self._save(tx, replace(operation.moved(State.EXPIRED), ended_at=now), now)
            tx.append(Deed(now, "pult", "", "expire", ident, "expired"))

    def _save(self, tx: Tx, operation: Operation, now: datetime) -> None:
        tx.save_operation(operation)
        tx.bump(subject("op", operation.id), now)
        tx.bump(subject("ask", operation.id), now)
        if operation.final:
            self._meters.operation.labels(operation.plan.action, str(operation.state)).inc()


def _known(tx: Tx, ident: str) -> Operation:
    operation = tx.operation(ident)
    if operation is None:
        raise UserError("There is no operation {id}. {ops} lists them.", id=Code(ident), ops=Code("ops"))
    return operation


def _free_id(tx: Tx, plan: Plan, now: datetime) -> str:
    length = 4
    while tx.operation(ident := short(OPERATION, f"{plan.hash} {now.isoformat()}", length)):
        length += 1
    return ident


def _deed(call: Call, action: str, target: str, result: str, detail: str = "") -> Deed:
    return Deed(call.now, call.who.name, call.request.platform, str(action), target, result, detail)
