"""Right-sizing in words and pictures: what a container asks for, what it used, what is advised and why."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from bot.domain.anatomy import Anatomy
from bot.domain.messages import Aside, Block, Curve, Facts, Graph, Lines, Points, Table
from bot.domain.money import shown
from bot.domain.phrases import Code, Phrase, Quantity, counted, phrase, verbatim
from bot.domain.quantities import MIB, cores, mebibytes
from bot.domain.rightsizing import Report
from bot.domain.sizing import AFTER_KILL, Advice, Kept, Sized

WHY = {
    Kept.FEW: phrase("not enough history"),
    Kept.OWNED: phrase("the autoscaler's"),
    Kept.SILENT: phrase("not known now"),
    Kept.FITS: phrase("fits"),
}
NOTHING = phrase("–")


def blocks(report: Report) -> Iterator[Block]:
    """All of it, the verdict first."""
    yield table(report)
    yield Facts(tuple(_facts(report)))
    if lines := tuple(_lines(report)):
        yield Lines(lines)
    yield from _graphs(report)
    yield Aside(
        phrase(
            "Processor: 95th percentile of 14 days, no limit. Memory: highest use and 15 % more, request and limit "
            "alike. Of all pods, those that are gone as well."
        )
    )


def table(report: Report) -> Table:
    """A row for each container."""
    header = (
        phrase("Container"), phrase("CPU now"), phrase("CPU advised"), phrase("Memory now"), phrase("Memory advised")
    )  # fmt: skip
    return Table(header, tuple(_row(each) for each in report.advices))


def change(advice: Advice) -> Phrase:
    """One container's change on a line."""
    now, parts = advice.now, []
    if advice.cpu is not None:
        parts.append(phrase("CPU {was} → {new}", was=_cpu(now), new=cores(advice.cpu)))
    if advice.memory is not None:
        parts.append(phrase("memory {was} → {new}", was=_memory(now), new=mebibytes(advice.memory)))
    if len(parts) == 1:
        return parts[0]
    return phrase("{cpu}, {memory}", cpu=parts[0], memory=parts[1])


def saving(report: Report) -> Phrase:
    """What it is worth a month, for all pods together."""
    if report.saving is None:
        return phrase("no price is known")
    if report.saving < 0:
        return phrase("{amount} a month more: what it needs is not asked for now", amount=shown(-report.saving))
    return phrase("{amount} a month", amount=shown(report.saving))


def risk(advice: Advice) -> Phrase:
    """How often the new memory limit would have been passed."""
    if advice.risk is None:
        return phrase("not known")
    return phrase(
        "{passed} of {days} days went over the new limit; of days to come about {share}",
        passed=advice.risk.passed, days=advice.risk.days, share=Quantity(advice.risk.share * 100, "%", 0),
    )  # fmt: skip


def _row(advice: Advice) -> tuple[Phrase, ...]:
    cpu = phrase("{new}", new=cores(advice.cpu)) if advice.cpu is not None else _why(advice.kept_cpu)
    memory = phrase("{new}", new=mebibytes(advice.memory)) if advice.memory is not None else _why(advice.kept_memory)
    return verbatim(advice.container), _cpu(advice.now), cpu, _memory(advice.now), memory


def _why(kept: Kept | None) -> Phrase:
    return WHY[kept] if kept else NOTHING


def _cpu(now: Sized) -> Phrase:
    return _pair(
        None if now.cpu is None else cores(now.cpu), None if now.cpu_limit is None else cores(now.cpu_limit)
    )  # fmt: skip


def _memory(now: Sized) -> Phrase:
    request, limit = now.memory, now.memory_limit
    return _pair(None if request is None else mebibytes(request), None if limit is None else mebibytes(limit))


def _pair(request: str | None, limit: str | None) -> Phrase:
    """Request and limit."""
    if request is None and limit is None:
        return phrase("nothing")
    if limit is None:
        return verbatim(request or "–")
    return phrase("{request}, at most {limit}", request=request or "–", limit=limit)


def _facts(report: Report) -> Iterator[tuple[Phrase, Phrase]]:
    if not report.changes:
        return
    pods = report.anatomy.replicas
    yield phrase("Saves"), phrase("{saving}, with {pods} pods", saving=saving(report), pods=pods)
    for advice in report.advices:
        if advice.memory is not None:
            yield phrase("Risk of {container}", container=advice.container), risk(advice)


def _lines(report: Report) -> Iterator[Phrase]:
    anatomy = report.anatomy
    yield from _scaled(anatomy)
    if report.usage.silent:
        yield phrase("Prometheus did not tell all of {what} in time, so nothing is advised for it. Try again.",
                     what=", ".join(sorted(report.usage.silent)))  # fmt: skip
    for advice in report.advices:
        if advice.killed:
            yield phrase(
                "{container} ran out of memory in these days: what it wanted nobody saw, so it gets {factor} of that "
                "limit at least.",
                container=Code(advice.container), factor=Quantity(AFTER_KILL, "x", 2),
            )  # fmt: skip
        if advice.pods == 0:
            yield phrase("Prometheus knows no pod with a container {container}.", container=Code(advice.container))


def _scaled(anatomy: Anatomy) -> Iterator[Phrase]:
    if "horizontalpodautoscalers" in anatomy.unknown:
        yield phrase("Whether an autoscaler goes by these requests could not be read, so nothing is advised.")
    elif anatomy.owned:
        yield phrase(
            "The autoscaler {name} measures {what} against the request, so that stays: it would change how many pods "
            "there are.",
            name=Code(anatomy.scaled_by), what=", ".join(sorted(anatomy.owned)),
        )  # fmt: skip


def _graphs(report: Report) -> Iterator[Graph]:
    """Of the container that uses most memory: one picture says more than five."""
    best = max(report.advices, key=lambda each: max((v for _, v in _of(report, each)), default=0.0), default=None)
    if best is None or best.pods == 0:
        return
    memory, cpu = _of(report, best), report.usage.cpu.get(best.container, ())
    now = best.now
    if memory:
        wanted = (
            (phrase("request"), now.memory), (phrase("limit"), now.memory_limit),
            (phrase("advised"), best.memory),
        )  # fmt: skip
        title = phrase("Memory of {container}, its hungriest pod", container=best.container)
        yield Graph(title, _curves(memory, wanted, MIB), "MiB")
    if cpu:
        wanted = (
            (phrase("request"), now.cpu), (phrase("limit"), now.cpu_limit), (phrase("advised"), best.cpu),
        )  # fmt: skip
        title = phrase("Processor of {container}, its busiest pod", container=best.container)
        yield Graph(title, _curves(cpu, wanted, 0.001), "m")


def _of(report: Report, advice: Advice) -> Points:
    return report.usage.memory.get(advice.container, ())


def _curves(points: Points, wanted: tuple[tuple[Phrase, float | None], ...], unit: float) -> tuple[Curve, ...]:
    used = Curve(phrase("used"), tuple((at, value / unit) for at, value in points))
    ends: tuple[datetime, datetime] = (points[0][0], points[-1][0])
    last = {value: name for name, value in wanted if value is not None}  # of two that are the same, one line
    flat = (Curve(name, tuple((at, value / unit) for at in ends), guide=True) for value, name in last.items())
    return (used, *flat)


def pods(report: Report) -> Phrase:
    """Whom a rollout of it concerns."""
    count = report.anatomy.replicas
    return counted("Once it is merged and applied, {n} pod is replaced.",
                   "Once it is merged and applied, {n} pods are replaced, one after the other.", count)  # fmt: skip
