"""Who owns which field, for server-side apply. A reduced managedFields: leaf paths, last writer owns."""

from collections.abc import Iterator
from datetime import datetime

from bot.simulator.kubernetes import errors, patches
from bot.simulator.kubernetes.wire import Json, annotations_of, meta, spec_of, stamp

_IDENTITY = (".apiVersion", ".kind", ".metadata.name", ".metadata.namespace", ".metadata.resourceVersion")


class Fields:
    def __init__(self) -> None:
        self._owners: dict[str, dict[str, str]] = {}

    def claim(self, obj: Json, applied: Json, manager: str) -> None:
        """*manager* now owns every leaf it applied."""
        owners = self._owners.setdefault(meta(obj)["uid"], {})
        owners |= dict.fromkeys(_leaves(applied), manager)

    def note(self, before: Json, after: Json, manager: str) -> None:
        """A plain write takes over the leaves whose value it changed."""
        owners = self._owners.setdefault(meta(before)["uid"], {})
        old = patches.leaves(before)
        owners |= {path: manager for path, value in _leaves(after).items() if old.get(path) != value}

    def refuse(self, obj: Json, applied: Json, manager: str) -> None:
        """409 when *applied* changes a leaf that another manager owns."""
        owners, now = self._owners.get(meta(obj)["uid"], {}), patches.leaves(obj)
        foreign = {
            path: owners[path]
            for path, value in _leaves(applied).items()
            if owners.get(path, manager) != manager and now.get(path) != value
        }
        if foreign:
            raise errors.manager_conflict(next(iter(foreign.values())), list(foreign))


def managed(before: Json, after: Json, manager: str, now: datetime) -> Json:
    """*after*, saying who set annotations and images of the pod template. No other field is listed here.

    One entry for each, where the real server has one for each manager: a field still stands in one of them only.
    """
    fields = list(_changed(before, after))
    if not fields:
        return after
    wrote = [
        {
            "manager": manager,
            "operation": "Update",
            "apiVersion": after["apiVersion"],
            "time": stamp(now),
            "fieldsType": "FieldsV1",
            "fieldsV1": {"f:spec": {"f:template": each}},
        }
        for each in fields
    ]
    taken = [entry["fieldsV1"] for entry in wrote]
    others = [each for each in meta(after).get("managedFields") or () if each["fieldsV1"] not in taken]
    return after | {"metadata": meta(after) | {"managedFields": [*others, *wrote]}}


def _changed(before: Json, after: Json) -> Iterator[Json]:
    """Fields of the pod template that differ: all its annotations in one, each container's image in one of its own."""
    old, new = (spec_of(obj).get("template") or {} for obj in (before, after))
    notes = [key for key, value in annotations_of(new).items() if annotations_of(old).get(key) != value]
    if notes:
        yield {"f:metadata": {"f:annotations": {f"f:{key}": {} for key in notes}}}
    images = _images(old)
    for name, image in _images(new).items():
        if images.get(name) != image:
            yield {"f:spec": {"f:containers": {f'k:{{"name":"{name}"}}': {"f:image": {}}}}}


def _images(template: Json) -> dict[str, str]:
    """By container."""
    containers = (template.get("spec") or {}).get("containers") or ()
    return {each["name"]: each.get("image", "") for each in containers}


def _leaves(obj: Json) -> Json:
    return {path: value for path, value in patches.leaves(obj).items() if path not in _IDENTITY}
