"""Who is at the console: personal token, session cookie, or, in the open demo, a chosen name.

**The session cookie** is ``<name>.<issued>.<mac>``: the name in base64url, Unix seconds, and an HMAC-SHA256 over both
under a key drawn from the stored hash of that person's token. So nothing has to be kept: a session survives a restart
and works on every replica; a new token, or a person taken off the list, ends it; it ends by itself after two weeks;
and it gives away neither the token nor its hash. HttpOnly and SameSite=Strict keep it from scripts and other sites.
"""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import timedelta
from hashlib import sha256
from typing import Final
from urllib.parse import urlsplit

from aiohttp import web

from bot.domain.pacing import Bucket
from bot.domain.people import Directory, Person
from bot.edge.console_parts import LOGIN_BURST, LOGIN_INTERVAL
from bot.ports.clock import Clock

COOKIE: Final = "pult_session"
LIFETIME: Final = timedelta(days=14)
CHOSEN_HEADER: Final = "X-Pult-Person"
CHOSEN_QUERY: Final = "as"
ADDRESSES_KEPT: Final = 1_000
_CONTEXT: Final = b"pult console session 1\n"


class Access:
    """Says who sent a request, and whether it came from our own page."""

    def __init__(self, directory: Directory, clock: Clock, *, opened: bool, public_url: str) -> None:
        self._directory, self._clock, self._opened = directory, clock, opened
        self._public = urlsplit(public_url).netloc.lower()
        self._secure = public_url.startswith("https://")
        self._wrong: dict[str, Bucket] = {}

    def person(self, request: web.Request) -> Person | None:
        """The person behind *request*; None for nobody we know. A wrong token is nobody, whatever else came along."""
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme:
            return self._directory.bearer(token.strip()) if scheme.lower() == "bearer" else None
        if self.chooses(request):
            chosen = request.headers.get(CHOSEN_HEADER) or request.query.get(CHOSEN_QUERY)
            if chosen:
                return self._directory.named(chosen)
        return self._of_session(request.cookies.get(COOKIE, ""))

    def chooses(self, request: web.Request) -> bool:
        """Whether this request may name who it is: open mode, and under a name of this machine.

        The name is checked since a foreign site can point its own name at 127.0.0.1 (DNS rebinding).
        """
        host = urlsplit(f"//{request.host}").hostname or ""
        local = host in {"localhost", "127.0.0.1", "::1"}
        return self._opened and (local or request.host.lower() == self._public)

    def ours(self, request: web.Request) -> bool:
        """Whether a browser sent this from our own page. Programs send no Origin; with a cookie it is required."""
        origin = request.headers.get("Origin")
        if origin is None:
            return request.method != "GET" or COOKIE not in request.cookies or "Authorization" in request.headers
        return urlsplit(origin).netloc.lower() in {request.host.lower(), self._public} - {""}

    def tries(self, address: str) -> float:
        """Seconds until *address* may try another token; 0 means now."""
        bucket = self._wrong.get(address)
        return bucket.delay(self._clock.now()) if bucket else 0.0

    def login(self, token: str, address: str) -> Person | None:
        """The person *token* belongs to; a wrong one is counted against *address*."""
        person = self._directory.bearer(token)
        if person is None:
            now = self._clock.now()
            if len(self._wrong) >= ADDRESSES_KEPT:
                self._wrong.pop(next(iter(self._wrong)))
            self._wrong.setdefault(address, Bucket(LOGIN_INTERVAL, LOGIN_BURST, now)).take(now)
        return person

    def begin(self, response: web.StreamResponse, person: Person, *, secure: bool) -> None:
        """Let *response* start a session of *person*."""
        issued = int(self._clock.now().timestamp())
        name = urlsafe_b64encode(person.name.encode()).decode().rstrip("=")
        response.set_cookie(
            COOKIE, f"{name}.{issued}.{_mac(person, issued)}", max_age=int(LIFETIME.total_seconds()), path="/",
            httponly=True, samesite="Strict", secure=secure or self._secure,
        )  # fmt: skip

    def end(self, response: web.StreamResponse) -> None:
        """Let *response* forget the session."""
        response.del_cookie(COOKIE, path="/", httponly=True, samesite="Strict")

    def _of_session(self, cookie: str) -> Person | None:
        name, _, rest = cookie.partition(".")
        issued, _, mac = rest.partition(".")
        if not (issued.isascii() and issued.isdecimal() and len(issued) < 12):
            return None
        try:
            person = self._directory.named(urlsafe_b64decode(name + "=" * (-len(name) % 4)).decode())
        except ValueError:
            return None
        if person is None or not person.token_hash:
            return None
        age = self._clock.now().timestamp() - int(issued)
        fresh = -60 <= age <= LIFETIME.total_seconds()
        return person if fresh and hmac.compare_digest(_mac(person, int(issued)).encode(), mac.encode()) else None


def _mac(person: Person, issued: int) -> str:
    return hmac.new(person.token_hash.encode(), _CONTEXT + f"{issued} {person.name}".encode(), sha256).hexdigest()
