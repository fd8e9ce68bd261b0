"""GitHub's expressions, as far as pult's workflows use them; anything else is refused and never guessed."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:[^']|'')*')|(?P<word>[A-Za-z_][\w.-]*)|(?P<number>\d+)|(?P<sign>&&|\|\||[!=]=|[!(),]))"
)
WHOLE = re.compile(r"\$\{\{(.*?)\}\}", re.DOTALL)
Call = Callable[..., Any]
FUNCTIONS: Mapping[str, Call] = {
    "startsWith": lambda text, start: str(text).lower().startswith(str(start).lower()),
    "contains": lambda whole, part: str(part).lower() in str(whole).lower(),
    "toJSON": lambda value: json.dumps(value, indent=2),
}


class ExpressionError(Exception):
    """Something that is not understood here."""


def filled(text: Any, known: Mapping[str, Any]) -> str:  # noqa: ANN401 - YAML
    """*text* with every ``${{ … }}`` in it evaluated."""
    return WHOLE.sub(lambda found: shown(evaluate(found.group(1), known)), shown(text))


def shown(value: Any) -> str:  # noqa: ANN401 - JSON
    """As GitHub puts a value into text."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case dict() | list():
            return json.dumps(value)
    return str(value)


def evaluate(text: str, known: Mapping[str, Any]) -> Any:  # noqa: ANN401 - JSON
    """The value of one expression. Functions of *known* (``success`` and its like) stand beside FUNCTIONS."""
    return _Reader(text, known).whole()


class _Reader:
    """One pass, left to right; what is lazy on GitHub has no effects, so that all of it may be evaluated."""

    def __init__(self, text: str, known: Mapping[str, Any]) -> None:
        self._text, self._known = text, known
        self._tokens, at = [], 0
        while text[at:].strip():
            found = TOKEN.match(text, at)
            if found is None:
                raise ExpressionError(f"not understood: {text.strip()} at {text[at:].strip()}")
            self._tokens.append((str(found.lastgroup), found.group(str(found.lastgroup))))
            at = found.end()

    def whole(self) -> Any:  # noqa: ANN401
        value = self._any()
        if self._tokens:
            raise ExpressionError(f"not understood: {self._text.strip()} at {self._tokens[0][1]}")
        return value

    def _any(self) -> Any:  # noqa: ANN401
        value = self._all()
        while self._takes("||"):
            other = self._all()
            value = value or other
        return value

    def _all(self) -> Any:  # noqa: ANN401
        value = self._same()
        while self._takes("&&"):
            other = self._same()
            value = value and other
        return value

    def _same(self) -> Any:  # noqa: ANN401
        value = self._not()
        for sign, wanted in (("==", True), ("!=", False)):
            if self._takes(sign):
                return (shown(value).lower() == shown(self._not()).lower()) is wanted
        return value

    def _not(self) -> Any:  # noqa: ANN401
        return not self._not() if self._takes("!") else self._one()

    def _one(self) -> Any:  # noqa: ANN401
        if self._takes("("):
            value = self._any()
            self._needs(")")
            return value
        kind, word = self._tokens.pop(0) if self._tokens else ("", "")
        match kind:
            case "text":
                return word[1:-1].replace("''", "'")
            case "number":
                return int(word)
            case "word" if self._takes("("):
                return self._called(word)
            case "word":
                return (
                    {"true": True, "false": False, "null": None}[word]
                    if word in ("true", "false", "null")
                    else self._found(word)
                )
        raise ExpressionError(f"not understood: {self._text.strip()}")

    def _called(self, name: str) -> Any:  # noqa: ANN401
        given = []
        while not self._takes(")"):
            given.append(self._any())
            self._takes(",")
        call = FUNCTIONS.get(name) or self._known.get(name)
        if not callable(call):
            raise ExpressionError(f"no function {name} here")
        return call(*given)

    def _found(self, path: str) -> Any:  # noqa: ANN401
        """What *path* names; a name that a context has not is nothing, as on GitHub, but the context must be known."""
        first, *others = path.split(".")
        if first not in self._known:
            raise ExpressionError(f"no context {first} here")
        value: Any = self._known[first]
        for name in others:
            value = value.get(name) if isinstance(value, Mapping) else None
        return value

    def _takes(self, sign: str) -> bool:
        if self._tokens and self._tokens[0] == ("sign", sign):
            self._tokens.pop(0)
            return True
        return False

    def _needs(self, sign: str) -> None:
        if not self._takes(sign):
            raise ExpressionError(f"{sign} is missing in {self._text.strip()}")
