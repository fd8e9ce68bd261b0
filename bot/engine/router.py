"""Router: a person's words to the duty that answers them, and the answer back, once, also across a restart."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from dataclasses import replace
from uuid import uuid4

from bot.domain.cards import Place, Priority, Wish, subject
from bot.domain.commandline import nearest, split
from bot.domain.errors import DeniedError, PermanentError, TemporaryError, UserError
from bot.domain.messages import Message, Paragraph, Tone
from bot.domain.people import Directory, Person
from bot.domain.phrases import Code, Phrase, phrase
from bot.domain.policy import Policy
from bot.domain.requests import Request
from bot.engine.desk import Desk
from bot.engine.meters import Meters
from bot.engine.supervise import patiently
from bot.ports.clock import Clock
from bot.ports.commands import Call, Command, Proposal, Reply
from bot.ports.store import Store, Tx

log = logging.getLogger(__name__)
DEADLINE = 15.0
CONSOLE = "console"


class Router:
    """Finds the person, authorises, runs the command, delivers the reply."""

    def __init__(  # noqa: PLR0913 - what a command's way passes through
        self,
        store: Store,
        clock: Clock,
        *,
        directory: Directory,
        policy: Policy,
        commands: Iterable[Command],
        desk: Desk,
        meters: Meters,
        boot: str = "",
    ) -> None:
        self._store, self._clock, self._directory, self._policy = store, clock, directory, policy
        self._desk, self._meters, self._boot = desk, meters, boot
        self._commands = tuple(commands)
        self._by_word = {word: command for command in self._commands for word in command.words}
        self._group: asyncio.TaskGroup | None = None
        self._started = asyncio.Event()

    async def run(self) -> None:
        """Answer until cancelled."""
        async with asyncio.TaskGroup() as group:
            self._group = group
            self._started.set()
            try:
                await asyncio.Event().wait()
            finally:
                self._group = None

    async def adopt(self) -> None:
        """Answer what a dead process left unanswered. Of several replicas, one does this for all."""
        await self._started.wait()
        left = await self._store.write(lambda tx: tx.take_over(self._boot))
        if self._group is not None:
            for request in left:
                self._group.create_task(self._resume(request))

    async def ask(self, request: Request) -> None:
        """Store *request*, answer it in its place later. UnavailableError: not stored, so don't acknowledge it."""
        if await self._store.write(lambda tx: tx.put_request(request, self._boot)):
            await self._started.wait()
            if self._group is not None:  # else the next start answers it
                self._group.create_task(self._serve(request))

    async def answer(self, request: Request) -> Reply:
        """Store *request*, answer it here and now (console, ``pult ask``)."""
        if not await self._store.write(lambda tx: tx.put_request(request, self._boot)):
            raise UserError("This request was answered already.")
        reply = await self._reply(request)
        now = self._clock.now()
        await self._store.write(lambda tx: tx.answered(request.id, now))
        return reply

    async def _resume(self, request: Request) -> None:
        if request.platform == CONSOLE:  # whoever asked saw the connection break
            now = self._clock.now()
            await self._store.write(lambda tx: self._mine(tx, request) and tx.answered(request.id, now))
        else:
            await self._serve(request)

    async def _serve(self, request: Request) -> None:
        reply = await self._reply(request)
        place = self._spoken(request, request.place if reply.public else request.private)
        # A process that ends meanwhile leaves it unanswered in the store, and the next one, or another replica, runs it
        # again. While this one lives nobody else does.
        await patiently(f"answer to {request.id}", lambda: self._deliver(request, reply, place), self._clock)

    def _mine(self, tx: Tx, request: Request) -> bool:
        return tx.asked_of(request.id) == self._boot

    def _spoken(self, request: Request, place: Place) -> Place:
        """*place* in the person's own language and zone when nobody else reads it (ruling 17)."""
        person = self._directory.find(request.platform, request.account)
        if person is None or (request.shared and not place.private_to):
            return place
        return replace(place, locale=person.locale or place.locale, zone=person.zone or place.zone)

    async def _deliver(self, request: Request, reply: Reply, place: Place) -> None:
        what, now = subject("reply", request.id), self._clock.now()
        shown_as_card = bool(reply.operation) and reply.public and not request.pressed

        def record(tx: Tx) -> None:
            if not self._mine(tx, request) or not tx.answered(request.id, now):
                return  # this process was taken for dead, and another one has answered
            if not shown_as_card:
                tx.put_message(what, _short(reply.message) if request.pressed and reply.public else reply.message)
                tx.show(Wish(what, place, Priority.ANSWER), now)

        await self._store.write(record)

    async def _reply(self, request: Request) -> Reply:
        name, _ = split(request.text)
        command = self._by_word.get(name)
        try:
            return await self._run(request)
        except UserError as error:
            return Reply(_failure(error.phrase), ok=False)
        except (TemporaryError, PermanentError, TimeoutError) as error:
            ref = uuid4().hex[:8]
            log.warning("command failed", extra={"ref": ref, "request": request.id, "error": str(error)})
            return Reply(_failure(_away(error, ref)), ok=False)
        except Exception:
            ref = uuid4().hex[:8]
            log.exception("command broke", extra={"ref": ref, "request": request.id})
            return Reply(
                _failure(phrase("pult could not finish this. Quote {ref} to its administrator.", ref=Code(ref))),
                ok=False,
            )
        finally:
            seconds = (self._clock.now() - request.received_at).total_seconds()
            label = command.name if command else "unknown"
            self._meters.command.labels(label, request.platform).observe(max(0.0, seconds))

    async def _run(self, request: Request) -> Reply:
        name, args = split(request.text)
        person = self._directory.find(request.platform, request.account)
        command = self._by_word.get(name or "help")
        if person is None and (command is None or not command.open):
            if request.pressed or (command is not None and not command.only_reads(args)):
                await self._desk.refused(request.account, request.platform, name, request.text)
            raise UserError(
                "pult serves its own department only. If you belong to it, give this id to the administrator: {id}.",
                id=Code(f"{request.platform}:{request.account or '?'}"),
            )
        if command is None:
            raise self._unknown(name)
        await self._authorise(command, args, person, request)
        call = Call(request, command.name, args, person, self._clock.now())
        async with asyncio.timeout(DEADLINE):
            outcome = await command.run(call)
            if isinstance(outcome, Proposal):
                return await self._desk.propose(call, outcome.plan)
            return outcome

    async def _authorise(
        self, command: Command, args: tuple[str, ...], person: Person | None, request: Request
    ) -> None:
        if command.only_reads(args) or person is None or self._policy.allows(person, command.action):
            return
        await self._desk.refused(person.name, request.platform, command.name, request.text)
        roles = ", ".join(sorted(self._policy.rule(command.action).roles))
        raise DeniedError(
            "You may not use {command}: it takes the role {roles}.", command=Code(command.name), roles=roles
        )

    def _unknown(self, name: str) -> UserError:
        close = nearest(name, self._by_word)
        if close:
            return UserError(
                "There is no command {typed}. Did you mean {near}? {help} lists them all.",
                typed=Code(name[:40]), near=Code(close[0]), help=Code("help"),
            )  # fmt: skip
        return UserError(
            "There is no command {typed}. {help} lists them all.", typed=Code(name[:40]), help=Code("help")
        )


def _short(message: Message) -> Message:
    """For a press whose answer stands as a card of its own: only that it worked."""
    return replace(message, blocks=(), buttons=(), whole="")


def _away(error: Exception, ref: str) -> Phrase:
    """What does not answer, by its name where it is known."""
    if isinstance(error, TemporaryError) and error.said is not None:
        return phrase("{why}. Try again; quote {ref} if it stays.", why=error.said, ref=Code(ref))
    return phrase("A system pult needs for this does not answer. Try again; quote {ref} if it stays.", ref=Code(ref))


def _failure(text: Phrase) -> Message:
    return Message(phrase("That did not work"), Tone.WARNING, (Paragraph(text),))
