"""Where a service's deployment files say how its containers run, and how to change that in as little as possible.

A deployment file is a kustomization, manifests, or Helm values. What kustomize takes from elsewhere (``../base``)
serves other environments too, so there a patch of the overlay's own is written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from posixpath import dirname, join, normpath
from typing import Final

from bot.domain.errors import UserError
from bot.domain.manifests_edit import Tree, document, drop, listed, put
from bot.domain.manifests_yaml import Items, Scalar, Value, documents
from bot.domain.manifests_yaml import Mapping as Table
from bot.domain.phrases import Code

KINDS: Final = {
    "deployment": ("apps/v1", "Deployment"), "statefulset": ("apps/v1", "StatefulSet"),
    "daemonset": ("apps/v1", "DaemonSet"), "rollout": ("argoproj.io/v1alpha1", "Rollout"),
}  # fmt: skip
_TO_POD: Final = ("spec", "template", "spec")
HOMES: Final = ((), ("spec", "values"), ("spec", "source", "helm", "valuesObject"))
"""Where Helm values stand: a values file, Flux's HelmRelease, Argo CD's Application."""


@dataclass(frozen=True)
class Named:
    """The workload whose pods are meant: ``kind`` is deployment, statefulset, daemonset or rollout."""

    kind: str
    name: str


@dataclass(frozen=True)
class Change:
    """``put`` and ``dropped`` are paths in the container, or in the pod's spec where ``container`` is empty."""

    container: str
    put: tuple[tuple[tuple[str, ...], Tree], ...] = ()
    dropped: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True)
class Folder:
    """A deployment file at ``path`` and what it may name beside it, as texts by path; the changed ones are kept."""

    path: str
    texts: Mapping[str, str]

    def with_text(self, path: str, text: str) -> Folder:
        return Folder(self.path, {**self.texts, path: text})

    def beside(self, name: str) -> str:
        """The path of the file *name* of the same folder."""
        return join(dirname(self.path), name)

    @classmethod
    def empty(cls) -> Folder:
        """A kustomization that names nothing: what is changed in it comes out as a patch."""
        return cls("kustomization.yaml", {"kustomization.yaml": "kind: Kustomization\n"})

    @property
    def kustomized(self) -> bool:
        return _kustomization(self.texts[self.path])


def named_files(path: str, text: str) -> tuple[str, ...]:
    """Paths of the files that the kustomization at *path* names in its own folder; none for another file."""
    if not _kustomization(text):
        return ()
    found = []
    for table in tables(text):
        found += [*_paths(table, "resources"), *_paths(table, "patches"), *_paths(table, "patchesStrategicMerge")]
    here = dirname(path)
    paths = (normpath(join(here, each)) for each in found if each.endswith((".yaml", ".yml")) and "://" not in each)
    return tuple(dict.fromkeys(each for each in paths if dirname(each).startswith(here)))


def changed(folder: Folder, named: Named, change: Change, patch: str) -> Folder:
    """*folder* with *change* made where the workload stands; a kustomization without it gets the file *patch*.

    UserError: the file is neither, or says it in a way that pult can't change.
    """
    for path in _order(folder, patch):
        if _pod(folder.texts[path], named, change.container) is not None:
            written = _nulled(change) if path in _patches(folder) else change
            return folder.with_text(path, _applied(folder.texts[path], _finder(named, change.container), written))
    if folder.kustomized:
        return _patched(folder, named, change, patch)
    return folder.with_text(folder.path, _in_values(folder.texts[folder.path], named, change))


def with_manifest(folder: Folder, name: str, tree: Tree) -> Folder:
    """*folder* with one more manifest, in the file *name* of a kustomization, else in the file itself.

    UserError: Helm values hold no manifests.
    """
    text = folder.texts[folder.path]
    if folder.kustomized:
        path = folder.beside(name)
        added = folder.with_text(path, document(tree))
        if path in named_files(folder.path, text):
            return added
        return added.with_text(folder.path, listed(text, first_table, "resources", name))
    if not any("kind" in each.values for each in tables(text)):
        raise UserError("{path} holds Helm values, and those no manifests: its chart has to bring it.",
                        path=Code(folder.path))  # fmt: skip
    return folder.with_text(folder.path, f"{text.rstrip()}\n---\n{document(tree)}")


def with_patch(folder: Folder, name: str, kind: str, of: str, tree: Tree) -> Folder:
    """*folder* with a patch of the *kind* called *of*, in the file *name*. UserError: it is no kustomization."""
    if not folder.kustomized:
        raise UserError("{path} is no kustomization, so nothing in it can be patched.", path=Code(folder.path))
    return _patching(folder, name, document(tree), kind, of)


def _order(folder: Folder, patch: str) -> list[str]:
    """The overlay's patches before its manifests: they have the last word; pult's own the very last."""
    others = [path for path in folder.texts if path not in {folder.path, folder.beside(patch)}]
    own = [path for path in (folder.beside(patch),) if path in folder.texts]
    return [*own, *reversed(others), *([] if folder.kustomized else [folder.path])]


def _patched(folder: Folder, named: Named, change: Change, patch: str) -> Folder:
    """A strategic merge patch of the overlay's own; the last of its patches, so that it counts."""
    version, kind = KINDS[named.kind]
    path, inner = folder.beside(patch), _merged(_nulled(change).put)
    item: Tree = {"name": change.container, **inner}
    if path in folder.texts:  # it patches another container so far
        text = listed(folder.texts[path], _finder(named, ""), "containers", item)
    else:
        pod: Tree = {"containers": [item]} if change.container else inner
        spec: Tree = {"template": {"spec": pod}}
        text = document({"apiVersion": version, "kind": kind, "metadata": {"name": named.name}, "spec": spec})
    return _patching(folder, patch, text, kind, named.name)


def _patching(folder: Folder, name: str, text: str, kind: str, of: str) -> Folder:
    """*folder* with *text* in the file *name*, which the kustomization lists as a patch of the *kind* called *of*.

    A target finds its object whatever namespace the base writes, where the patch itself may not.
    """
    path, main = folder.beside(name), folder.texts[folder.path]
    kept = folder.with_text(path, text)
    if path in named_files(folder.path, main):
        return kept
    entry: Tree = {"path": name, "target": {"kind": kind, "name": of}}
    return kept.with_text(folder.path, listed(main, first_table, "patches", entry))


def _patches(folder: Folder) -> frozenset[str]:
    """Paths of the files that patch what comes from elsewhere."""
    if not folder.kustomized:
        return frozenset()
    every = tuple(tables(folder.texts[folder.path]))
    names = (name for key in ("patches", "patchesStrategicMerge") for each in every for name in _paths(each, key))
    return frozenset(normpath(folder.beside(name)) for name in names)


def _merged(every: tuple[tuple[tuple[str, ...], Tree], ...]) -> dict[str, Tree]:
    """One table with all values at their paths."""
    merged: dict[str, Tree] = {}
    for path, value in every:
        table = merged
        for name in path[:-1]:
            table = table.setdefault(name, {})  # type: ignore[assignment]
        table[path[-1]] = value
    return merged


def _nulled(change: Change) -> Change:
    """In a patch, what is to go is set to null: what is left out stays as the base has it."""
    nulls: tuple[tuple[tuple[str, ...], Tree], ...] = tuple((path, None) for path in change.dropped)
    return Change(change.container, (*change.put, *nulls))


def _applied(text: str, find: Callable[[str], Table], change: Change) -> str:
    for path, value in change.put:
        text = put(text, find, path, value)
    for path in change.dropped:
        text = drop(text, find, path)
    return text


def _finder(named: Named, container: str) -> Callable[[str], Table]:
    def find(text: str) -> Table:
        found = _pod(text, named, container)
        if found is None:
            raise UserError("The deployment file has no container {name}.", name=Code(container or named.name))
        return found

    return find


def workload(text: str, named: Named) -> Table | None:
    """The manifest of *named*, or a patch of it."""
    _, kind = KINDS[named.kind]
    for table in tables(text):
        meta = table.values.get("metadata")
        if table.text("kind") == kind and isinstance(meta, Table) and meta.text("name") == named.name:
            return table
    return None


def _pod(text: str, named: Named, container: str) -> Table | None:
    """The container's table, or the pod's spec without one. A pod's spec in a patch may be missing: its parent then."""
    table = workload(text, named)
    spec = _down(table, _TO_POD) if table is not None else None
    return _item(spec, container) if spec is not None and container else spec


def _item(spec: Table, container: str) -> Table | None:
    items = spec.values.get("containers")
    every = items.values if isinstance(items, Items) else ()
    return next((each for each in every if isinstance(each, Table) and each.text("name") == container), None)


def _in_values(text: str, named: Named, change: Change) -> str:
    """Helm values: ``resources`` stand at the top, or under the container's or the component's name."""
    if any(path[:1] != ("resources",) for path, _ in change.put) or not change.container:
        raise UserError("The deployment file has no container {name}.", name=Code(change.container or named.name))
    homes = [
        (*start, *name)
        for start in HOMES
        for name in ((), (change.container,), (named.name,))
        if isinstance(_at(text, (*start, *name, "resources")), Table)
    ]
    if len(set(homes)) != 1:
        raise UserError(
            "The deployment file says in {n} places what {name} may use; pult changes one that is alone.",
            n=len(set(homes)), name=Code(change.container),
        )  # fmt: skip

    def find(now: str) -> Table:
        found = _at(now, homes[0])
        assert isinstance(found, Table)
        return found

    return _applied(text, find, change)


def _at(text: str, path: tuple[str, ...]) -> Value | None:
    return next((found for each in tables(text) if (found := _value(each, path))), None)


def _value(value: Value | None, path: tuple[str, ...]) -> Value | None:
    for name in path:
        value = value.values.get(name) if isinstance(value, Table) else None
    return value


def _down(value: Value, path: tuple[str, ...]) -> Table | None:
    found = _value(value, path)
    return found if isinstance(found, Table) else None


def _paths(table: Table, key: str) -> list[str]:
    """Of a list whose items are paths, or tables with one."""
    items = table.values.get(key)
    every = items.values if isinstance(items, Items) else ()
    texts = (each.value if isinstance(each, Scalar) else each.text("path") for each in every
             if isinstance(each, Scalar | Table))  # fmt: skip
    return [text for text in texts if text]


def _kustomization(text: str) -> bool:
    """Its kind may be left out: kubernetes-sigs/kustomize, api/types/kustomization.go. Flux's own is another thing."""
    first = next(tables(text), None)
    if first is None or first.text("apiVersion").startswith("kustomize.toolkit"):
        return False
    if first.text("kind"):
        return first.text("kind") == "Kustomization"
    return any(isinstance(first.values.get(key), Items) for key in ("resources", "images", "patches"))


def first_table(text: str) -> Table:
    """UserError: it has none."""
    found = next(tables(text), None)
    if found is None:
        raise UserError("The deployment file is no YAML that pult can read.")
    return found


def tables(text: str) -> Iterator[Table]:
    """The documents of *text* that are tables."""
    return (each for each in documents(text) if isinstance(each, Table))
