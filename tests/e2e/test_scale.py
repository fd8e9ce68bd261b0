"""``scale`` and ``undo`` over the whole way: typed, approved, done once though pult is killed, and watched."""

from __future__ import annotations

import pytest

from bot.simulator.kubernetes import images
from bot.simulator.kubernetes.kinds import AUTOSCALER, POD
from tests.department import Department, until
from tests.promises.releases import released
from tests.promises.test_p07_resumes import API_BY_ARGO
from tests.pult_fixtures import Make
from tests.pult_process import Pult


def pods(department: Department, service: str) -> int:
    found = department.cluster("nyc2").store.all(POD, "production")
    return sum(pod["metadata"]["labels"]["app"] == service for pod in found)


def runs(department: Department) -> str | None:
    return images.version_of(department.deployment("api")["spec"]["template"]["spec"]["containers"][0]["image"])


async def killed_once(pult: Pult, department: Department, patches: int) -> None:
    """Killed by kill -9 as soon as the change is there."""

    async def there() -> bool:
        return department.patches("api") == patches

    await until(f"api was not patched {patches} times", there)
    await pult.restart()


@pytest.mark.timeout(120)
@pytest.mark.parametrize("department", [15], indirect=True)
async def test_scaled_up_and_put_back(pult: Pult, department: Department) -> None:
    assert pods(department, "api") == 4
    scale = await pult.proposed("anna", "scale api 6")
    assert (await pult.ask("boris", f"approve {scale}"))["ok"]
    await killed_once(pult, department, 1)
    assert "6 of 6 pods available" in await pult.becomes(scale, "succeeded")
    assert (pods(department, "api"), department.patches("api")) == (6, 1)

    was = runs(department)
    await released(pult, "api", "1.8.0")
    promotion = await pult.proposed("anna", "promote api 1.8.0")
    await pult.ask("boris", f"approve {promotion}")
    await pult.becomes(promotion, "succeeded")
    assert runs(department) == "1.8.0" != was

    undo = await pult.proposed("anna", "undo api")
    assert (await pult.ask("boris", f"approve {undo}"))["ok"]
    await killed_once(pult, department, 3)
    await pult.becomes(undo, "succeeded")
    assert (runs(department), pods(department, "api"), department.patches("api")) == (was, 6, 3)


@pytest.mark.timeout(120)
@pytest.mark.parametrize("department", [15], indirect=True)
async def test_scaled_through_git_where_git_owns_it(make: Make, department: Department) -> None:
    pult = make()
    others = [each for each in pult.settings["services"] if each["name"] != "api"]
    pult.configure(services=[*others, API_BY_ARGO])
    await pult.start()
    commits = department.commits("dept/api")
    made = await pult.ask("anna", "scale api 6")
    assert "Write 6 pods into deploy/production/kustomization.yaml of dept/api" in made["text"]
    assert (await pult.ask("boris", f"approve {made['op']}"))["ok"]

    async def committed() -> bool:
        return department.commits("dept/api") == commits + 1

    await until("nothing is committed", committed)
    await pult.restart()
    assert "6 of 6 pods available" in await pult.becomes(made["op"], "succeeded")
    assert (pods(department, "api"), department.patches("api")) == (6, 0), "its tool changed it"
    assert department.commits("dept/api") == commits + 1


@pytest.mark.timeout(120)
async def test_an_autoscaler_takes_other_bounds_by_choice(pult: Pult, department: Department) -> None:
    assert (
        "scale web 7 --autoscaler in production-nyc2 changes its bounds, too"
        in (await pult.ask("anna", "scale web 7"))["text"]
    )
    ident = await pult.proposed("anna", "scale web 7 --autoscaler")
    assert (await pult.ask("boris", f"approve {ident}"))["ok"]
    await pult.becomes(ident, "succeeded")
    assert pods(department, "web") == 7
    scaler = department.cluster("nyc2").store.get(AUTOSCALER, "production", "web")["spec"]
    assert (scaler["minReplicas"], scaler["maxReplicas"]) == (7, 7)


async def test_what_an_autoscaler_will_do_is_said(pult: Pult, department: Department) -> None:
    refused = await pult.ask("anna", "scale web 9")
    assert not refused["ok"]
    assert "between 2 and 6 pods, and 9 is outside" in refused["text"]
    made = await pult.ask("anna", "scale web 4")
    assert "The autoscaler web moves the number again as the load asks for, between 2 and 6." in made["text"]
    assert department.patches("web") == 0
