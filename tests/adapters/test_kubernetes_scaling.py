"""Which autoscaler owns a workload's number of pods, over the wire: pages, other targets, refusals."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bot.adapters.kubernetes import found
from bot.domain.errors import DriftError, TemporaryError, UserError
from bot.ports.scaling import Autoscaler
from tests.adapters import test_kubernetes_trouble as trouble
from tests.adapters.test_kubernetes_trouble import API, Bench, Scripted

HPAS = "/apis/autoscaling/v2/namespaces/production/horizontalpodautoscalers"
WEB = replace(API, name="web")
bench, scripted = trouble.bench, trouble.scripted


def scaler(name: str, kind: str = "Deployment", target: str = "api", **spec: Any) -> Any:
    reference = {"apiVersion": "apps/v1", "kind": kind, "name": target}
    return {"metadata": {"name": name}, "spec": {"scaleTargetRef": reference, "maxReplicas": 9, **spec}}


async def test_the_simulated_one_is_found(bench: Bench) -> None:
    assert await bench.cluster.scaling.autoscaler(WEB) == Autoscaler("web", 2, 6)
    assert await bench.cluster.scaling.autoscaler(API) is None


async def test_it_is_found_on_a_later_page_by_its_target(scripted: Scripted) -> None:
    first = [scaler("api", target="web"), scaler("by-set", "StatefulSet")]
    scripted.script.add("GET", HPAS, 200, {"metadata": {"continue": "more"}, "items": first})
    scripted.script.add("GET", HPAS, 200, {"metadata": {}, "items": [scaler("keda-hpa-api")]})
    assert await scripted.cluster.scaling.autoscaler(API) == Autoscaler("keda-hpa-api", 1, 9)
    assert [query.get("limit") for _, _, query in scripted.script.asked] == [str(found.PAGE)] * 2


@pytest.mark.parametrize(("least", "means"), [(0, 0), (None, 1), (3, 3)])
async def test_a_number_of_least_that_is_left_out_is_one(scripted: Scripted, least: int | None, means: int) -> None:
    scripted.script.add("GET", HPAS, 200, {"metadata": {}, "items": [scaler("a", "Rollout", minReplicas=least)]})
    assert await scripted.cluster.scaling.autoscaler(replace(API, kind="rollout")) == Autoscaler("a", means, 9)


async def test_what_can_not_be_asked_is_never_none(bench: Bench) -> None:
    bench.state.cluster("nyc2").deny("list", "horizontalpodautoscalers")
    with pytest.raises(UserError, match="it may not list horizontalpodautoscalers"):
        await bench.cluster.scaling.autoscaler(WEB)


async def test_a_server_that_is_away_is_said(scripted: Scripted) -> None:
    scripted.script.add("GET", HPAS, 503, {"message": "etcd is away"})
    with pytest.raises(TemporaryError, match="etcd is away"):
        await scripted.cluster.scaling.autoscaler(API)


async def test_conflicts_are_met_with_another_look_and_end(scripted: Scripted) -> None:
    for _ in range(5):
        scripted.script.add("GET", trouble.DEPLOYMENT_PATH, 200, trouble.deployment())
        scripted.script.add("PATCH", trouble.DEPLOYMENT_PATH, 409, {"message": "the object has been modified"})
    with pytest.raises(DriftError, match="changes too fast"):
        await scripted.cluster.scaling.scale(API, 3, "op-1")


async def test_its_bounds_are_changed_once(bench: Bench) -> None:
    wanted = Autoscaler("web", 4, 8)
    for _ in range(2):
        await bench.cluster.scaling.bound(WEB, wanted)
    assert await bench.cluster.scaling.autoscaler(WEB) == wanted
    calls = bench.state.cluster("nyc2").calls
    assert sum((call.verb, call.resource) == ("patch", "horizontalpodautoscalers") for call in calls) == 1


async def test_another_autoscaler_is_left_alone(bench: Bench) -> None:
    with pytest.raises(DriftError, match="The autoscaler other is gone"):
        await bench.cluster.scaling.bound(WEB, Autoscaler("other", 4, 8))
    bench.state.cluster("nyc2").deny("patch", "horizontalpodautoscalers")
    with pytest.raises(UserError, match="it may not patch horizontalpodautoscalers"):
        await bench.cluster.scaling.bound(WEB, Autoscaler("web", 4, 8))
