"""Who owns which field, for server-side apply. A reduced managedFields: leaf paths, last writer owns."""

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
    """*after*, saying that *manager* set annotations on the pod template. No other field is listed here."""
    old, new = (annotations_of(spec_of(obj).get("template") or {}) for obj in (before, after))
    changed = [key for key, value in new.items() if old.get(key) != value]
    if not changed:
        return after
    fields: Json = {"f:annotations": {f"f:{key}": {} for key in changed}}
    entry = {
        "manager": manager,
        "operation": "Update",
        "apiVersion": after["apiVersion"],
        "time": stamp(now),
        "fieldsType": "FieldsV1",
        "fieldsV1": {"f:spec": {"f:template": {"f:metadata": fields}}},
    }
    others = [each for each in meta(after).get("managedFields") or () if each["fieldsV1"] != entry["fieldsV1"]]
    return after | {"metadata": meta(after) | {"managedFields": [*others, entry]}}


def _leaves(obj: Json) -> Json:
    return {path: value for path, value in patches.leaves(obj).items() if path not in _IDENTITY}
