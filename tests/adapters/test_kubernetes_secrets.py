"""Secrets over the wire: what is refused, by whom, and that no word of a Secret's value is ever told."""

from __future__ import annotations

import json
import logging
import traceback
from base64 import b64decode, b64encode
from typing import Any

import pytest

from bot.adapters.kubernetes.secrets import SWITCHED, KubernetesSecrets
from bot.domain.errors import DriftError, PultError, TemporaryError, UserError
from bot.domain.failover import Place
from bot.simulator.kubernetes.kinds import SECRET
from tests.adapters import test_kubernetes_trouble as trouble
from tests.adapters.test_kubernetes_trouble import Bench, Scripted

PATH = "/api/v1/namespaces/production/secrets/api-database"
REVIEW = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
PLACE = Place("nyc2", "production", "api-database", "DATABASE_URL")
PASSWORD = "sup3rs3cret"
VALUE = f"postgresql://api:{PASSWORD}@db.one:1/api"
bench, scripted = trouble.bench, trouble.scripted


def secret(value: str = VALUE, **more: Any) -> Any:
    metadata = {"name": "api-database", "namespace": "production", "resourceVersion": "7"} | more.pop("metadata", {})
    data = {"DATABASE_URL": b64encode(value.encode()).decode()}
    return {"kind": "Secret", "apiVersion": "v1", "metadata": metadata, "data": data} | more


def hands(found: Scripted | Bench) -> KubernetesSecrets:
    return KubernetesSecrets(found.cluster.apis)


async def test_the_other_keys_and_annotations_stay(bench: Bench) -> None:
    store = bench.state.cluster("nyc2").store
    before = store.get(SECRET, "production", "api-database")
    await hands(bench).switch(PLACE, "db.two:2", "op-1")
    after = store.get(SECRET, "production", "api-database")
    assert after["data"].keys() == before["data"].keys()
    assert after["data"]["PGSSLMODE"] == before["data"]["PGSSLMODE"]
    changed = b64decode(after["data"]["DATABASE_URL"]).decode()
    assert changed == "postgresql://api:simulated-db-password@db.two:2/api?sslmode=require"
    assert json.loads(after["metadata"]["annotations"][SWITCHED])["DATABASE_URL"]["operation"] == "op-1"
    assert "simulated-db-password" not in json.dumps(after["metadata"])


async def test_a_missing_right_is_said_with_its_verb(bench: Bench) -> None:
    bench.state.cluster("nyc2").deny("patch", "secrets")
    assert await hands(bench).allowed(PLACE) == "may not patch the Secret api-database in production"
    with pytest.raises(UserError, match="does not let pult change the Secret api-database"):
        await hands(bench).switch(PLACE, "db.two:2", "op-1")
    bench.state.cluster("nyc2").deny("get", "secrets")
    assert await hands(bench).allowed(PLACE) == "may not get, patch the Secret api-database in production"
    with pytest.raises(UserError, match="it may not get secrets in production"):
        await hands(bench).reads(PLACE)


async def test_looking_whether_it_may_is_asked_for_this_very_secret(scripted: Scripted) -> None:
    """A role with resourceNames allows one Secret only."""
    scripted.script.add("POST", REVIEW, 201, {"status": {"allowed": False}})
    scripted.script.add("POST", REVIEW, 201, {"status": {"allowed": True}})
    assert await hands(scripted).allowed(PLACE) == "may not get the Secret api-database in production"
    assert {path for _, path, _ in scripted.script.asked} == {f"/k8s/nyc2{REVIEW}"}


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"immutable": True}, "is immutable"),
        ({"metadata": {"annotations": {"argocd.argoproj.io/tracking-id": "api:/Secret:x"}}}, "Argo CD would put"),
        ({"metadata": {"labels": {"kustomize.toolkit.fluxcd.io/name": "api"}}}, "Flux would put"),
        (
            {"metadata": {"ownerReferences": [{"kind": "ExternalSecret", "name": "db", "controller": True}]}},
            "ExternalSecret db would put",
        ),
        ({"data": {}}, "no key DATABASE_URL"),
        ({"data": {"DATABASE_URL": "!!"}}, "no text at DATABASE_URL"),
        ({"data": {"DATABASE_URL": b64encode(b"one two " + PASSWORD.encode()).decode()}}, "names no database address"),
    ],
)
async def test_what_would_not_last_is_told_before(scripted: Scripted, more: Any, why: str) -> None:
    for _ in range(2):
        scripted.script.add("POST", REVIEW, 201, {"status": {"allowed": True}})
    scripted.script.add("GET", PATH, 200, secret(**more))
    found = await hands(scripted).allowed(PLACE)
    assert why in found
    assert PASSWORD not in found


async def test_conflicts_are_met_with_another_look_and_end(scripted: Scripted) -> None:
    for _ in range(5):
        scripted.script.add("GET", PATH, 200, secret())
        scripted.script.add("PATCH", PATH, 409, {"message": "the object has been modified"})
    with pytest.raises(DriftError, match="changes too fast"):
        await hands(scripted).switch(PLACE, "db.two:2", "op-1")


async def test_what_somebody_else_noted_is_no_hindrance(scripted: Scripted) -> None:
    for text in ("[]", "nonsense", '{"DATABASE_URL": 7}'):
        scripted.script.add("GET", PATH, 200, secret(metadata={"annotations": {SWITCHED: text}}))
        scripted.script.add("PATCH", PATH, 200, secret())
        assert await hands(scripted).switch(PLACE, "db.two:2", "op-1") == "db.one:1"


QUOTES = {"message": f"admission webhook refused {VALUE}", "details": {"name": "api-database"}}


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422, 429, 500, 503])
async def test_a_refusal_that_quotes_the_secret_is_not_repeated(
    scripted: Scripted, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    for _ in range(5):
        scripted.script.add("GET", PATH, 200, secret())
        scripted.script.add("PATCH", PATH, status, QUOTES)
    with pytest.raises(PultError) as caught:
        await hands(scripted).switch(PLACE, "db.two:2", "op-1")
    assert isinstance(caught.value, TemporaryError) is (status == 429 or status >= 500)
    told = "".join(traceback.format_exception(caught.value)) + caplog.text
    assert PASSWORD not in told
    assert b64encode(VALUE.encode()).decode() not in told


@pytest.mark.parametrize("body", [f'{{"kind": "Secret", "data": "{PASSWORD}', "<html>log in</html>", "[]", {}])
async def test_what_stands_in_between_is_not_repeated_either(scripted: Scripted, body: Any) -> None:
    scripted.script.add("GET", PATH, 200, body)
    with pytest.raises(TemporaryError) as caught:
        await hands(scripted).reads(PLACE)
    assert PASSWORD not in "".join(traceback.format_exception(caught.value))


async def test_a_cluster_that_is_not_configured_is_said(bench: Bench) -> None:
    with pytest.raises(UserError, match="No cluster fra1 is configured"):
        await hands(bench).reads(Place("fra1", "production", "api-database", "DATABASE_URL"))
