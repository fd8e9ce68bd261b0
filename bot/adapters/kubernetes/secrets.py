"""The Connections port over keys of Secrets. A Secret's value leaves this file for nowhere: no answer, log or error."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final

from bot.adapters.kubernetes import access
from bot.adapters.kubernetes.client import MERGE, Api
from bot.adapters.kubernetes.conflicts import retry_on_conflict
from bot.adapters.kubernetes.found import configured
from bot.adapters.kubernetes.notes import annotation, controller
from bot.adapters.kubernetes.verdicts import ConflictError, GoneError
from bot.domain.endpoints import address_in, same_address, with_address
from bot.domain.errors import RateLimitedError, TemporaryError, UserError
from bot.domain.failover import Place
from bot.domain.phrases import Code

SWITCHED: Final = "pult.dev/switched"
"""Annotation: by key, which operation put which address there, and what address stood there before."""
_OWNERS: Final = {
    "argocd.argoproj.io/tracking-id": "Argo CD", "argocd.argoproj.io/instance": "Argo CD",
    "kustomize.toolkit.fluxcd.io/name": "Flux", "helm.toolkit.fluxcd.io/name": "Flux",
}  # fmt: skip
"""Annotations and labels of what puts a Secret back as it was (argo-cd, common/common.go; fluxcd/pkg, ssa)."""
Object = dict[str, Any]


class KubernetesSecrets:
    """``place.region`` picks the API server."""

    def __init__(self, apis: Mapping[str, Api]) -> None:
        self._apis = apis

    async def reads(self, place: Place) -> str:
        """The address alone."""
        return address_in(_value(await self._read(place), place))

    async def switch(self, place: Place, address: str, operation: str) -> str:
        """Under the resourceVersion that was read: a patch that was on its way when pult died comes too late for it.

        DriftError: the Secret changes too fast to be patched.
        """

        async def change() -> str:
            obj = await self._read(place)
            value, notes = _value(obj, place), _notes(obj)
            was, note = address_in(value), notes.get(place.key) or {}
            if same_address(was, address):  # perhaps by this very operation, before a crash
                own = (note.get("operation"), note.get("address")) == (operation, address)
                return str(note.get("before", was)) if own else was
            changed = base64.b64encode(with_address(value, address).encode()).decode()
            notes[place.key] = {"operation": operation, "address": address, "before": was}
            metadata = {
                "resourceVersion": obj["metadata"]["resourceVersion"],
                "annotations": {SWITCHED: json.dumps(notes, sort_keys=True)},
            }
            await self._patch(place, {"metadata": metadata, "data": {place.key: changed}})
            return was

        return await retry_on_conflict(place.secret, change)

    async def allowed(self, place: Place) -> str:
        """By access reviews of this very Secret, and by what it says of itself."""
        api, where = configured(self._apis, place.region), place.namespace
        missing = [verb for verb in ("get", "patch") if not await access.may(api, where, verb, "secrets", place.secret)]
        if missing:
            return f"may not {', '.join(missing)} the Secret {place.secret} in {place.namespace}"
        try:
            obj = await self._read(place)
            address_in(_value(obj, place))
        except UserError as error:
            return error.phrase.plain()
        if obj.get("immutable") is True:
            return f"the Secret {place.secret} is immutable"
        owner = _owner(obj)
        return f"{owner} would put the Secret {place.secret} back: change it there, by a file in git" if owner else ""

    async def _read(self, place: Place) -> Object:
        api = configured(self._apis, place.region)
        obj = await api.call("CoreV1Api", "read_namespaced_secret", place.secret, place.namespace)
        if obj.get("kind") != "Secret" or not obj.get("metadata", {}).get("resourceVersion"):
            raise TemporaryError(f"the API server of {place.region} does not answer (something in between does)")
        return obj

    async def _patch(self, place: Place, body: Object) -> None:
        """What refuses a Secret, an admission webhook say, may quote it: its words are left out."""
        api, method = configured(self._apis, place.region), "patch_namespaced_secret"
        try:
            await api.call("CoreV1Api", method, place.secret, place.namespace, body=body, _content_type=MERGE)
        except (ConflictError, GoneError):
            raise
        except TemporaryError as error:
            kind = RateLimitedError if isinstance(error, RateLimitedError) else TemporaryError
            why = f"the API server of {place.region} did not take a change of the Secret {place.secret}"
            raise kind(why, error.delay) from None
        except UserError:
            raise UserError(
                "{cluster} does not let pult change the Secret {name}: see what pult check says of it.",
                cluster=place.region, name=Code(place.secret),
            ) from None  # fmt: skip


def _value(obj: Object, place: Place) -> str:
    data = (obj.get("data") or {}).get(place.key)
    if data is None:
        raise UserError("The Secret {name} has no key {key}.", name=Code(place.secret), key=Code(place.key))
    try:
        return base64.b64decode(data, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError, TypeError):
        raise UserError("The Secret {name} has no text at {key}.", name=Code(place.secret), key=Code(place.key)) from (
            None
        )


def _notes(obj: Object) -> dict[str, Any]:
    """What is noted by key; whatever else somebody wrote there counts as nothing."""
    with suppress(ValueError):
        found = json.loads(annotation(obj, SWITCHED))
        if isinstance(found, dict):
            return {key: note for key, note in found.items() if isinstance(note, dict)}
    return {}


def _owner(obj: Object) -> str:
    """What keeps the Secret as it is, by name; empty where nothing does."""
    metadata = obj["metadata"]
    for marks in (metadata.get("annotations") or {}, metadata.get("labels") or {}):
        for mark, name in _OWNERS.items():
            if mark in marks:
                return name
    owner = controller(metadata)
    return f"{owner['kind']} {owner['name']}" if owner else ""
