"""Posture in words: what each workload lacks, why that matters, and how it is mended."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from bot.domain.messages import Lines, Table
from bot.domain.phrases import Code, Phrase, phrase, verbatim
from bot.domain.posture import Finding, Flaw, Weight
from bot.domain.posture_changes import Remedy

WORDS = {
    Flaw.STUCK_BUDGET: phrase("Disruption budget that lets no pod go: no node can be drained"),
    Flaw.PRIVILEGED: phrase("Privileged: whoever is in it owns the node"),
    Flaw.SINGLE: phrase("One replica in production"),
    Flaw.NO_MEMORY_LIMIT: phrase("No memory limit: a leak takes the node down"),
    Flaw.NO_REQUESTS: phrase("No requests: first to be evicted, and placed by luck"),
    Flaw.NOT_READY_PROBED: phrase("No readiness probe: gets traffic before it can serve"),
    Flaw.LOOSE_IMAGE: phrase("Image by latest or no tag: nobody knows what runs"),
    Flaw.ROOT: phrase("May run as root"),
    Flaw.NO_BUDGET: phrase("No disruption budget: a drain may take all pods at once"),
    Flaw.OVERLAPPING: phrase("Several disruption budgets: the API server then evicts nothing"),
    Flaw.NOT_SPREAD: phrase("Not spread over nodes"),
    Flaw.NO_POLICY: phrase("No network policy: every pod may talk to every port"),
    Flaw.IDLE_BUDGET: phrase("Disruption budget that matches no pod"),
    Flaw.NOT_LIVE_PROBED: phrase("No liveness probe: what hangs is not restarted"),
    Flaw.WRITABLE: phrase("Writable root file system"),
}
WEIGHTS = {Weight.BAD: phrase("bad"), Weight.WEAK: phrase("weak"), Weight.UNTIDY: phrase("untidy")}
CAUTIONS = {
    Flaw.ROOT: phrase("An image that starts as root will not start: try it in staging first."),
    Flaw.PRIVILEGED: phrase("What needs the node's devices will fail: try it in staging first."),
    Flaw.WRITABLE: phrase("What writes outside of its volumes will fail: try it in staging first."),
    Flaw.NO_POLICY: phrase("Traffic to ports that no container declares is cut off."),
    Flaw.NOT_READY_PROBED: phrase("A probe of what the service really answers is better."),
}


@dataclass(frozen=True)
class Row:
    """One finding of one service, and what would mend it; None: a person has to decide.

    ``proposed``: pult knows the file in git that it would change for it.
    """

    service: str
    finding: Finding
    remedy: Remedy | None
    proposed: bool = True


def table(rows: Iterable[Row], *, named: bool) -> Table:
    """The worst first. *named*: of several services."""
    header = (phrase("How bad"), phrase("What"), phrase("Where"), phrase("Mended by"))
    told = tuple((_where(row, named=named), row) for row in rows)
    cells = tuple((WEIGHTS[row.finding.weight], WORDS[row.finding.flaw], *where, mended(row)) for where, row in told)
    return Table((*header[:2], *((phrase("Service"),) if named else ()), *header[2:]), cells)


def mended(row: Row) -> Phrase:
    """In a word or two; what to type where it is a command."""
    if row.remedy is not None:
        return phrase("pull request") if row.proposed else phrase("by hand, as shown")
    match row.finding.flaw:
        case Flaw.NO_MEMORY_LIMIT | Flaw.NO_REQUESTS:
            return phrase("{command}", command=Code(f"rightsize {row.service}"))
        case Flaw.LOOSE_IMAGE:
            return phrase("{command}", command=Code(f"promote {row.service} VERSION"))
        case Flaw.SINGLE:
            return phrase("{command}", command=Code(f"scale {row.service} 2"))
        case _:
            return phrase("by hand")


def unread(unknown: tuple[str, ...]) -> Lines | None:
    """What could not be read: of that nothing is said, neither good nor bad."""
    if not unknown:
        return None
    names = ", ".join(unknown)
    return Lines((phrase("pult could not read {what}: of those nothing is known.", what=Code(names)),))


def _where(row: Row, *, named: bool) -> tuple[Phrase, ...]:
    where = verbatim(row.finding.about or "–")
    return (verbatim(row.service), where) if named else (where,)
