"""Asking Flux through the API server of the cluster it runs in, by annotations: the source first, then the rest."""

from __future__ import annotations

from typing import Any, TypeAlias

from bot.adapters.kubernetes import flux, resources
from bot.adapters.kubernetes.client import Api
from bot.adapters.kubernetes.flux import REQUESTED, RESET, Chain
from bot.adapters.kubernetes.notes import BEFORE, OPERATION, annotation
from bot.adapters.kubernetes.resources import HELMRELEASE, KUSTOMIZATION, SOURCES, Resource
from bot.adapters.kubernetes.verdicts import GoneError, UnknownTypeError
from bot.domain.errors import UserError
from bot.domain.phrases import Code
from bot.domain.services import Environment
from bot.ports.gitops import Applied

Object: TypeAlias = dict[str, Any]
KINDS = {"Kustomization": KUSTOMIZATION, "HelmRelease": HELMRELEASE, **SOURCES}


class Flux:
    """Of one cluster."""

    def __init__(self, api: Api) -> None:
        self._api = api

    async def state(self, environment: Environment) -> Applied:
        """Where the Kustomization, or the HelmRelease, stands."""
        return flux.applied(await self._chain(environment))

    async def ask(self, environment: Environment, _revision: str, operation: str) -> None:
        """Note the request on the object itself, and ask the first link. UserError: one of them is suspended."""
        chain = await self._chain(environment)
        _refuse(chain)
        if token := flux.request(chain, operation):
            notes = {OPERATION: token}
            if token == operation:
                notes[BEFORE] = flux.known(chain)
            await self._annotate(chain.own, notes)
            await self._ask(chain.links[0], token)

    async def progress(self, environment: Environment, revision: str, operation: str) -> Applied:
        """How far the request is; passes it on to the next link when one is done."""
        chain = await self._chain(environment)
        token = annotation(chain.own, OPERATION)
        if flux.of(token, operation) and (link := flux.following(chain)):
            _refuse(chain)
            await self._ask(link, token)
        return flux.progress(chain, revision, operation)

    async def _chain(self, environment: Environment) -> Chain:
        """In the order in which news pass, so that no link is read before the one that it follows."""
        own = await self._own(environment)
        place = flux.parent_of(own) if own["kind"] == "HelmRelease" else None
        if place is None:
            source = await self._source(own)
            return Chain(await self._own(environment) if source else own, source)
        source = await self._source(await self._read(KUSTOMIZATION, *place))
        parent = await self._read(KUSTOMIZATION, *place)
        return Chain(await self._own(environment), source, parent)

    async def _own(self, environment: Environment) -> Object:
        try:
            return await self._read(KUSTOMIZATION, *environment.gitops.place)
        except GoneError as missing:
            try:
                return await self._read(HELMRELEASE, *environment.gitops.place)
            except (GoneError, UnknownTypeError):
                raise missing from None

    async def _source(self, obj: Object) -> Object | None:
        named = flux.source_of(obj)
        resource = SOURCES.get(str(named.get("kind"))) if named else None
        if named is None or resource is None:
            return None
        try:
            found = await self._read(resource, named["namespace"], named["name"])
        except UnknownTypeError:
            found = await self._read(resources.earlier(resource), named["namespace"], named["name"])
        return None if flux.static(found) else found

    async def _read(self, resource: Resource, namespace: str, name: str) -> Object:
        return await resources.read(self._api, resource, namespace, name)

    async def _ask(self, link: Object, token: str) -> None:
        """A release that failed too often is tried again only when its count is reset, under the same token."""
        again = link["kind"] == "HelmRelease" and token != flux.first(token)
        await self._annotate(link, {REQUESTED: token} | ({RESET: token} if again else {}))

    async def _annotate(self, link: Object, notes: dict[str, str]) -> None:
        """No resourceVersion: an annotation disturbs nobody, and the controllers write all the time."""
        resource = KINDS[link["kind"]]._replace(version=link["apiVersion"].rpartition("/")[2])
        place, body = (link["metadata"]["namespace"], link["metadata"]["name"]), {"metadata": {"annotations": notes}}
        await resources.patch(self._api, resource, *place, body)


def _refuse(chain: Chain) -> None:
    for link in chain.links:
        if (link.get("spec") or {}).get("suspend") is True:
            name = Code(f"{link['kind']} {link['metadata']['name']}")
            raise UserError("Flux leaves {name} alone: it is suspended. Resume it there first.", name=name)
