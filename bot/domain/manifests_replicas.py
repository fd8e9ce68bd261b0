"""Where deployment files say how many pods a workload has, and how to say another number there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from bot.domain.errors import UserError
from bot.domain.manifests_edit import Tree, listed, put
from bot.domain.manifests_tree import HOMES, Folder, Named, first_table, tables, workload
from bot.domain.manifests_yaml import Items, Scalar
from bot.domain.manifests_yaml import Mapping as Table
from bot.domain.phrases import Code

_VALUES: Final = ("replicaCount", "replicas")
"""As charts call it; the first is what ``helm create`` writes."""

Find = Callable[[str], Table | None]


def with_replicas(folder: Folder, named: Named, count: int) -> Folder:
    """*folder* with *count* where the number of pods stands; a kustomization that has it nowhere gets an entry.

    A kustomization's ``replicas`` has the last word, after its patches (kustomize, kusttarget_configplugin.go).
    UserError: Helm values that say it nowhere, or in several places.
    """
    if folder.kustomized:
        if _entry(folder.texts[folder.path], named):
            return _put(folder, folder.path, lambda text: _entry(text, named), ("count",), count)
        path = next(_manifests(folder, named), "")
        if path:
            return _put(folder, path, lambda text: workload(text, named), ("spec", "replicas"), count)
        entry: Tree = {"name": named.name, "count": count}
        return folder.with_text(folder.path, listed(folder.texts[folder.path], first_table, "replicas", entry))
    if workload(folder.texts[folder.path], named):
        return _put(folder, folder.path, lambda text: workload(text, named), ("spec", "replicas"), count)
    return _in_values(folder, named, count)


def _put(folder: Folder, path: str, find: Find, key: tuple[str, ...], count: int) -> Folder:
    def found(text: str) -> Table:
        table = find(text)
        assert table is not None
        return table

    return folder.with_text(path, put(folder.texts[path], found, key, count))


def _entry(text: str, named: Named) -> Table | None:
    """Of a kustomization's ``replicas``."""
    for table in tables(text):
        items = table.values.get("replicas")
        for each in items.values if isinstance(items, Items) else ():
            if isinstance(each, Table) and each.text("name") == named.name:
                return each
    return None


def _manifests(folder: Folder, named: Named) -> Iterator[str]:
    """Files beside the kustomization that say it of the workload; of several patches the last counts."""
    for path in reversed([path for path in folder.texts if path != folder.path]):
        found = workload(folder.texts[path], named)
        spec = found.values.get("spec") if found else None
        if isinstance(spec, Table) and "replicas" in spec.values:
            yield path


def _in_values(folder: Folder, named: Named, count: int) -> Folder:
    text = folder.texts[folder.path]
    places = [
        (*home, *below, key)
        for home in HOMES
        for below in ((), (named.name,))
        for key in _VALUES
        if isinstance(_at(text, (*home, *below)), Table) and isinstance(_at(text, (*home, *below, key)), Scalar)
    ]
    if len(places) != 1:
        raise UserError(
            "{path} says in {n} places how many pods {name} has; pult changes one that is alone.",
            path=Code(folder.path), n=len(places), name=Code(named.name),
        )  # fmt: skip
    return _put(folder, folder.path, first_table, places[0], count)


def _at(text: str, path: tuple[str, ...]) -> object:
    value: object = next(tables(text), None)
    for name in path:
        value = value.values.get(name) if isinstance(value, Table) else None
    return value
