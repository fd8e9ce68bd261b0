"""The steps of a move, in the one order that there is: nothing is promoted before the old primary is fenced."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from bot.domain.failover_course import Course, Kind
from bot.domain.phrases import Code, Phrase, phrase
from bot.domain.plans import PlannedStep

FAILOVER = ("freeze", "lag", "capacity", "fence", "promote", "connections", "shift", "verify", "report")
FAILBACK = (
    "freeze", "rejoin", "lag", "capacity", "fence", "caught-up", "promote", "connections", "shift", "verify",
    "rejoin-other", "spare", "report",
)  # fmt: skip
SKIPPABLE = frozenset({"capacity", "connections", "shift", "verify", "rejoin-other", "spare"})
"""A person may have done these by hand, or go on without them, on the record."""
NO_RETURN = "promote"
"""What begins it has no undo: going back is a failback, a plan of its own."""
THERE, BACK = "there-", "back-"
"""How the names of a live drill's steps begin: the way there, and the way back."""


def steps(course: Course, extra: tuple[PlannedStep, ...] = ()) -> tuple[PlannedStep, ...]:
    """The plan's steps, without what nothing is configured for. *extra*: a drill's own, before its report."""
    names = FAILBACK if course.kind is Kind.FAILBACK else FAILOVER
    made = [_step(name, course) for name in names if _wanted(name, course)]
    return (*made[:-1], *extra, made[-1])


def there_and_back(there: Course, back: Course) -> tuple[PlannedStep, ...]:
    """Both ways of a live drill in one operation: frozen once, lifted and reported once."""
    out = [step for step in steps(there) if step.name != "report"]
    home = [step for step in steps(back) if step.name != "freeze"]
    return (*_prefixed(THERE, out), *_prefixed(BACK, home))


def bare(name: str) -> str:
    """The step's name without the way it belongs to."""
    return name.removeprefix(THERE).removeprefix(BACK)


def _prefixed(way: str, found: list[PlannedStep]) -> Iterator[PlannedStep]:
    """Of the two ways only what comes before the first promotion is undone."""
    leg = phrase("There") if way == THERE else phrase("Back")
    for step in found:
        undo = step.undo if way == THERE and step.name != NO_RETURN else None
        yield replace(step, name=way + step.name, title=phrase("{leg}: {step}", leg=leg, step=step.title), undo=undo)


def _wanted(name: str, course: Course) -> bool:
    if name == "capacity":
        return bool(course.lots or course.machines)
    if name == "spare":
        return bool(course.spare)
    return name != "connections" or bool(course.links)


def _step(name: str, course: Course) -> PlannedStep:
    title, undo = TITLES[name](course), UNDOS.get(name)
    skippable = name in SKIPPABLE or not course.acts  # a rehearsal that goes on harms nothing
    return PlannedStep(name, title, undo(course) if undo and course.acts else None, skippable)


def _frozen(_: Course) -> Phrase:
    return phrase("Freeze promotions of every service until this is over")


def _lag(course: Course) -> Phrase:
    if not course.held:
        return phrase("Replication lag is known and at most {rpo}", rpo=course.rpo)
    return phrase("Replication lag is no more than what was overridden here")


def _capacity(course: Course) -> Phrase:
    return phrase("Bring up capacity in {target} and wait until it is ready", target=course.target)


def _fence(course: Course) -> Phrase:
    return phrase("Fence the database in {source}: it takes no more writes", source=course.source)


def _promote(course: Course) -> Phrase:
    return phrase("Promote the database in {target}", target=course.target)


def _connections(course: Course) -> Phrase:
    return phrase("Switch the connections of {target}, restart what reads them", target=course.target)


def _shift(course: Course) -> Phrase:
    return phrase("Point traffic at {target}", target=course.target)


def _verify(course: Course) -> Phrase:
    return phrase("Verify from outside that {target} serves", target=course.target)


def _report(_: Course) -> Phrase:
    return phrase("Lift the freeze and report the figures")


def _rejoin(course: Course) -> Phrase:
    return phrase(
        "Make the database in {target} follow the one in {source}", target=course.target, source=course.source
    )


def _rejoin_other(course: Course) -> Phrase:
    return phrase(
        "Make the database in {source} follow the one in {target}", target=course.target, source=course.source
    )


def _spare(course: Course) -> Phrase:
    return phrase("Ask for as many pods in {source} as before the failover", source=course.source)


def _caught_up(course: Course) -> Phrase:
    return phrase("Wait until the database in {target} has everything", target=course.target)


TITLES: Mapping[str, Callable[[Course], Phrase]] = {
    "freeze": _frozen, "lag": _lag, "capacity": _capacity, "fence": _fence, "promote": _promote,
    "connections": _connections, "shift": _shift, "verify": _verify, "report": _report, "rejoin": _rejoin,
    "rejoin-other": _rejoin_other, "spare": _spare, "caught-up": _caught_up,
}  # fmt: skip


def _lifted(_: Course) -> Phrase:
    return phrase("lift the freeze")


def _less(_: Course) -> Phrase:
    return phrase("ask for as many pods as before; machines stay")


def _unfenced(_: Course) -> Phrase:
    return phrase("take the fence away, until the promotion begins")


def _back(course: Course) -> Phrase:
    """A promotion is not undone: what was written since would be lost."""
    return phrase(
        "after the promotion, plan the way back: {command}",
        command=Code(f"failover {course.target} to {course.source}"),
    )


UNDOS: Mapping[str, Callable[[Course], Phrase]] = {
    "freeze": _lifted, "capacity": _less, "fence": _unfenced, "promote": _back,
}  # fmt: skip
