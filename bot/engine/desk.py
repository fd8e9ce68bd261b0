"""The desk: where plans wait for people. Every change, refusal and approval is audited as it is made."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime
from functools import partial
from zoneinfo import ZoneInfo

from bot.domain.approvals import Word, admit, decided, environments, spoken
from bot.domain.audit import PULT, Deed, own
from bot.domain.cards import Place, subject
from bot.domain.conditions import FREEZE, Facts, demanded, imposed, told
from bot.domain.errors import UserError
from bot.domain.freezes import Freeze
from bot.domain.messages import Message
from bot.domain.operations import (
    STATE_WORDS,
    Choice,
    Operation,
    State,
    Verdict,
    present,
    stops,
)
from bot.domain.people import Directory
from bot.domain.phrases import Code, phrase
from bot.domain.plans import Plan
from bot.domain.policy import Policy, Rule
from bot.domain.redact import redact
from bot.engine.asking import Asking
from bot.engine.meters import Meters
from bot.engine.paperwork import deeds, drafted, idle
from bot.ports.clock import Clock
from bot.ports.commands import Call, Reply
from bot.ports.desk import Outcome
from bot.ports.flows import Turned
from bot.ports.store import Store, Tx


class Desk:
    """Proposals, approvals, rejections, cancellations, expiry. ``on_approved`` starts the running.

    ``platforms`` are those where people may be told in private; ``frozen`` tells what freezes a service at a time;
    ``turned`` is told of each turn of an operation, in the transaction that writes it.
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
        frozen: Callable[[Tx, str, datetime], Freeze | None] = lambda _tx, _service, _now: None,
        turned: Turned = lambda _tx, _operation, _now: None,
    ) -> None:
        self._store, self._clock, self._policy = store, clock, policy
        self._draw, self._meters, self._on_call, self._frozen = draw, meters, on_call, frozen
        self._turned = turned
        self._asking = Asking(directory, approvals_in, platforms)
        self.on_approved: Callable[[str], None] = lambda _: None
        self.on_choice: Callable[[Operation, Choice], None] = lambda _paused, _choice: None

    async def propose(self, call: Call, plan: Plan) -> Reply:
        """Make *plan* an operation and show its card everywhere it belongs (ruling 9)."""
        rule = self._policy.rule(plan.action)
        async with self._refusals(call, plan.action, plan.lock or plan.service):
            self._allow(call, plan)
            operation = await self._store.write(lambda tx: self._proposed(tx, call, plan, rule))
        if operation.state is State.APPROVED:
            self.on_approved(operation.id)
        return Reply(self._draw(operation, rule), operation.id, public=True)

    async def volunteer(
        self, plan: Plan, chat: str, claim: Callable[[Tx, Operation], bool], *, alone: bool = False
    ) -> Operation | None:
        """Make *plan*, which pult proposes, an operation, if *claim* says so in the same transaction.

        Pult is nobody, so that one more person has to agree; *alone*: none, unless something holds it.
        """
        self._covered(plan)
        operation = await self._store.write(lambda tx: self._volunteered(tx, plan, chat, claim, alone=alone))
        if operation is not None and operation.state is State.APPROVED:
            self.on_approved(operation.id)
        return operation

    async def press(self, call: Call, ident: str, word: Word) -> Outcome:
        """One person's word on one plan. A refused one changes nothing and is audited."""
        async with self._refusals(call, word.verdict, ident):
            outcome = await self._store.write(lambda tx: self._pressed(tx, call, ident, word))
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
        self.on_choice(operation, choice)
        return operation

    async def expire(self) -> None:
        """Turn what waited too long into expired (called regularly)."""
        now = self._clock.now()
        live = await self._store.read(lambda tx: tx.live_operations())
        for operation in live:
            if now >= operation.expires_at and idle(operation, live):
                await self._store.write(partial(self._expired, ident=operation.id, now=now))

    async def refused(self, person: str, platform: str, action: str, text: str) -> None:
        """Put a refusal into the audit chain."""
        denied = Deed(self._clock.now(), person, platform, action, redact(text)[:200], "denied")  # a cut secret hides
        await self._store.write(lambda tx: tx.append(denied))

    @asynccontextmanager
    async def _refusals(self, call: Call, action: str, target: str) -> AsyncGenerator[None]:
        """Put what is refused inside into the audit chain, in a transaction of its own: the refused one is gone."""
        try:
            yield
        except UserError as refusal:
            refused = call.deed(action, target, "refused", str(refusal))
            await self._store.write(lambda tx: tx.append(refused))
            raise

    def _allow(self, call: Call, plan: Plan) -> None:
        if not self._policy.allows(call.who, plan.action):
            raise UserError("Your roles do not cover {action}.", action=Code(plan.action))
        self._covered(plan)

    def _proposed(self, tx: Tx, call: Call, plan: Plan, rule: Rule) -> Operation:
        plan = self._judged(tx, plan, rule, call.now)
        operation = drafted(tx, plan, call.who.name, call.request.place, call.now, call.now + rule.expires)
        operation = operation.moved(State.APPROVED if decided(operation, rule) else State.WAITING)
        self._enter(tx, operation, rule, self._on_call(tx, call.now))
        tx.append(call.deed(plan.action, operation.id, "proposed", plan.hash))
        return operation

    def _volunteered(
        self, tx: Tx, plan: Plan, chat: str, claim: Callable[[Tx, Operation], bool], *, alone: bool
    ) -> Operation | None:
        now, rule = self._clock.now(), self._policy.rule(plan.action)
        plan = self._judged(tx, plan, rule, now)
        alone = alone and not plan.holds
        if not alone:
            count = max(1, max(rule.approvals, plan.approvals) + rule.four_eyes)
            why = phrase("pult proposes it, and pult is nobody")
            plan = replace(plan, brake="", approvals=count, because=(*plan.because, why))
        operation = drafted(tx, plan, PULT, Place(chat), now, now + rule.expires)
        operation = operation.moved(State.APPROVED if alone else State.WAITING)
        if not claim(tx, operation):
            return None
        on_call = self._on_call(tx, now)
        self._enter(tx, operation, rule, on_call)
        if alone:
            self._asking.goes_on(tx, operation, rule, on_call)
        tx.append(own(now, plan.action, operation.id, "goes on alone" if alone else "proposed", plan.hash))
        return operation

    def _enter(self, tx: Tx, operation: Operation, rule: Rule, on_call: frozenset[str]) -> None:
        """Save a new one, and ask for what it waits for."""
        now = operation.created_at
        tx.save_operation(operation)
        self._turned(tx, operation, now)
        for wish in self._asking.wishes(operation, rule, on_call):
            tx.show(wish, now)

    def _judged(self, tx: Tx, plan: Plan, rule: Rule, now: datetime) -> Plan:
        """*plan* under what the clock asks of it. Whoever planned it has judged what takes more than a look at that."""
        freeze = self._frozen(tx, plan.service, now)
        local = now.astimezone(ZoneInfo(self._policy.zone))
        for environment in sorted(environments(plan)):
            plan = imposed(plan, demanded(rule.plain, Facts(local, environment, {}, freeze=freeze)))
        return plan

    def _pressed(self, tx: Tx, call: Call, ident: str, word: Word) -> Outcome:
        operation = present(tx.operation(ident), ident)
        rule = self._policy.rule(operation.plan.action)
        try:
            self._admit(tx, operation, call, rule, word)
        except UserError as refusal:
            tx.append(call.deed(word.verdict, ident, "refused", str(refusal)))
            return Outcome(operation, refusal)
        given = spoken(operation, call.who, rule, word, call.request.platform, call.now)
        operation = replace(operation, approvals=(*operation.approvals, given))
        if word.verdict is Verdict.REJECT:
            operation = replace(operation.moved(State.REJECTED), ended_at=call.now)
        elif decided(operation, rule):
            operation = operation.moved(State.APPROVED)
        self._save(tx, operation, call.now)
        for done in deeds(call, operation, given):
            tx.append(done)
        if given.glass:
            self._asking.alarm(tx, operation, rule, given, self._on_call(tx, call.now))
        return Outcome(operation)

    def _admit(self, tx: Tx, operation: Operation, call: Call, rule: Rule, word: Word) -> None:
        plan = operation.plan
        self._covered(plan)
        admit(operation, call.who, rule, word, call.now)
        if word.verdict is Verdict.APPROVE and rule.freezes and all(hold.name != FREEZE for hold in plan.holds):
            freeze = self._frozen(tx, plan.service, call.now)
            if freeze is not None:  # it began while the plan waited
                raise UserError("{why}. Propose it again: it then says so.", why=told(freeze))

    def _covered(self, plan: Plan) -> None:
        for environment in sorted(environments(plan)):
            if not self._policy.covers(plan.action, environment):
                raise UserError(
                    "The policy does not allow {action} in {env}.", action=Code(plan.action), env=environment
                )

    def _cancelled(self, tx: Tx, call: Call, ident: str) -> Operation:
        operation = present(tx.operation(ident), ident)
        if operation.stoppable:
            tx.put_mark(stops(ident), call.who.name)
            tx.append(call.deed("cancel", ident, "stops", operation.plan.brake))
            return operation
        if operation.state not in {State.WAITING, State.APPROVED}:
            raise UserError(
                "{id} can't be cancelled: it is {state}.", id=Code(ident), state=STATE_WORDS[operation.state]
            )
        ended = replace(operation.moved(State.CANCELLED), ended_at=call.now)
        self._save(tx, ended, call.now)
        tx.append(call.deed("cancel", ident, "cancelled"))
        return ended

    def _chosen(self, tx: Tx, call: Call, ident: str, choice: Choice) -> Operation:
        operation = present(tx.operation(ident), ident)
        if not self._policy.allows(call.who, operation.plan.action, operation.plan.environment):
            raise UserError("Your roles do not cover {action}.", action=Code(operation.plan.action))
        if operation.state is not State.PAUSED:
            raise UserError("{id} is not paused.", id=Code(ident))
        if choice not in operation.choices:
            offered = ", ".join(operation.choices)
            raise UserError("{id} offers only: {choices}.", id=Code(ident), choices=offered)
        tx.append(call.deed("resume", ident, str(choice)))
        return operation

    def _expired(self, tx: Tx, ident: str, now: datetime) -> None:
        operation = present(tx.operation(ident), ident)
        if idle(operation, tx.live_operations()):
            self._save(tx, replace(operation.moved(State.EXPIRED), ended_at=now), now)
            tx.append(own(now, "expire", ident, "expired"))

    def _save(self, tx: Tx, operation: Operation, now: datetime) -> None:
        tx.save_operation(operation)
        self._turned(tx, operation, now)
        tx.bump(subject("op", operation.id), now)
        tx.bump(subject("ask", operation.id), now)
        if operation.final:
            self._meters.operation.labels(operation.plan.action, str(operation.state)).inc()
