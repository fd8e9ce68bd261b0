"""Label and field selectors, as the list and watch parameters spell them."""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from bot.simulator.kubernetes import errors
from bot.simulator.kubernetes.wire import Json, labels_of

Test = Callable[[Json], bool]

_SET: Final = re.compile(r"^(?P<key>[^\s!=,()]+)\s+(?P<op>in|notin)\s+\((?P<values>[^)]*)\)$")
_EQUAL: Final = re.compile(r"^(?P<key>[^\s!=,()]+)\s*(?P<op>==|=|!=)\s*(?P<value>[^\s,()]*)$")
_EXISTS: Final = re.compile(r"^(?P<not>!?)\s*(?P<key>[^\s!=,()]+)$")

_FIELDS: Final = (
    "metadata.name",
    "metadata.namespace",
    "spec.nodeName",
    "spec.unschedulable",
    "status.phase",
    "type",
    "reason",
    "involvedObject.kind",
    "involvedObject.name",
    "involvedObject.namespace",
    "involvedObject.uid",
)
"""Field paths accepted; the real server has a list per type and refuses the rest just the same."""


def labels(selector: str) -> Test:
    """``app=api,tier in (a,b),!canary``. 400 when it cannot be parsed."""
    tests = [_label_test(part.strip()) for part in _split(selector)]
    return lambda obj: all(test(labels_of(obj)) for test in tests)


def fields(selector: str) -> Test:
    """``metadata.name=x,status.phase!=Running``. 400 for a field that is not selectable."""
    tests = [_field_test(part.strip()) for part in selector.split(",") if part.strip()]
    return lambda obj: all(test(obj) for test in tests)


def matches(selector: Mapping[str, Any], obj: Json) -> bool:
    """A LabelSelector object (matchLabels, matchExpressions); an empty one matches everything."""
    found = labels_of(obj)
    exact = all(found.get(key) == value for key, value in (selector.get("matchLabels") or {}).items())
    return exact and all(_expression(expr, found) for expr in selector.get("matchExpressions") or ())


def _expression(expr: Mapping[str, Any], found: dict[str, str]) -> bool:
    key, values = expr["key"], expr.get("values") or ()
    match expr["operator"]:
        case "In":
            return found.get(key) in values
        case "NotIn":
            return found.get(key) not in values
        case "Exists":
            return key in found
        case _:
            return key not in found


def _split(selector: str) -> list[str]:
    """At commas, but not inside parentheses."""
    return [part for part in re.split(r",(?![^(]*\))", selector) if part.strip()]


def _label_test(part: str) -> Callable[[dict[str, str]], bool]:
    if found := _SET.match(part):
        key, wanted = found["key"], {value.strip() for value in found["values"].split(",")}
        inside = found["op"] == "in"
        return lambda have: (have.get(key) in wanted) is inside
    if found := _EQUAL.match(part):
        key, value, equal = found["key"], found["value"], found["op"] != "!="
        return lambda have: (have.get(key) == value) is equal
    if found := _EXISTS.match(part):
        key, present = found["key"], not found["not"]
        return lambda have: (key in have) is present
    raise errors.bad_request(f"unable to parse requirement: {part!r}")


def _field_test(part: str) -> Test:
    found = _EQUAL.match(part)
    if found is None:
        raise errors.bad_request(f"invalid field selector: {part!r}")
    path, value, equal = found["key"], found["value"], found["op"] != "!="
    if path not in _FIELDS:
        raise errors.bad_request(f'Unable to find "{path}" that matches field selector: field label not supported')
    return lambda obj: (_field(obj, path) == value) is equal


def _field(obj: Json, path: str) -> str:
    here: Any = obj
    for step in path.split("."):
        here = here.get(step) if isinstance(here, dict) else None
    if isinstance(here, bool):
        return str(here).lower()
    return "" if here is None else str(here)
