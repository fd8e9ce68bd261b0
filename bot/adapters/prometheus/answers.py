"""Reading Prometheus's answers (contracts.md, section 3). Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Protocol

from bot.domain.errors import PermanentError, RateLimitedError, TemporaryError
from bot.ports.metrics import Sample, Series


class Response(Protocol):
    """What is read of a requests.Response."""

    status_code: int
    text: str

    @property
    def headers(self) -> Mapping[str, str]: ...

    def json(self) -> Any: ...  # noqa: ANN401 - JSON


def samples(data: Mapping[str, Any]) -> tuple[Sample, ...]:
    """Samples of an instant answer's ``data``. PermanentError: the query gives no numbers at one instant."""
    kind, result = data["resultType"], data["result"]
    if kind == "scalar":  # one [time, value] pair
        return (Sample({}, float(result[1])),)
    if kind != "vector":
        raise PermanentError(f"the query gives a {kind}: a number for each series is needed")
    if any("value" not in item for item in result):
        raise PermanentError("the query gives native histograms: a number for each series is needed")
    return tuple(Sample(item["metric"], float(item["value"][1])) for item in result)


def series(result: Iterable[Mapping[str, Any]]) -> tuple[Series, ...]:
    """The rows of a range answer."""
    return tuple(
        Series(item["metric"], tuple((_at(stamp), float(value)) for stamp, value in item.get("values") or ()))
        for item in result
    )


def warnings(answer: Mapping[str, Any]) -> tuple[str, ...]:
    """They stand beside success: the data may be partial."""
    return tuple(str(text) for text in answer.get("warnings") or ())


def verdict(response: Response) -> PermanentError | TemporaryError:
    """A 4xx is the query's fault, or that of our token or address; anything else may pass."""
    status, why = response.status_code, _why(response)
    if status == 429:
        delay = response.headers.get("Retry-After", "")
        return RateLimitedError(f"Prometheus answers 429: {why}", float(delay) if delay.isdecimal() else None)
    if 400 <= status < 500 and status != 408:
        return PermanentError(f"Prometheus refuses the query ({status}): {why}")
    return TemporaryError(f"Prometheus can't answer ({status}): {why}")


def _why(response: Response) -> str:
    """Prometheus's own words; a proxy's, or those while it starts, are plain text."""
    try:
        return str(response.json()["error"])[:300]
    except (ValueError, KeyError, TypeError):
        return response.text[:200]


def _at(stamp: float) -> datetime:
    return datetime.fromtimestamp(stamp, UTC)
