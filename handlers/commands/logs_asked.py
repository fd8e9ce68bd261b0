"""What somebody who types ``logs …`` or ``events …`` wants to see."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from bot.domain.durations import parse_duration, write_duration
from bot.domain.errors import UserError
from bot.domain.messages import Button, pressable
from bot.domain.phrases import Code, Phrase
from bot.domain.services import Catalogue, Environment, Service
from bot.ports.commands import Call
from handlers.commands.replies import argument, misuse

SINCE = timedelta(minutes=10)
PREVIOUS = timedelta(days=1)
"""How far back lives of containers that have ended are looked for when nobody says."""
LONGEST = timedelta(days=30)
"""Loki's max_query_length is 30 days and an hour by default."""
_OPTIONS = {
    "since": "since", "за": "since", "grep": "grep", "найти": "grep", "env": "env", "in": "env", "среда": "env",
    "after": "after", "previous": "previous", "прежние": "previous",
}  # fmt: skip


@dataclass(frozen=True)
class Asked:
    """``env`` is the environment that was named, ``environments`` those that it means: all of production without.

    ``after``: only what is newer than an answer that stands already.
    """

    service: Service
    environments: tuple[Environment, ...]
    env: str = ""
    pod: str = ""
    grep: str = ""
    since: timedelta | None = None
    after: datetime | None = None
    previous: bool = False

    def begin(self, now: datetime, default: timedelta) -> datetime:
        """From when on."""
        if self.after:
            return min(self.after, now)
        return now - (self.since or (PREVIOUS if self.previous else default))

    def again(self, name: str, after: datetime | None = None) -> str:
        """The same question in words; *after*: only for what is newer than that."""
        words = [name, self.service.name, self.pod]
        words += ["--grep", _quoted(self.grep)] if self.grep else []
        words += ["--env", self.env] if self.env else []
        words += ["--since", write_duration(self.since)] if self.since and after is None else []
        words += ["--after", str(_milliseconds(after))] if after else []
        return " ".join(filter(None, words))


def asked(call: Call, services: Catalogue, usage: str, *, takes: tuple[str, ...]) -> Asked:
    """The words after the command's name, in any order after the service. *takes*: the options there are."""
    service = services.named(argument(call, 0, usage))
    options: dict[str, str] = {}
    pods: list[str] = []
    words = iter(call.args[1:])
    for word in words:
        name, given = _option(word)
        if not name:
            pods.append(word)
        elif name not in takes:
            raise UserError("{word} is no option here. Write it like this: {usage}", word=Code(word), usage=Code(usage))
        elif name == "previous":
            options[name] = "yes"
        else:
            options[name] = given if given is not None else _value(words, word)
    if len(pods) > ("pod" in takes):
        raise misuse(usage)
    return _made(service, options, pods[0] if pods else "")


def button(label: Phrase, command: str) -> tuple[Button, ...]:
    """A button that asks it, where a button can hold it."""
    return (Button(label, command),) if pressable(command) else ()


def _option(word: str) -> tuple[str, str | None]:
    """The option's name, and what follows its ``=``; an empty name for any other word."""
    if word != "in" and not word.startswith("-"):
        return "", None
    bare, equals, given = word.lstrip("-").partition("=")
    return _OPTIONS.get(bare.casefold(), bare or word), given if equals else None


def _value(words: Iterator[str], option: str) -> str:
    value = next(words, None)
    if value is None:
        raise UserError("Something is missing after {option}.", option=Code(option))
    return value


def _made(service: Service, options: dict[str, str], pod: str) -> Asked:
    env = options.get("env", "")
    environments = (service.environment(env),) if env else service.production
    return Asked(
        service, environments, env, pod, options.get("grep", ""), _since(options.get("since")),
        _after(options.get("after")), "previous" in options,
    )  # fmt: skip


def _since(written: str | None) -> timedelta | None:
    if written is None:
        return None
    try:
        length = parse_duration(written)
    except ValueError:
        raise UserError(
            "{text} is no length of time: write it like {examples}.",
            text=Code(written[:40]),
            examples="30s, 5m, 2h, 7d",
        ) from None
    if not timedelta() < length <= LONGEST:
        raise UserError("Ask for a time between {least} and {most}.", least=Code("1s"), most=Code("30d"))
    return length


def _after(written: str | None) -> datetime | None:
    if written is None:
        return None
    if not (written.isdecimal() and len(written) == 13):
        raise UserError("{text} is no moment: the button Newer makes it.", text=Code(written[:40]))
    return datetime.fromtimestamp(int(written) // 1000, UTC) + timedelta(milliseconds=int(written) % 1000)


def _milliseconds(at: datetime) -> int:
    return int(at.timestamp()) * 1000 + at.microsecond // 1000


def _quoted(text: str) -> str:
    return f'"{text}"' if " " in text else text
