"""What a workload asks for, what it should ask for, what that is worth, and how git says it."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from bot.domain.anatomy import Anatomy
from bot.domain.manifests_edit import Tree
from bot.domain.manifests_tree import Change, Folder, Named, changed
from bot.domain.money import Rates
from bot.domain.quantities import cores, mebibytes
from bot.domain.sizing import Advice, advise, saved
from bot.domain.usage import Usage


@dataclass(frozen=True)
class Report:
    """``saving``: money a month, None where no price is known."""

    anatomy: Anatomy
    usage: Usage
    advices: tuple[Advice, ...]
    saving: Decimal | None

    @property
    def changes(self) -> bool:
        """Whether anything is to be written."""
        return any(each.changes for each in self.advices)


def drawn_up(anatomy: Anatomy, usage: Usage, rates: Rates | None) -> Report:
    """The advice for every container. An autoscaler that could not be read may be there: nothing is advised then."""
    blind = "horizontalpodautoscalers" in anatomy.unknown
    owned = frozenset(("cpu", "memory")) if blind else anatomy.owned
    advices = tuple(advise(each.name, each.size, usage.of(each.name), owned) for each in anatomy.containers)
    return Report(anatomy, usage, advices, saved(advices, anatomy.replicas, rates) if rates else None)


def applied(folder: Folder, advices: tuple[Advice, ...], named: Named) -> Folder:
    """*folder* with what is advised. UserError: it says it in a way that pult can't change."""
    for advice in advices:
        if advice.changes:
            folder = changed(folder, named, change(advice), f"rightsize-{named.name}.yaml")
    return folder


def patch(advices: tuple[Advice, ...], named: Named) -> str:
    """What is advised as a patch, for wherever it is kept."""
    return applied(Folder.empty(), advices, named).texts[f"rightsize-{named.name}.yaml"]


def change(advice: Advice) -> Change:
    """What to write: no limit for the processor, one like the request for memory."""
    values: list[tuple[tuple[str, ...], Tree]] = []
    dropped: list[tuple[str, ...]] = []
    if advice.cpu is not None:
        values.append((("resources", "requests", "cpu"), cores(advice.cpu)))
        dropped += [("resources", "limits", "cpu")] if advice.now.cpu_limit is not None else []
    if advice.memory is not None:
        values += ((("resources", table, "memory"), mebibytes(advice.memory)) for table in ("requests", "limits"))
    return Change(advice.container, tuple(values), tuple(dropped))
