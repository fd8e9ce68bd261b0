"""What runs an approved plan durably: the one workflow, its steps, its pauses. Together with the journal it knows DBOS.

A step may run again after a crash, so every step looks before it acts. What people see (the operation's row and card)
is written inside the journaled steps, so it never runs ahead. Loading this takes half a second and 60 MB: it is only
imported once there is an operation to run.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import uuid4

from dbos import DBOS, SetWorkflowID

from bot.domain.codec import decode, encode
from bot.domain.errors import BadVersionError, PultError, UntouchedError, UserError, told
from bot.domain.messages import StepMark
from bot.domain.operations import Choice, Operation, State, StepReport
from bot.domain.phrases import Code, Phrase, phrase
from bot.domain.plans import Plan
from bot.engine import journal
from bot.engine.ledger import Ledger
from bot.ports.clock import Clock
from bot.ports.flows import Did, Flow, Say, Work

log = logging.getLogger(__name__)

PATIENCE = 7 * 24 * 3600.0
"""Seconds a paused operation waits for a person before it gives up."""
TOPIC = "choice"
WORKFLOW = "operation.1"
"""A change of its steps' order takes a new name, so that what is under way ends by the old one."""


class AbortedError(PultError):
    """The operation ended at a failed step. ``undo``: what was done is to be undone; ``why``, where nobody chose it."""

    def __init__(self, *, undo: bool, why: Phrase | None = None) -> None:
        super().__init__("undo" if undo else "abort")
        self.undo, self.why = undo, why


class Runner:
    """Runs flows, journals their steps, pauses at failures."""

    def __init__(self, ledger: Ledger, clock: Clock, flows: Mapping[str, Flow]) -> None:
        self.ledger, self._clock, self._flows = ledger, clock, flows
        self._workflow: Any = None

    def launch(self, place: journal.Place, boot: str) -> None:
        """Open DBOS. Call it on the event loop: workflows run there."""
        journal.open_dbos(place, boot)

        async def execute(ident: str) -> None:  # a plain function: DBOS marks what it registers
            await self._execute(ident)

        self._workflow = DBOS.workflow(name=WORKFLOW)(execute)
        DBOS.launch()

    def close(self) -> None:
        """Stop; what is running stays in the journal and is resumed by the next launch."""
        journal.close_dbos()

    async def recover(self, alive: Callable[[], Awaitable[frozenset[str]]]) -> None:
        """Resume what processes left that are not *alive*, which is asked last: who runs anything has come before."""
        runners = await journal.pending(WORKFLOW)
        if dead := frozenset(runners.values()) - await alive():
            log.info("resuming", extra={"operations": [i for i, boot in runners.items() if boot in dead]})
            await asyncio.to_thread(journal.recover, dead)

    async def start(self, ident: str) -> None:
        """Run the approved operation *ident*; a second start of the same does nothing."""
        with SetWorkflowID(ident):
            await DBOS.start_workflow_async(self._workflow, ident)

    async def choose(self, paused: Operation, choice: Choice) -> None:
        """Hand a person's choice to the operation, for the pause that they saw."""
        await DBOS.send_async(paused.id, str(choice), _topic(paused.pauses))

    def undoable(self, plan: Plan) -> bool:
        """Whether the flow of *plan* knows how to undo it."""
        flow = self._flows[plan.action]
        return flow.undo is not None and flow.undoes(plan)

    def no_return(self, action: str) -> frozenset[str]:
        """Steps that nothing is undone after, once one of them has begun."""
        return self._flows[action].no_return

    async def _execute(self, ident: str) -> None:
        """The workflow: deterministic, all effects inside journaled steps."""
        operation = decode(await DBOS.run_step_async({"name": "begin"}, self.ledger.begin, ident))
        if operation.final:  # cancelled, or void, between its approval and its start
            return
        flow = self._flows[operation.plan.action]
        run = Execution(self, operation)
        try:
            state, said = State.SUCCEEDED, await self._verified(flow, run)
        except AbortedError as ended:
            state, said = await self._abandoned(flow, run, ended)
        except UserError as refused:
            state, said = State.FAILED, refused.phrase
        await DBOS.run_step_async({"name": "end"}, self.ledger.end, ident, str(state), encode(said))

    async def _verified(self, flow: Flow, run: Execution) -> Phrase:
        drift = await DBOS.run_step_async({"name": "check"}, self._check, flow.action, encode(run.plan))
        if drift is not None:
            raise UserError("Nothing was changed: the world is no longer as it was planned. {why}", why=decode(drift))
        return await flow.run(run)

    async def _abandoned(self, flow: Flow, run: Execution, ended: AbortedError) -> tuple[State, Phrase]:
        if not ended.undo or flow.undo is None:
            return State.FAILED, phrase("Ended at a failed step by a person. What was done before it stays done.")
        why = encode(ended.why) if ended.why else None
        began = await DBOS.run_step_async({"name": "undo"}, self.ledger.turn_back, run.operation, why)
        run.undoing = True
        try:
            said = await flow.undo(run)
        except AbortedError:
            return State.FAILED, phrase("Ended on the way back by a person. Look at every step: some are not undone.")
        except UserError as error:
            return State.FAILED, phrase("Undoing failed, look at it yourself: {why}", why=error.phrase)
        ended_at = await DBOS.run_step_async({"name": "undone"}, self._now)
        length = datetime.fromisoformat(ended_at) - datetime.fromisoformat(began)
        return State.UNDONE, phrase("{said} The way back took {length}.", said=said, length=length)

    async def _now(self) -> str:
        return self._clock.now().isoformat()

    async def _check(self, action: str, plan: Any) -> Any:  # noqa: ANN401 - JSON in, JSON out
        try:
            await self._flows[action].check(decode(plan))
        except UserError as error:
            return encode(error.phrase)
        except (PultError, TimeoutError, OSError) as error:
            log.warning("plan could not be checked", extra={"action": action, "error": str(error)})
            return encode(told(error))
        except Exception:  # else it would be under way for ever, and hold up all that comes after it
            ref = uuid4().hex[:8]
            log.exception("check broke", extra={"ref": ref, "action": action})
            return encode(_broken(ref))
        return None

    async def attempt(self, ident: str, name: str, work: Work, title: Any) -> Any:  # noqa: ANN401 - JSON in, JSON out
        """Run one step's work once: an ``Attempt``, since a failure is a result, and journaled too."""
        since = await self.ledger.started(ident, name)
        report = StepReport(name, StepMark.RUNNING, None, since, title=decode(title))
        await self.ledger.report(ident, report)
        done = await _attempted(ident, name, work, _Saying(self.ledger, ident, report, since))
        await self.ledger.report(
            ident,
            replace(
                report, mark=StepMark.DONE if done.ok else StepMark.FAILED, said=done.said, ended_at=self._clock.now(),
                value=done.value, bad=done.bad,
            ),
        )  # fmt: skip
        return {
            "ok": done.ok, "said": encode(done.said), "value": done.value, "bad": done.bad, "at_once": done.at_once,
            "untouched": done.untouched,
        }  # fmt: skip


@dataclass(frozen=True)
class _Saying:
    ledger: Ledger
    ident: str
    report: StepReport
    since: datetime

    async def __call__(self, so_far: Phrase) -> None:
        await self.ledger.report(self.ident, replace(self.report, said=so_far))


@dataclass(frozen=True)
class _Attempted:
    """What came of one attempt. ``bad``: the new version is; ``at_once``: it is to be undone without asking.

    ``untouched``: it refused before it changed anything.
    """

    ok: bool
    said: Phrase
    value: str = ""
    bad: bool = False
    at_once: bool = False
    untouched: bool = False


async def _attempted(ident: str, name: str, work: Work, say: Say) -> _Attempted:
    """Run *work*, whatever comes of it."""
    try:
        did = await work(say)
    except BadVersionError as error:
        return _Attempted(ok=False, said=error.phrase, bad=True, at_once=error.at_once)
    except UserError as error:
        return _Attempted(ok=False, said=error.phrase, untouched=isinstance(error, UntouchedError))
    except (PultError, TimeoutError, OSError) as error:
        log.warning("step failed", extra={"operation": ident, "step": name, "error": str(error)})
        return _Attempted(ok=False, said=told(error))
    except Exception:
        ref = uuid4().hex[:8]
        log.exception("step broke", extra={"ref": ref, "operation": ident, "step": name})
        return _Attempted(ok=False, said=_broken(ref))
    if isinstance(did, Did):
        return _Attempted(ok=True, said=did.said, value=did.value)
    return _Attempted(ok=True, said=did)


def _broken(ref: str) -> Phrase:
    """What a person is told of an error of pult's own, which the log has under *ref*."""
    return phrase("pult itself failed here. Quote {ref} to its administrator.", ref=Code(ref))


def _topic(pause: int | None) -> str:
    """Of one pause: who presses twice, or a moment after somebody else, says nothing on the next one."""
    return f"{TOPIC} {pause or 0}"  # None: journaled before pauses were counted


class Execution:
    """One run of a flow: journals its steps and pauses where one fails. ``undoing``: it is on the way back."""

    def __init__(self, runner: Runner, operation: Operation) -> None:
        self._runner = runner
        self.operation: str = operation.id
        self.plan: Plan = operation.plan
        self.started: datetime = operation.started_at or operation.created_at
        self.begun: set[str] = set()
        self._touched: set[str] = set()
        self.undoing = False
        self._undoable = runner.undoable(operation.plan)
        self._no_return = runner.no_return(operation.plan.action)

    async def step(self, name: str, work: Work, title: Phrase | None = None) -> str:
        """Do the step *name*; on failure wait for a person: retry, skip where the plan allows, undo, abort."""
        attempt, told = 1, encode(title)
        while True:
            self.begun.add(name)
            done = await DBOS.run_step_async(
                {"name": f"{name}#{attempt}"}, self._runner.attempt, self.operation, name, work, told
            )
            if done["ok"]:
                return str(done.get("value", ""))
            self._judge_begun(name, touched=not done.get("untouched"))
            if done.get("at_once") and self._undoable and not self.undoing:
                raise AbortedError(undo=True, why=decode(done["said"]))
            match await self._choice(f"{name}#{attempt}", name, done):
                case Choice.RETRY:
                    attempt += 1
                case Choice.SKIP:
                    await DBOS.run_step_async(
                        {"name": f"{name} skipped"}, self._runner.ledger.skip, self.operation, name
                    )
                    return ""
                case Choice.UNDO:
                    raise AbortedError(undo=True)
                case Choice.ABORT:
                    raise AbortedError(undo=False)

    def _judge_begun(self, name: str, *, touched: bool) -> None:
        """A step that refused before it changed anything, each time it was tried, has not begun."""
        self._touched |= {name} if touched else set()
        if name not in self._touched:
            self.begun.discard(name)

    async def _choice(self, key: str, name: str, done: Mapping[str, Any]) -> Choice:
        """*key* names this one pause: what is news is told once."""
        bad = bool(done.get("bad"))
        choices = self._offers(name, bad=bad)
        news = {"key": key, "said": done["said"]} if bad else None
        pause = self._runner.ledger.pause
        turn = await DBOS.run_step_async({"name": f"{name} paused"}, pause, self.operation, choices, news)
        told = await DBOS.recv_async(_topic(turn), PATIENCE)
        await DBOS.run_step_async({"name": f"{name} resumed"}, self._runner.ledger.resume, self.operation)
        return Choice(told) if told in choices else Choice.ABORT

    def _offers(self, name: str, *, bad: bool) -> tuple[Choice, ...]:
        """The first is what most people will want: of a bad version that it goes."""
        skippable = any(step.name == name and step.skippable for step in self.plan.steps)
        returns = self._undoable and not self.undoing and not self._no_return & self.begun
        undo = (Choice.UNDO,) if returns else ()
        back, again = (undo, ()) if bad else ((), undo)
        return (*back, Choice.RETRY, *((Choice.SKIP,) if skippable else ()), *again, Choice.ABORT)
