"""A few words to write down what a block may look like, and Slack's sentences for what is wrong."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]


@dataclass
class Problems:
    """What the validator found: sentences with their json-pointer, in reading order."""

    found: list[str] = field(default_factory=list)

    def add(self, pointer: str, sentence: str) -> None:
        self.found.append(f"{sentence} [json-pointer:{pointer}]")


Check = Callable[[object, str, Problems], None]


@dataclass(frozen=True)
class Field:
    """One property of an object."""

    check: Check
    required: bool = False


def need(check: Check) -> Field:
    return Field(check, required=True)


def may(check: Check) -> Field:
    return Field(check)


def string(most: int, least: int = 1) -> Check:
    """A string of *least* to *most* characters."""

    def check(value: object, pointer: str, problems: Problems) -> None:
        if not isinstance(value, str):
            problems.add(pointer, "must be a valid string")
        elif len(value) < least:
            problems.add(pointer, f"must be more than {least - 1} characters")
        elif len(value) > most:
            problems.add(pointer, f"must be less than {most + 1} characters")

    return check


def choice(*allowed: str) -> Check:
    def check(value: object, pointer: str, problems: Problems) -> None:
        if value not in allowed:
            problems.add(pointer, f"must be one of: {', '.join(allowed)}")

    return check


def boolean(value: object, pointer: str, problems: Problems) -> None:
    if not isinstance(value, bool):
        problems.add(pointer, "must be a boolean")


def number(value: object, pointer: str, problems: Problems) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        problems.add(pointer, "must be a number")


def integer(least: int, most: int) -> Check:
    def check(value: object, pointer: str, problems: Problems) -> None:
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            problems.add(pointer, f"must be an integer from {least} to {most}")

    return check


def anything(value: object, pointer: str, problems: Problems) -> None:
    """For parts whose inside Slack documents nowhere."""
    if value is None:
        problems.add(pointer, "must not be null")


def listing(item: Check, most: int, least: int = 1) -> Check:
    """An array of *least* to *most* items."""

    def check(value: object, pointer: str, problems: Problems) -> None:
        if not isinstance(value, list):
            problems.add(pointer, "must provide an array")
            return
        if len(value) > most:
            problems.add(pointer, f"no more than {most} items allowed")
        if len(value) < least:
            problems.add(pointer, f"no less than {least} items allowed")
        for index, one in enumerate(value):
            item(one, f"{pointer}/{index}", problems)

    return check


def shape(fields: Mapping[str, Field], also: Callable[[Json, str, Problems], None] | None = None) -> Check:
    """An object with exactly these fields (`type` is checked by `variant`); *also* sees the whole object."""

    def check(value: object, pointer: str, problems: Problems) -> None:
        if not isinstance(value, dict):
            problems.add(pointer, "must provide an object")
            return
        for name in sorted(map(str, value.keys() - fields.keys() - {"type"})):
            problems.add(pointer, f"invalid additional property: {name}")
        for name, rule in fields.items():
            if name in value:
                rule.check(value[name], f"{pointer}/{name}", problems)
            elif rule.required:
                problems.add(pointer, f"missing required field: {name}")
        if also is not None:
            also(value, pointer, problems)

    return check


def variant(table: Mapping[str, Check]) -> Check:
    """An object whose `type` names its shape. *table* may be filled later: blocks contain blocks."""

    def check(value: object, pointer: str, problems: Problems) -> None:
        if not isinstance(value, dict):
            problems.add(pointer, "must provide an object")
            return
        kind = value.get("type")
        rule = table.get(kind) if isinstance(kind, str) else None
        if rule is None:
            problems.add(f"{pointer}/type", f"unsupported type: {kind}")
        else:
            rule(value, pointer, problems)

    return check


def only_one_of(*names: str) -> Callable[[Json, str, Problems], None]:
    """Exactly one of the fields *names*."""

    def check(value: Json, pointer: str, problems: Problems) -> None:
        if sum(name in value for name in names) != 1:
            problems.add(pointer, f"must have exactly one of: {', '.join(names)}")

    return check


def at_least_one_of(*names: str) -> Callable[[Json, str, Problems], None]:
    def check(value: Json, pointer: str, problems: Problems) -> None:
        if not any(name in value for name in names):
            problems.add(pointer, f"must have at least one of: {', '.join(names)}")

    return check
