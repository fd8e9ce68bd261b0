"""``audit posture [service] [in <environment>] [--pull]``: what workloads lack, and one pull request that mends it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from bot.domain.errors import UserError
from bot.domain.messages import Aside, Block, Button, Lines, Message, Paragraph, Preformatted, Style, Tone, pressable
from bot.domain.phrases import Code, Phrase, counted, phrase
from bot.domain.plans import Plan
from bot.domain.posture import Weight
from bot.domain.posture_changes import applied, shown
from bot.domain.services import Catalogue
from bot.ports.anatomies import Anatomies
from bot.ports.commands import Call, Proposal, Reply
from bot.ports.forge import Forge
from handlers.cards import posture
from handlers.cards.posture import Row
from handlers.commands.replies import chosen_environment, said
from handlers.shaping import folders, postures
from handlers.shaping.postures import Posture
from handlers.shaping.pulls import Wanted, asked_to_pull, plan

LISTED = 15
"""Rows of the table of all services; the whole is attached."""


class Ask:
    """``audit``'s subword."""

    def __init__(self, anatomies: Anatomies, services: Catalogue, forge: Forge | None) -> None:
        self._anatomies, self._services, self._forge = anatomies, services, forge

    async def __call__(self, call: Call) -> Reply | Proposal:
        """Looking needs no role; the desk asks for it where a pull request is wanted."""
        pulled, args = asked_to_pull(call.args[1:])
        if not args:
            if pulled:
                raise UserError("Name the service: {usage}", usage=Code("audit posture SERVICE --pull"))
            return _all(*await postures.looked_at(self._anatomies, self._services))
        service = self._services.named(args[0])
        environment, _ = chosen_environment(replace(call, args=args), service, "in")
        found = postures.judged(service, environment, await self._anatomies.anatomy(environment))
        return Proposal(await _plan(found, self._forge)) if pulled else _one(found, self._forge)


def asked(anatomies: Anatomies, services: Catalogue, forge: Forge | None) -> Ask:
    """For the audit command."""
    return Ask(anatomies, services, forge)


def _all(found: list[Posture], silent: list[str]) -> Reply:
    rows = sorted((row for each in found for row in each.rows), key=lambda row: -row.finding.weight)
    blocks: list[Block] = [posture.table(rows[:LISTED], named=True)] if rows else []
    unknown = tuple(dict.fromkeys(name for each in found for name in each.anatomy.unknown))
    if unread := posture.unread(unknown):
        blocks.append(unread)
    if lines := tuple(postures.unread(silent)):
        blocks.append(Lines(lines))
    if len(rows) > LISTED:
        left = len(rows) - LISTED
        more = counted(
            "{n} more, less bad; name a service to see it", "{n} more, less bad; name a service to see them", left
        )
        blocks.append(Aside(more))
    return Reply(Message(_verdict(rows, silent), _tone(rows, silent), tuple(blocks)))


def _one(found: Posture, forge: Forge | None) -> Reply:
    rows = found.rows
    title = phrase("Posture of {service} in {environment}", service=found.service.name,
                   environment=found.environment.name)  # fmt: skip
    blocks: list[Block] = [posture.table(rows, named=False)] if rows else [Paragraph(phrase("Nothing is missing."))]
    if unread := posture.unread(found.anatomy.unknown):
        blocks.append(unread)
    remedies = [(row, row.remedy) for row in rows if row.remedy is not None]
    if cautions := _cautions(row for row, _ in remedies):
        blocks.append(Lines(cautions))
    why = folders.unknown(forge, found.environment)
    if remedies and why is not None:
        blocks.append(Lines((why.phrase,)))
    if remedies:
        blocks.append(Preformatted("---\n".join(shown(each, found.named) for _, each in remedies)))
    command = f"audit posture {found.service.name} in {found.environment.name} --pull"
    button = Button(phrase("Propose a pull request"), command, style=Style.PRIMARY)
    able = bool(remedies) and why is None and pressable(command)
    return said(title, *blocks, tone=_tone(rows, ()), buttons=(button,) if able else ())


async def _plan(found: Posture, forge: Forge | None) -> Plan:
    """Whatever can be written where git keeps it; the rest is said."""
    was = await folders.read(forge, found.environment)
    now, done, left = was.folder, list[Row](), list[tuple[Phrase, Phrase]]()
    for row in found.rows:
        if row.remedy is None:
            continue
        try:
            now = applied(now, row.remedy, found.named)
        except UserError as error:
            left.append((phrase("Left out: {what}", what=posture.WORDS[row.finding.flaw]), error.phrase))
        else:
            done.append(row)
    if not done:
        raise UserError("Nothing of it can be written into {path}.", path=Code(was.folder.path)) from None
    name, environment = found.service.name, found.environment.name
    wanted = Wanted(
        "posture",
        phrase("Mend the posture of {service} in {environment}", service=name, environment=environment),
        f"fix({name}): what {environment} lacks to survive a drain, a neighbour or an intruder",
        _body(done),
        _cautions(done),
        (*((_where(row), posture.WORDS[row.finding.flaw]) for row in done), *left),
    )  # fmt: skip
    return plan(found.service, found.environment, was, now, wanted)


def _cautions(rows: Iterable[Row]) -> tuple[Phrase, ...]:
    """What a reviewer has to know, each once."""
    flaws = dict.fromkeys(row.finding.flaw for row in rows)
    return tuple(posture.CAUTIONS[flaw] for flaw in flaws if flaw in posture.CAUTIONS)


def _where(row: Row) -> Phrase:
    return phrase("{container}", container=row.finding.about or row.service)


def _body(done: list[Row]) -> str:
    lines = []
    for row in done:
        caution = posture.CAUTIONS.get(row.finding.flaw)
        about = f" (`{row.finding.about}`)" if row.finding.about else ""
        lines.append(
            f"- {posture.WORDS[row.finding.flaw].plain()}{about}" + (f". {caution.plain()}" if caution else "")
        )
    return "\n".join(lines)


def _verdict(rows: list[Row], silent: list[str]) -> Phrase:
    if rows:
        return counted("Posture: {n} finding", "Posture: {n} findings", len(rows))
    return phrase("Posture: not known of all") if silent else phrase("Posture: nothing is missing")


def _tone(rows: Iterable[Row], silent: Iterable[str]) -> Tone:
    weights = {row.finding.weight for row in rows}
    if Weight.BAD in weights or (not weights and list(silent)):
        return Tone.WARNING
    return Tone.INFO if weights else Tone.OK
