"""Labels, samples, numbers, errors: the words of the query language and their JSON."""

import math
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import NamedTuple

Labels = tuple[tuple[str, str], ...]
"""Sorted by name, without empty values."""
NAME = "__name__"


class Element(NamedTuple):
    """One series at one instant."""

    labels: Labels
    value: float


Vector = list[Element]
Value = float | str | Vector
Points = list[tuple[float, float]]
"""(Unix seconds, value), oldest first."""


class QueryError(Exception):
    """A refused query. *kind* is Prometheus's errorType, *status* the HTTP status that goes with it."""

    def __init__(self, kind: str, message: str, status: int) -> None:
        super().__init__(message)
        self.kind = kind
        self.status = status


def bad_data(message: str) -> QueryError:
    return QueryError("bad_data", message, 400)


def execution(message: str) -> QueryError:
    return QueryError("execution", message, 422)


def unsupported(what: str) -> QueryError:
    return execution(f"{what} is not supported by the simulator")


def labels(given: Mapping[str, str]) -> Labels:
    return tuple(sorted((name, value) for name, value in given.items() if value))


def keep(given: Labels, names: Iterable[str]) -> Labels:
    wanted = set(names)
    return tuple(pair for pair in given if pair[0] in wanted)


def drop(given: Labels, names: Iterable[str]) -> Labels:
    unwanted = set(names)
    return tuple(pair for pair in given if pair[0] not in unwanted)


def unnamed(given: Labels) -> Labels:
    return drop(given, (NAME,))


def shown(given: Labels) -> str:
    """As Prometheus writes labels in its errors."""
    return "{" + ", ".join(f'{name}="{value}"' for name, value in given) + "}"


def number(value: float) -> str:
    """As Go's ``FormatFloat(v, 'f', -1, 64)``, with an exponent below 1e-6 and from 1e21 on."""
    special = _special(value)
    if special:
        return special
    if value and not 1e-6 <= abs(value) < 1e21:
        return exponent(value)
    text = format(Decimal(repr(value)), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def exponent(value: float) -> str:
    """As Go's ``FormatFloat(v, 'e', -1, 64)``: 1.734e-01."""
    special = _special(value)
    if special:
        return special
    sign, digits, power = Decimal(repr(value)).normalize().as_tuple()
    power = int(power) + len(digits) - 1 if any(digits) else 0
    head, tail = str(digits[0]), "".join(map(str, digits[1:]))
    return f"{'-' * sign}{head}{'.' + tail if tail else ''}e{power:+03d}"


def _special(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    return ("+Inf" if value > 0 else "-Inf") if math.isinf(value) else ""


def stamp(seconds: float) -> float | int:
    """A JSON timestamp: Unix seconds with milliseconds."""
    rounded = round(seconds, 3)
    return int(rounded) if rounded == int(rounded) else rounded
