"""``restart <service> [pod] [in <environment>]``: a plan for a rolling restart, or for one pod."""

from __future__ import annotations

from bot.domain.errors import UserError
from bot.domain.phrases import Code, phrase
from bot.domain.plans import Plan, PlannedStep
from bot.domain.services import Catalogue, Environment, Service
from bot.ports.cluster import Cluster, Rollout
from bot.ports.commands import Call, Command, Proposal
from handlers.commands.replies import argument, env_named, params, unpaused, workload

USAGE = "restart <service> [pod] [in <environment>]"


def duty(cluster: Cluster, services: Catalogue) -> Command:
    """Looks at the workload now and plans on what it sees."""

    async def run(call: Call) -> Proposal:
        service = services.named(argument(call, 0, USAGE))
        environment, rest = env_named(call, service)
        target = workload(environment)
        rollout = unpaused(target, await cluster.rollout(target))
        if rest:
            pods = {pod.name for pod in await cluster.pods(target)}
            if rest[0] not in pods:
                raise UserError(
                    "{service} has no pod {pod}. {pods} lists them.",
                    service=service.name,
                    pod=Code(rest[0][:60]),
                    pods=Code(f"pods {service.name}"),
                )
            return Proposal(_one_pod(service, environment, rest[0]))
        return Proposal(_rolling(service, environment, rollout))

    example = services.names[0] if services.names else "api"
    return Command(
        ("restart", "перезапустить", "перезапусти"), USAGE,
        phrase("restart its pods one by one, or one of them"), run, "restart",
        examples=(f"restart {example}",),
    )  # fmt: skip


def _rolling(service: Service, environment: Environment, rollout: Rollout) -> Plan:
    return Plan(
        action="restart",
        title=phrase("Restart {service} in {cluster}", service=service.name, cluster=environment.cluster),
        service=service.name,
        environment=environment.name,
        steps=(
            PlannedStep("restart", phrase("Roll {count} pods, new ones before old ones go", count=rollout.desired)),
            PlannedStep(
                "rollout", phrase("Watch until all {count} are available", count=rollout.desired), skippable=True
            ),
        ),
        params=params(environment),
        pins={"template": rollout.template},
        blast=(
            phrase(
                "{ready} of {count} pods are ready now; each is replaced once.",
                ready=rollout.ready,
                count=rollout.desired,
            ),
        ),
        lock=f"{service.name} in {environment.name}",
    )


def _one_pod(service: Service, environment: Environment, pod: str) -> Plan:
    return Plan(
        action="restart",
        title=phrase("Restart pod {pod} of {service}", pod=pod, service=service.name),
        service=service.name,
        environment=environment.name,
        steps=(
            PlannedStep("restart", phrase("Delete {pod}; its controller makes a new one", pod=Code(pod))),
            PlannedStep("rollout", phrase("Watch until every pod is available again"), skippable=True),
        ),
        params={**params(environment), "pod": pod},
        lock=f"{service.name} in {environment.name}",
    )
