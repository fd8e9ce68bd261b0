"""Who is who: one person behind a Slack account, a Telegram account, a GitHub login and a console token."""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256

from bot.domain.oncall import Quiet


@dataclass(frozen=True)
class Person:
    """``token_hash`` is the SHA-256 of the console token, in hex, or empty. ``locale``/``zone`` empty: the chat's.

    ``quiet``: when only critical news disturbs them; None: never.
    """

    name: str
    slack: str = ""
    telegram: str = ""
    github: str = ""
    roles: frozenset[str] = frozenset()
    token_hash: str = ""
    locale: str = ""
    zone: str = ""
    quiet: Quiet | None = None

    def account(self, platform: str) -> str:
        """This person's account id on *platform*, or empty."""
        match platform:
            case "slack":
                return self.slack
            case "telegram":
                return self.telegram
            case "console":
                return self.name
            case _:
                return ""


class Directory:
    """Everyone who is listed. Names and accounts are unique (the settings loader checks)."""

    def __init__(self, people: Iterable[Person]) -> None:
        self._people = tuple(people)
        self._by_account: Mapping[tuple[str, str], Person] = {
            (platform, account): person
            for person in self._people
            for platform in ("slack", "telegram", "console")
            if (account := person.account(platform))
        }
        self._by_name = {person.name: person for person in self._people}

    def __iter__(self) -> Iterator[Person]:
        return iter(self._people)

    def find(self, platform: str, account: str) -> Person | None:
        """The person behind *account*, or None for an outsider."""
        return self._by_account.get((platform, account))

    def named(self, name: str) -> Person | None:
        return self._by_name.get(name)

    def holding(self, roles: Iterable[str]) -> tuple[Person, ...]:
        """Everyone with at least one of *roles*."""
        wanted = frozenset(roles)
        return tuple(person for person in self._people if person.roles & wanted)

    def bearer(self, token: str) -> Person | None:
        """The person this console token belongs to. Every entry is compared, in constant time."""
        digest = sha256(token.encode()).hexdigest()
        found = None
        for person in self._people:
            if person.token_hash and hmac.compare_digest(person.token_hash, digest):
                found = person
        return found
