"""``sync <service> [environment]``: have Argo CD or Flux look at git now, and apply what is there."""

from __future__ import annotations

from collections.abc import Iterable

from bot.domain.errors import UserError
from bot.domain.phrases import Code, Phrase, phrase
from bot.domain.plans import Plan, PlannedStep
from bot.domain.revisions import short
from bot.domain.services import NO_TOOL, TOOLS, Catalogue, Environment, Service
from bot.ports.commands import Call, Command, Proposal
from bot.ports.gitops import Applied, GitOps
from handlers.commands.replies import argument, chosen_environment, params

USAGE = "sync <service> [environment]"


def duty(tool: GitOps, services: Catalogue) -> Command:
    """Plans on what the tool says now; what is in step already is looked at all the same."""

    async def run(call: Call) -> Proposal:
        service = services.named(argument(call, 0, USAGE))
        environment = _environment(call, service)
        if environment.gitops.tool == NO_TOOL:
            raise UserError(
                "Neither Argo CD nor Flux brings git to {service} in {environment}: {promote} changes it.",
                service=service.name, environment=environment.name, promote=Code(f"promote {service.name} VERSION"),
            )  # fmt: skip
        found = await tool.state(environment)
        if found.suspended:
            raise UserError(
                "{tool} is suspended for {service} in {environment}; resume it there first.",
                tool=TOOLS[environment.gitops.tool], service=service.name, environment=environment.name,
            )  # fmt: skip
        return Proposal(_plan(service, environment, found))

    example = next((each.name for each in services if each.primary.gitops.tool != NO_TOOL), "api")
    return Command(
        ("sync", "синхронизировать", "синхронизируй"), USAGE,
        phrase("have Argo CD or Flux look at git now and apply it"), run, "sync",
        examples=(f"sync {example}",),
    )  # fmt: skip


def _environment(call: Call, service: Service) -> Environment:
    """``sync api staging`` and ``sync api in staging``."""
    chosen, rest = chosen_environment(call, service, "in")
    return service.environment(rest[0]) if rest else chosen


def _plan(service: Service, environment: Environment, found: Applied) -> Plan:
    brought, name = environment.gitops, Code(environment.gitops.application)
    return Plan(
        action="sync",
        title=phrase("Sync {service} in {environment}", service=service.name, environment=environment.name),
        service=service.name,
        environment=environment.name,
        steps=(
            PlannedStep("ask", phrase("Ask {tool} to look at git for {name}", tool=TOOLS[brought.tool], name=name)),
            PlannedStep("sync", phrase("Watch until what git says is applied and healthy")),
        ),
        params={
            **params(environment), "tool": brought.tool, "application": brought.application, "repo": brought.repo,
            "was": found.revision if found.synced else "",
        },
        blast=tuple(_blast(found)),
        evidence=((phrase("Now"), _now(found)),),
        lock=f"{service.name} in {environment.name}",
    )  # fmt: skip


def _now(found: Applied) -> Phrase:
    at = Code(short(found.revision) or "?")
    if found.done:
        return phrase("in step with git at {revision}", revision=at)
    if found.revision == found.wanted:
        return phrase("{revision} is applied, {why}", revision=at, why=found.stuck or found.drift or found.doing or "?")
    return phrase("{revision} is applied, git has {wanted}", revision=at, wanted=Code(short(found.wanted) or "?"))


def _blast(found: Applied) -> Iterable[Phrase]:
    if found.drift:
        yield phrase("What was changed by hand is put back: {what}", what=found.drift)
