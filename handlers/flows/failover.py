"""Failover, failback, drill and live drill: the plan's own steps in the plan's own order. A drill only looks."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial

from bot.domain.errors import DriftError, TemporaryError, UntouchedError, UserError, told
from bot.domain.failover_course import Course, Kind, read
from bot.domain.failover_steps import BACK, NO_RETURN, THERE, bare
from bot.domain.operations import stops
from bot.domain.phrases import Code, Phrase, phrase
from bot.domain.plans import Plan
from bot.ports.estate import Estate
from bot.ports.flows import Did, Flow, Run, Say
from handlers.flows.failover_data import Data
from handlers.flows.failover_frame import Frame
from handlers.flows.failover_links import Links
from handlers.flows.failover_rehearsal import Rehearsal
from handlers.flows.failover_room import Room
from handlers.flows.failover_spare import Spare
from handlers.flows.failover_tools import Leg, StepOf, Tools
from handlers.flows.failover_users import Users

AFTER = frozenset({"promote", "connections", "shift", "verify", "rejoin-other", "spare", "report"})
"""Steps at which a plan can fail with the database moved already."""
_HARMLESS = (UntouchedError, DriftError)
Extra = Mapping[str, Callable[[Run, Say], Awaitable[Phrase | Did]]]
"""Steps of a drill that others bring, by name."""


def flow(
    action: str, tools: Tools, estate: Estate, *, staged: Estate | None = None, extra: Extra | None = None
) -> Flow:
    """``failover`` acts; ``drill`` runs the same plan and only looks, or moves what is *staged* there and back."""
    moves = _Moves(tools, estate, staged, extra or {})
    no_return = frozenset({NO_RETURN, THERE + NO_RETURN, BACK + NO_RETURN})
    return Flow(action, moves.check, moves.run, moves.undo, no_return=no_return)


@dataclass
class _Moves:
    tools: Tools
    estate: Estate
    staged: Estate | None
    extra: Extra
    acting: Mapping[str, StepOf] = field(init=False)
    looking: Mapping[str, StepOf] = field(init=False)
    undoing: Mapping[str, tuple[Phrase, StepOf]] = field(init=False)

    def __post_init__(self) -> None:
        data, room, links = Data(self.tools), Room(self.tools), Links(self.tools)
        users, frame, spare, look = Users(self.tools), Frame(self.tools), Spare(self.tools), Rehearsal()
        self.acting = {
            "freeze": frame.freeze, "rejoin": data.rejoin, "lag": data.lag, "capacity": room.bring_up,
            "fence": data.fence, "caught-up": data.caught_up, "promote": data.promote, "connections": links.switch,
            "shift": users.shift, "verify": users.verify, "rejoin-other": data.rejoin_other, "spare": spare.take_back,
            "report": frame.report,
        }  # fmt: skip
        self.looking = {
            "freeze": frame.rehearse_freeze, "lag": data.lag, "capacity": room.rehearse, "fence": look.fence,
            "promote": look.promote, "connections": links.rehearse, "shift": users.rehearse_shift,
            "verify": users.rehearse_verify, "report": frame.report,
        }  # fmt: skip
        self.undoing = {
            "fence": (phrase("Take the fence away"), data.unfence),
            "capacity": (phrase("Ask for as many pods as before"), room.give_back),
            "freeze": (phrase("Lift the freeze"), frame.lift),
        }

    async def check(self, plan: Plan) -> None:
        """What can't be asked differs in nothing: each step looks again before it acts, and pauses where it can't."""
        leg = next(self._legs(plan, ""))
        if not leg.course.acts:
            return
        try:
            found = await leg.estate.database.replication(leg.course.way)
            going = await leg.estate.traffic.region()
        except TemporaryError:
            return
        if "promoted" in plan.pins and str(found.promoted) != plan.pins["promoted"]:
            raise DriftError("The database is no longer where it was when this was planned.")
        if plan.pins.get("traffic") and going != plan.pins["traffic"]:
            raise DriftError("Traffic goes to {region} by now.", region=going or "?")

    async def run(self, running: Run) -> Phrase:
        """Each of the plan's steps; those of a plan of an earlier pult are fewer."""
        said = phrase("Rehearsed. Nothing was changed.")
        for leg in self._legs(running.plan, running.operation):
            for step in _steps_of(running.plan, leg):
                name = bare(step)
                leg.values[name] = await running.step(step, self._work(running, leg, name))
            if leg.course.acts:
                said = _result(leg)
        return said

    async def undo(self, running: Run) -> Phrase:
        """Of the first way, up to where the promotion would have begun; then none of it is undone."""
        leg = next(self._legs(running.plan, running.operation))
        for name, (title, work) in self.undoing.items():
            if leg.prefix + name in running.begun and leg.course.acts:
                await running.step(f"undo-{name}", partial(work, leg), title)
        return phrase("{source} serves as before.", source=leg.course.source)

    def _work(self, running: Run, leg: Leg, name: str) -> Callable[[Say], Awaitable[Phrase | Did]]:
        if name in self.extra and not leg.course.acts:
            return partial(self.extra[name], running)
        work = (self.acting if leg.course.acts else self.looking)[name]
        if name == running.plan.brake:
            work = partial(self._unless_stopped, work)
        return partial(_told_the_way_back, leg, name, work)

    async def _unless_stopped(self, work: StepOf, leg: Leg, say: Say) -> Phrase | Did:
        """Its report was written before: whoever says stop later than this look is told that it is too late."""
        who = await self.tools.store.read(lambda tx: tx.mark(stops(leg.operation)))
        if who is not None:
            raise UntouchedError("{person} stopped it. Undo it, or abort it.", person=who)
        return await work(leg, say)

    def _legs(self, plan: Plan, operation: str) -> Iterator[Leg]:
        course = read(plan.params)
        if course.kind is not Kind.LIVE:
            yield Leg(course, operation, self.estate)
            return
        if self.staged is None:
            raise UserError(
                "Nothing is staged for a live drill. Add {section}.", section=Code("[failover.drill.staging]")
            )
        yield Leg(course, operation, self.staged, THERE)
        yield Leg(read(plan.params, "back"), operation, self.staged, BACK)


def _steps_of(plan: Plan, leg: Leg) -> Iterator[str]:
    return (step.name for step in plan.steps if step.name.startswith(leg.prefix))


async def _told_the_way_back(leg: Leg, name: str, work: StepOf, say: Say) -> Phrase | Did:
    """What fails once the database has moved is not undone, and says how one goes back."""
    try:
        return await work(leg, say)
    except (UserError, TemporaryError) as error:
        if not (name in AFTER or leg.prefix == BACK) or not leg.course.acts or isinstance(error, _HARMLESS):
            raise
        if leg.course.kind is Kind.LIVE:
            home = leg.course.source if leg.prefix == THERE else leg.course.target
            raise UserError(
                "{why} Nothing of it is undone any more. The steps that are left bring staging back to {home}.",
                why=told(error), home=home,
            ) from error  # fmt: skip
        command = Code(_back(leg.course))
        raise UserError(
            "{why} Nothing of it is undone any more; the way back is a plan of its own: {command}",
            why=told(error), command=command,
        ) from error  # fmt: skip


def _back(course: Course) -> str:
    return f"failover {course.target} to {course.source}"


def _result(leg: Leg) -> Phrase:
    course = leg.course
    if course.kind is Kind.LIVE:
        return phrase("Staging moved to {there} and back to {here}.", there=course.source, here=course.target)
    if course.kind is Kind.FAILBACK:
        done = phrase("{region} serves again, and {other} stands by.", region=course.target, other=course.source)
    else:
        done = phrase(
            "{region} serves. Plan the failback when {source} is healthy.", region=course.target, source=course.source
        )
    unverified = leg.value("verify").get("unverified") or leg.value("verify") == {}
    if not unverified:
        return done
    return phrase("{done} It is not verified as a whole: look at the step.", done=done)
