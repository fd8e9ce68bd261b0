"""What runs an approved plan durably: the one workflow, its steps, its pauses. Together with the journal it knows DBOS.

A step may run again after a crash, so every step looks before it acts. What people see (the operation's row and card)
is written inside the journaled steps, so it never runs ahead. Loading this takes half a second and 60 MB: it is only
imported once there is an operation to run.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import uuid4

from dbos import DBOS, SetWorkflowID

from bot.domain.codec import decode, encode
from bot.domain.errors import PultError, UserError
from bot.domain.messages import StepMark
from bot.domain.operations import Choice, Operation, State, StepReport
from bot.domain.phrases import Code, Phrase, phrase, verbatim
from bot.domain.plans import Plan
from bot.engine import journal
from bot.engine.ledger import Ledger
from bot.ports.clock import Clock
from bot.ports.flows import Flow, Work

log = logging.getLogger(__name__)

PATIENCE = 7 * 24 * 3600.0
"""Seconds a paused operation waits for a person before it gives up."""
TOPIC = "choice"
WORKFLOW = "operation.1"
"""A change of its steps' order takes a new name, so that what is under way ends by the old one."""


class AbortedError(PultError):
    """A person ended the operation at a failed step. ``undo``: what was done is to be undone."""

    def __init__(self, *, undo: bool) -> None:
        super().__init__("undo" if undo else "abort")
        self.undo = undo


class Runner:
    """Runs flows, journals their steps, pauses at failures."""

    def __init__(self, ledger: Ledger, clock: Clock, flows: Mapping[str, Flow]) -> None:
        self.ledger, self._clock, self._flows = ledger, clock, flows
        self._workflow: Any = None

    def launch(self, url: str) -> None:
        """Open DBOS and resume what was under way. Call it on the event loop: workflows run there."""
        journal.open_dbos(url)

        async def execute(ident: str) -> None:  # a plain function: DBOS marks what it registers
            await self._execute(ident)

        self._workflow = DBOS.workflow(name=WORKFLOW)(execute)
        DBOS.launch()

    def close(self) -> None:
        """Stop; what is running stays in the journal and is resumed by the next launch."""
        journal.close_dbos()

    async def start(self, ident: str) -> None:
        """Run the approved operation *ident*; a second start of the same does nothing."""
        with SetWorkflowID(ident):
            await DBOS.start_workflow_async(self._workflow, ident)

    async def choose(self, ident: str, choice: Choice) -> None:
        """Hand a person's choice to the paused operation *ident*."""
        await DBOS.send_async(ident, str(choice), TOPIC)

    def undoable(self, action: str) -> bool:
        """Whether the flow for *action* knows how to undo itself."""
        return self._flows[action].undo is not None

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
        if ended.undo and flow.undo is not None:
            undone = await DBOS.run_step_async({"name": "undo"}, self._undo, run.operation, encode(run.plan))
            return (State.UNDONE if undone["ok"] else State.FAILED), decode(undone["said"])
        return State.FAILED, phrase("Ended at a failed step by a person. What was done before it stays done.")

    async def _check(self, action: str, plan: Any) -> Any:  # noqa: ANN401 - JSON in, JSON out
        try:
            await self._flows[action].check(decode(plan))
        except UserError as error:
            return encode(error.phrase)
        except (PultError, TimeoutError, OSError) as error:
            log.warning("plan could not be checked", extra={"action": action, "error": str(error)})
            return encode(verbatim(str(error) or "no answer in time"))
        return None

    async def _undo(self, ident: str, plan: Any) -> Any:  # noqa: ANN401 - JSON in, JSON out
        undo = self._flows[decode(plan).action].undo
        if undo is None:
            raise PultError(f"{ident} can't be undone")
        try:
            return {"ok": True, "said": encode(await undo(ident, decode(plan)))}
        except PultError as error:
            log.warning("undo failed", extra={"operation": ident, "error": str(error)})
            said = phrase("Undoing failed, look at it yourself: {why}", why=str(error))
            return {"ok": False, "said": encode(said)}

    async def attempt(self, ident: str, name: str, work: Work) -> Any:  # noqa: ANN401 - JSON out
        """Run one step's work once. ``{"ok": …, "said": …}``: a failure is a result, so that it is journaled too."""
        started = await self.ledger.started(ident, name)
        report = StepReport(name, StepMark.RUNNING, None, started)
        await self.ledger.report(ident, report)

        async def say(so_far: Phrase) -> None:
            await self.ledger.report(ident, replace(report, said=so_far))

        try:
            said, mark = await work(say), StepMark.DONE
        except UserError as error:
            said, mark = error.phrase, StepMark.FAILED
        except (PultError, TimeoutError, OSError) as error:
            log.warning("step failed", extra={"operation": ident, "step": name, "error": str(error)})
            said, mark = verbatim(str(error) or "no answer in time"), StepMark.FAILED
        except Exception:
            ref = uuid4().hex[:8]
            log.exception("step broke", extra={"ref": ref, "operation": ident, "step": name})
            said = phrase("pult itself failed here. Quote {ref} to its administrator.", ref=Code(ref))
            mark = StepMark.FAILED
        await self.ledger.report(ident, StepReport(name, mark, said, started, self._clock.now()))
        return {"ok": mark is StepMark.DONE, "said": encode(said)}


class Execution:
    """One run of a flow: journals its steps and pauses where one fails."""

    def __init__(self, runner: Runner, operation: Operation) -> None:
        self._runner = runner
        self.operation: str = operation.id
        self.plan: Plan = operation.plan
        self._undoable = runner.undoable(operation.plan.action)

    async def step(self, name: str, work: Work) -> None:
        """Do the step *name*; on failure wait for a person: retry, skip where the plan allows, undo, abort."""
        attempt = 1
        while True:
            done = await DBOS.run_step_async(
                {"name": f"{name}#{attempt}"}, self._runner.attempt, self.operation, name, work
            )
            if done["ok"]:
                return
            match await self._choice(name):
                case Choice.RETRY:
                    attempt += 1
                case Choice.SKIP:
                    await DBOS.run_step_async(
                        {"name": f"{name} skipped"}, self._runner.ledger.skip, self.operation, name
                    )
                    return
                case Choice.UNDO:
                    raise AbortedError(undo=True)
                case Choice.ABORT:
                    raise AbortedError(undo=False)

    async def _choice(self, name: str) -> Choice:
        choices = self._offers(name)
        await DBOS.run_step_async({"name": f"{name} paused"}, self._runner.ledger.pause, self.operation, choices)
        told = await DBOS.recv_async(TOPIC, PATIENCE)
        await DBOS.run_step_async({"name": f"{name} resumed"}, self._runner.ledger.resume, self.operation)
        return Choice(told) if told in choices else Choice.ABORT

    def _offers(self, name: str) -> tuple[Choice, ...]:
        planned = next(step for step in self.plan.steps if step.name == name)
        skip = (Choice.SKIP,) if planned.skippable else ()
        undo = (Choice.UNDO,) if self._undoable else ()
        return (Choice.RETRY, *skip, *undo, Choice.ABORT)
