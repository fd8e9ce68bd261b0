"""The four ways to patch an object. Pure: document and patch in, new document out."""

import copy
from collections.abc import Callable
from typing import Any, Final

from bot.simulator.kubernetes import errors
from bot.simulator.kubernetes.wire import Json

JSON_PATCH: Final = "application/json-patch+json"
MERGE: Final = "application/merge-patch+json"
STRATEGIC: Final = "application/strategic-merge-patch+json"
APPLY: Final = "application/apply-patch+yaml"

_MERGE_KEYS: Final = {
    "containers": "name",
    "initContainers": "name",
    "ephemeralContainers": "name",
    "env": "name",
    "volumes": "name",
    "imagePullSecrets": "name",
    "volumeMounts": "mountPath",
    "ports": "containerPort",
    "conditions": "type",
    "ownerReferences": "uid",
}
"""List fields merged by key; every other list is replaced (kubernetes/api, ``patchMergeKey`` tags)."""


def merge(document: Any, patch: Any) -> Any:  # noqa: ANN401 - RFC 7396 is about any JSON value
    """RFC 7396: null removes, objects merge, everything else replaces."""
    if not isinstance(patch, dict):
        return copy.deepcopy(patch)
    result = dict(document) if isinstance(document, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merge(result.get(key), value)
    return result


def strategic(document: Json, patch: Json) -> Json:
    """Strategic merge: as *merge*, but known lists merge by their key; ``$patch: delete|replace`` is obeyed."""
    if patch.get("$patch") == "replace":
        return {key: copy.deepcopy(value) for key, value in patch.items() if key != "$patch"}
    result = dict(document)
    for key, value in patch.items():
        if key.startswith("$"):
            continue
        if value is None:
            result.pop(key, None)
        else:
            result[key] = _strategic_value(key, result.get(key), value)
    return result


def _strategic_value(key: str, old: Any, new: Any) -> Any:  # noqa: ANN401 - any JSON value
    if isinstance(new, dict):
        return strategic(old if isinstance(old, dict) else {}, new)
    if isinstance(new, list) and key in _MERGE_KEYS and all(isinstance(item, dict) for item in new):
        return _merge_list(_MERGE_KEYS[key], old if isinstance(old, list) else [], new)
    return copy.deepcopy(new)


def _merge_list(key: str, old: list[Json], new: list[Json]) -> list[Json]:
    result = list(old)
    for item in new:
        if key not in item:
            raise errors.bad_request(f"map: {item} does not contain declared merge key: {key}")
        place = next((index for index, have in enumerate(result) if have.get(key) == item[key]), None)
        if item.get("$patch") == "delete":
            result = [have for have in result if have.get(key) != item[key]]
        elif place is None:
            result.append(strategic({}, item))
        else:
            result[place] = strategic(result[place], item)
    return result


def json_patch(document: Json, operations: list[Json]) -> Json:
    """RFC 6902. 422 when an operation does not fit, a failed ``test`` included."""
    if not isinstance(operations, list):
        raise errors.bad_request("a JSON patch is a list of operations")
    result: Json = copy.deepcopy(document)
    for operation in operations:
        try:
            _OPERATIONS[operation["op"]](result, operation)
        except (KeyError, IndexError, ValueError, TypeError) as error:
            raise errors.unprocessable(f"{operation.get('op')} {operation.get('path')}: {error}") from error
    return result


def _steps(pointer: str) -> list[str]:
    if not pointer.startswith("/"):
        raise ValueError(f"not a JSON pointer: {pointer!r}")
    return [step.replace("~1", "/").replace("~0", "~") for step in pointer[1:].split("/")]


def _walk(document: Any, steps: list[str]) -> Any:  # noqa: ANN401 - any JSON value
    for step in steps:
        document = document[int(step)] if isinstance(document, list) else document[step]
    return document


def _add(document: Json, operation: Json) -> None:
    *path, last = _steps(operation["path"])
    parent = _walk(document, path)
    value = copy.deepcopy(operation["value"])
    if isinstance(parent, list):
        place = len(parent) if last == "-" else int(last)
        if place > len(parent):
            raise IndexError(f"index {place} is out of range")
        parent.insert(place, value)
    else:
        parent[last] = value


def _remove(document: Json, operation: Json) -> None:
    *path, last = _steps(operation["path"])
    parent = _walk(document, path)
    del parent[int(last) if isinstance(parent, list) else last]


def _replace(document: Json, operation: Json) -> None:
    _walk(document, _steps(operation["path"]))
    *path, last = _steps(operation["path"])
    parent = _walk(document, path)
    parent[int(last) if isinstance(parent, list) else last] = copy.deepcopy(operation["value"])


def _test(document: Json, operation: Json) -> None:
    if _walk(document, _steps(operation["path"])) != operation["value"]:
        raise ValueError("testing value failed")


def _copy(document: Json, operation: Json) -> None:
    value = _walk(document, _steps(operation["from"]))
    _add(document, {"path": operation["path"], "value": value})


def _move(document: Json, operation: Json) -> None:
    value = _walk(document, _steps(operation["from"]))
    _remove(document, {"path": operation["from"]})
    _add(document, {"path": operation["path"], "value": value})


_OPERATIONS: Final[dict[str, Callable[[Json, Json], None]]] = {
    "add": _add,
    "remove": _remove,
    "replace": _replace,
    "test": _test,
    "copy": _copy,
    "move": _move,
}


def leaves(document: Any, prefix: str = "") -> dict[str, Any]:  # noqa: ANN401 - any JSON value
    """Dotted path → value of every leaf; lists merged by key are entered, other lists are one leaf."""
    if not isinstance(document, dict):
        return {prefix: document}
    found: dict[str, Any] = {}
    for key, value in document.items():
        path = f"{prefix}.{key}"
        merge_key = _MERGE_KEYS.get(key)
        if merge_key and isinstance(value, list) and all(isinstance(item, dict) for item in value):
            for item in value:
                found |= leaves(item, f'{path}[{merge_key}="{item.get(merge_key)}"]')
        else:
            found |= leaves(value, path)
    return found
