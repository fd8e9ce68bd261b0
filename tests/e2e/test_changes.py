"""What changed outside of pult, on the cards of both chats; and a dead API server, which delays none of them."""

from __future__ import annotations

import asyncio
import json
import time

import pytest

from bot.simulator.kubernetes import nodes, pods
from bot.simulator.kubernetes.api import TOKEN
from bot.simulator.kubernetes.kinds import NODE, POD
from tests.department import Department, Json, shown, until
from tests.promises.alerts import fires, resolves
from tests.pult_process import Pult

DEPLOYMENT = "/k8s/nyc2/apis/apps/v1/namespaces/production/deployments/api"
HERE = {"region": "nyc2"}


async def kubectl(department: Department, path: str, patch: Json, manager: str) -> None:
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/merge-patch+json"}
    url = f"{department.url}{path}?fieldManager={manager}"
    async with department.session.patch(url, data=json.dumps(patch), headers=headers) as answer:
        assert answer.status == 200, await answer.text()


async def scale(department: Department, count: int) -> None:
    await kubectl(department, f"{DEPLOYMENT}/scale", {"spec": {"replicas": count}}, "kubectl")


async def restart(department: Department, at: str) -> None:
    template = {"metadata": {"annotations": {"kubectl.kubernetes.io/restartedAt": at}}}
    await kubectl(department, DEPLOYMENT, {"spec": {"template": template}}, "kubectl-rollout")


async def looks(pult: Pult) -> None:
    """Somebody has looked into the cluster before: its library is loaded, which takes longer than a card waits."""
    assert (await pult.ask("anna", "pods api"))["ok"]


async def rolled(department: Department) -> str | None:
    """The node of an api pod, once all of them are new."""
    store = department.cluster("nyc2").store
    living = [p for p in store.all(POD, "production") if p["metadata"]["labels"]["app"] == "api"]
    new = [p for p in living if p["metadata"].get("annotations")]
    return str(new[0]["spec"]["nodeName"]) if len(new) == len(living) == 2 and all(map(pods.ready, new)) else None


async def down(department: Department, node: str) -> bool:
    return not nodes.ready(department.cluster("nyc2").store.get(NODE, "", node))


async def ready(department: Department, count: int) -> None:
    async def there() -> bool:
        world = await department.world()
        return bool(world["services"]["api"]["production"]["nyc2"]["ready"] == count)

    await until(f"api has not {count} ready pods", there)


async def test_both_chats_name_what_was_done_outside_of_pult(pult: Pult, department: Department) -> None:
    await looks(pult)
    await scale(department, 2)
    await ready(department, 2)
    await asyncio.sleep(1.1)  # a cluster's times are whole seconds: in one, a scaling can't be told from a rollout
    await restart(department, "2026-11-24T10:00:00Z")
    node = await until("api was not restarted", lambda: rolled(department))
    await department.fault("node_down", node)
    await until("the node is still ready", lambda: down(department, node))
    await pult.alert(fires("Outside", labels=HERE))
    for message in await department.shows("Outside"):
        text = shown(message)
        for words in ("scaled from 4 to 2", "restarted with kubectl", f"node {node} is not ready"):
            assert words in text, message


async def test_a_resolved_card_still_names_them(pult: Pult, department: Department) -> None:
    await looks(pult)
    await scale(department, 2)
    await ready(department, 2)
    await pult.alert(fires("Scaled", labels=HERE))
    await department.shows("scaled from 4 to 2")
    await department.fault("drop", "kubernetes")
    await pult.alert(resolves("Scaled", labels=HERE))
    for message in await department.shows("Resolved: Scaled"):
        assert "scaled from 4 to 2" in shown(message), message


async def test_pults_own_restart_is_told_once(pult: Pult, department: Department) -> None:
    await looks(pult)
    ident = await pult.proposed("anna", "restart api")
    await pult.ask("anna", f"approve {ident}")
    await pult.becomes(ident, "succeeded")
    await pult.alert(fires("Own", labels=HERE))
    for message in await department.shows("Own"):
        assert ident in shown(message), message
        assert "restarted" not in shown(message), message


@pytest.mark.alone
async def test_a_dead_api_server_delays_no_card(pult: Pult, department: Department) -> None:
    await looks(pult)
    await department.fault("slow", "kubernetes", delay=5)
    begun = time.monotonic()
    for n in range(5):
        await pult.alert(fires(f"Alone{n}", labels=HERE))
    for n in range(5):
        await department.shows(f"Alone{n}")
    took = time.monotonic() - begun
    assert took < 10, f"{took:.1f} s"
    print(f"five cards in both chats after {took:.1f} s")
