"""As much of LogQL as people and pult write: selectors, line and label filters, counts. Source: Loki's docs, LogQL."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, NoReturn

EMPTY: Final = (
    "parse error : queries require at least one regexp or equality matcher that does not have an empty-compatible"
    ' value. For instance, app=~".*" does not meet this requirement, but app=~".+" will'
)
_TOKEN: Final = re.compile(
    r"""(?P<blank>\s+)|(?P<STRING>"(?:[^"\\\n]|\\.)*"|`[^`]*`)|(?P<RANGE>\[\d+(?:ms|s|m|h|d|w)\])"""
    r"""|(?P<IDENTIFIER>[A-Za-z_]\w*)|(?P<NUMBER>\d+(?:\.\d+)?)|(?P<sign>\|=|\|~|!=|!~|=~|[{}(),=|])"""
)
_UNITS: Final = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
Labels = Mapping[str, str]
Test = Callable[[Labels, str], bool]


class QueryError(Exception):
    """Answered 400 in plain text."""


@dataclass(frozen=True)
class Query:
    """``seconds``: the range that is counted, None for lines. ``by``: labels that are kept, None for all of them."""

    selects: Callable[[Labels], bool]
    keeps: tuple[Test, ...]
    seconds: float | None = None
    by: tuple[str, ...] | None = None

    def takes(self, labels: Labels, line: str) -> bool:
        return all(test(labels, line) for test in self.keeps)


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str
    at: int


def parse(text: str) -> Query:
    """QueryError in Loki's words."""
    return _Parser(text).query()


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = list(self._split())
        self._next = 0

    def _split(self) -> Iterator[_Token]:
        at = 0
        while at < len(self._text):
            found = _TOKEN.match(self._text, at)
            if found is None:
                odd = self._text[at]
                why = {'"': "literal not terminated", "`": "literal not terminated", "'": "invalid char literal"}
                raise QueryError(
                    f"parse error at line 1, col {at + 1}: {why.get(odd, f'unexpected character {odd!r}')}"
                )
            kind = found.lastgroup or ""
            if kind != "blank":
                yield _Token(found[0] if kind == "sign" else kind, found[0], at)
            at = found.end()

    def query(self) -> Query:
        found = self._expression()
        if self._peek() is not None:
            self._unexpected()
        return found

    def _expression(self) -> Query:
        word = self._peek()
        if word is None or word.text not in ("sum", "count_over_time"):
            return self._log()
        self._take("IDENTIFIER")
        by = self._grouping() if word.text == "sum" else None
        self._take("(")
        inner = self._expression() if word.text == "sum" else self._log()
        if word.text == "sum":
            if inner.seconds is None:
                self._unexpected()
            found = Query(inner.selects, inner.keeps, inner.seconds, by or ())
        else:
            length = re.fullmatch(r"\[(\d+)(\w+)\]", self._take("RANGE").text)
            assert length is not None
            found = Query(inner.selects, inner.keeps, int(length[1]) * _UNITS[length[2]])
        self._take(")")
        return found

    def _grouping(self) -> tuple[str, ...]:
        ahead = self._peek()
        if ahead is None or ahead.text != "by":
            return ()
        self._take("IDENTIFIER")
        self._take("(")
        names = [self._take("IDENTIFIER").text]
        while self._peeks(","):
            self._take(",")
            names.append(self._take("IDENTIFIER").text)
        self._take(")")
        return tuple(names)

    def _log(self) -> Query:
        self._take("{")
        matchers = [self._matcher()]
        while self._peeks(","):
            self._take(",")
            matchers.append(self._matcher())
        self._take("}")
        if all(test("") for _, test in matchers):
            raise QueryError(EMPTY)
        return Query(lambda labels: all(test(labels.get(name, "")) for name, test in matchers), tuple(self._pipeline()))

    def _matcher(self) -> tuple[str, Callable[[str], bool]]:
        name = self._take("IDENTIFIER").text
        sign = self._take("=", "!=", "=~", "!~").text
        value = self._string()
        if sign in ("=", "!="):
            return name, lambda had: (had == value) is (sign == "=")
        pattern = _compiled(value)
        return name, lambda had: bool(pattern.fullmatch(had)) is (sign == "=~")

    def _pipeline(self) -> Iterator[Test]:
        while token := self._peek():
            if token.kind in ("|=", "!=", "|~", "!~"):
                yield self._line_filter(self._take(token.kind).text)
            elif token.kind == "|":
                self._take("|")
                yield from self._stage()
            else:
                return

    def _line_filter(self, sign: str) -> Test:
        value = self._string()
        if sign in ("|=", "!="):
            return lambda _, line: (value in line) is (sign == "|=")
        pattern = _compiled(value)
        return lambda _, line: bool(pattern.search(line)) is (sign == "|~")

    def _stage(self) -> Iterator[Test]:
        """A parser changes no line; a label filter looks at the stream's labels."""
        ahead = self._peek()
        if ahead is not None and ahead.text in ("json", "logfmt"):
            self._take("IDENTIFIER")
            return
        name, test = self._matcher()
        yield lambda labels, _: test(labels.get(name, ""))

    def _string(self) -> str:
        token = self._take("STRING")
        if token.text.startswith("`"):
            return token.text[1:-1]
        try:
            found: str = json.loads(token.text, strict=False)
        except ValueError:
            raise QueryError(f"parse error at line 1, col {token.at + 1}: invalid char escape") from None
        return found

    def _peek(self) -> _Token | None:
        return self._tokens[self._next] if self._next < len(self._tokens) else None

    def _peeks(self, kind: str) -> bool:
        ahead = self._peek()
        return ahead is not None and ahead.kind == kind

    def _take(self, *kinds: str) -> _Token:
        token = self._peek()
        if token is None or token.kind not in kinds:
            self._unexpected(kinds)
        self._next += 1
        return token

    def _unexpected(self, wanted: tuple[str, ...] = ()) -> NoReturn:
        token = self._peek()
        at, found = (len(self._text), "$end") if token is None else (token.at, token.kind)
        expecting = f", expecting {' or '.join(wanted)}" if wanted else ""
        raise QueryError(f"parse error at line 1, col {at + 1}: syntax error: unexpected {found}{expecting}")


def _compiled(text: str) -> re.Pattern[str]:
    try:
        return re.compile(text)
    except re.error as error:
        raise QueryError(f"parse error : error parsing regexp: {error}: `{text}`") from error
