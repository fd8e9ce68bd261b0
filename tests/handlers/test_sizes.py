"""``rightsize`` and ``audit posture``: what they say, the diffs they propose, and what they do not know."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from bot.domain.anatomy import Anatomy, Budget, Container
from bot.domain.errors import DriftError, TemporaryError, UserError
from bot.domain.manifests_tree import Folder
from bot.domain.messages import Graph, Preformatted, Table
from bot.domain.money import Rates
from bot.domain.operations import State
from bot.domain.quantities import MIB
from bot.domain.sizing import Sized, Used
from bot.domain.usage import Usage
from handlers import flows
from handlers.shaping import folders
from handlers.shaping.postures import weekly
from handlers.shaping.pulls import FILE
from tests.handlers.department import DEPLOY, SERVICES, Check, Department, read
from tests.handlers.fakes import NOON, FakeRun

KUSTOMIZATION = """\
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
namespace: production
resources:
  - ../base # what every environment has
images:
  - name: registry.example/dept/api
    digest: sha256:0000000000000000000000000000000000000000000000000000000000000000
"""
BIG = Sized(cpu=0.5, memory=512.0 * MIB, cpu_limit=1.0, memory_limit=512.0 * MIB)
API = Container(
    "api", "registry.example/dept/api:latest", BIG, ready=False, live=True, root=None, writable=True, port=80
)
ANATOMY = Anatomy(4, (("app", "api"),), (API,), spread=False, budgets=(Budget("api", least="4"),))
HOURS = tuple(NOON - timedelta(hours=24 * 14 - at) for at in range(24 * 14))
USAGE = Usage(
    {"api": (Used("api-1", 0.08, 9000, 200.0 * MIB, 9000), Used("api-2", 0.0709, 400, 180.0 * MIB, 400))},
    {"api": tuple((at, 0.05 + 0.0001 * number) for number, at in enumerate(HOURS))},
    {"api": tuple((at, (120.0 + number % 24) * MIB) for number, at in enumerate(HOURS))},
)


@pytest.fixture
def sized(department: Department) -> Department:
    department.anatomies.found["api", "production"] = ANATOMY
    department.usages.found["api"] = USAGE
    department.costs.priced["nyc2"] = Rates(Decimal("0.02"), Decimal("0.01"))
    department.forge.files[DEPLOY] = KUSTOMIZATION
    return department


async def diff(department: Department, words: str) -> str:
    reply = await department.reply("vera", words)
    return next(each.text for each in reply.message.blocks if isinstance(each, Preformatted))


async def proposed(department: Department, words: str) -> dict[str, str]:
    plan = (await department.proposed("anna", words)).plan
    return {name.removeprefix(FILE): text for name, text in plan.params.items() if name.startswith(FILE)}


async def test_what_it_should_be_and_what_that_is_worth(sized: Department) -> None:
    sized.forge.files.clear()  # what git holds is left out of the picture
    shown = await sized.say("vera", "rightsize api in production")
    assert "Size of api in production" in shown
    assert "80m" in shown
    assert "230Mi" in shown
    assert "a month, with 4 pods" in shown
    assert "0 of 15 days went over the new limit; of days to come about 6" in shown


async def test_table_and_pictures(sized: Department) -> None:
    reply = await sized.reply("vera", "размер api in production")
    (table,) = [each for each in reply.message.blocks if isinstance(each, Table)]
    assert [cell.plain() for cell in table.rows[0]] == [
        "api",
        "500m, at most 1",
        "80m",
        "512Mi, at most 512Mi",
        "230Mi",
    ]
    memory, cpu = (each for each in reply.message.blocks if isinstance(each, Graph))
    assert [(curve.name.plain(), curve.guide) for curve in memory.curves] == [
        ("used", False), ("limit", True), ("advised", True),
    ]  # fmt: skip
    assert {value for _, value in cpu.curves[-1].points} == {80.0}
    assert [button.command for button in reply.message.buttons] == ["rightsize api in production --pull"]


@pytest.mark.parametrize(
    ("words", "name"),
    [("rightsize api in production", "rightsize"), ("audit posture api in production", "posture")],
)
async def test_the_pull_request_as_a_diff(sized: Department, reads_as: Check, words: str, name: str) -> None:
    files = await proposed(sized, f"{words} --pull")
    was = Folder(DEPLOY[1], {DEPLOY[1]: KUSTOMIZATION})
    reads_as(f"sizes/{name}", folders.diff(was, Folder(DEPLOY[1], {**was.texts, **files})))


@pytest.mark.parametrize(
    ("words", "name"),
    [("rightsize api in production", "rightsize-card"), ("audit posture api in production", "posture-card")],
)
async def test_the_answers(sized: Department, reads_as: Check, words: str, name: str) -> None:
    reads_as(f"sizes/{name}", await sized.say("vera", words))


async def test_the_preview_is_what_will_be_proposed(sized: Department, reads_as: Check) -> None:
    reads_as("sizes/rightsize", await diff(sized, "rightsize api in production"))


async def test_one_approval_then_a_pull_request_that_people_merge(sized: Department) -> None:
    made = await sized.proposed("anna", "rightsize api in production --pull")
    assert (made.state, made.plan.action) == (State.WAITING, "rightsize")
    flow = flows(sized.ports)["rightsize"]
    await flow.check(made.plan)
    result = (await flow.run(FakeRun(made.plan))).plain()
    assert "waits for a review" in result
    assert list(sized.forge.pulls) == ["pult/op-41c9"]
    assert sized.forge.files[DEPLOY] == KUSTOMIZATION, "nothing is merged"


async def test_twice_is_once(sized: Department) -> None:
    plan = (await sized.proposed("anna", "audit posture api in production --pull")).plan
    for _ in range(2):
        await flows(sized.ports)["posture"].run(FakeRun(plan))
    assert len(sized.forge.pulls) == 1


async def test_somebody_pushed_meanwhile(sized: Department) -> None:
    plan = (await sized.proposed("anna", "rightsize api in production --pull")).plan
    sized.forge.files[DEPLOY] = f"{KUSTOMIZATION}# more\n"
    with pytest.raises(DriftError, match="changed after this was planned"):
        await flows(sized.ports)["rightsize"].check(plan)


@pytest.mark.parametrize("words", ["rightsize api in production --pull", "audit posture api in production --pull"])
async def test_who_may_only_look_proposes_nothing(sized: Department, words: str) -> None:
    assert "Your roles do not cover" in await sized.say("vera", words, ok=False)
    assert sized.forge.pulls == {}


async def test_the_autoscaler_keeps_what_it_measures(sized: Department) -> None:
    sized.anatomies.found["api", "production"] = replace(ANATOMY, scaled_by="api", owned=frozenset(("cpu",)))
    shown = await sized.say("anna", "rightsize api in production")
    assert "the autoscaler's" in shown
    assert "measures cpu against the request" in shown
    files = await proposed(sized, "rightsize api in production --pull")
    assert "cpu" not in files["deploy/production/rightsize-api.yaml"]


async def test_where_the_autoscaler_can_t_be_read_nothing_is_advised(sized: Department) -> None:
    sized.anatomies.found["api", "production"] = replace(ANATOMY, unknown=("horizontalpodautoscalers",))
    assert "could not be read, so nothing is advised" in await sized.say("anna", "rightsize api in production")
    assert "nothing to change" in await sized.say("anna", "rightsize api in production --pull", ok=False)


async def test_a_partial_answer_is_said_and_not_built_on(sized: Department) -> None:
    sized.usages.found["api"] = replace(USAGE, silent=frozenset(("memory",)))
    shown = await sized.say("anna", "rightsize api in production")
    assert "not known now" in shown
    assert "did not tell all of memory" in shown


async def test_no_history_at_all(sized: Department) -> None:
    sized.usages.found.clear()
    shown = await sized.say("anna", "rightsize api in production")
    assert shown.count("not enough history") == 2
    assert "knows no pod with a container api" in shown


async def test_a_kill_is_said(sized: Department) -> None:
    killed = (Used("api-1", 0.08, 9000, 200.0 * MIB, 9000, 512.0 * MIB),)
    sized.usages.found["api"] = replace(USAGE, used={"api": killed})
    shown = await sized.say("anna", "rightsize api in production")
    assert "ran out of memory" in shown
    assert "640Mi" in shown


async def test_no_price_is_no_zero(sized: Department) -> None:
    sized.costs.priced.clear()
    assert "no price is known" in await sized.say("anna", "rightsize api in production")


async def test_git_that_pult_can_t_change_is_said(sized: Department) -> None:
    sized.forge.files[DEPLOY] = "image: x\n"
    reply = await sized.reply("anna", "rightsize api in production")
    assert reply.message.buttons == ()
    assert "in 0 places" in await sized.say("anna", "rightsize api in production")
    assert "in 0 places" in await sized.say("anna", "rightsize api in production --pull", ok=False)


async def test_git_says_it_already(sized: Department) -> None:
    made = await sized.proposed("anna", "rightsize api in production --pull")
    for name, text in made.plan.params.items():
        if name.startswith(FILE):
            sized.forge.files["dept/api", name.removeprefix(FILE)] = text
    await sized.say("anna", f"cancel {made.id}")
    assert "Git says it already" in await sized.say("boris", "rightsize api in production --pull", ok=False)


async def test_posture_of_one_the_worst_first(sized: Department) -> None:
    reply = await sized.reply("vera", "журнал posture api in production")
    (table,) = [each for each in reply.message.blocks if isinstance(each, Table)]
    assert [row[0].plain() for row in table.rows] == ["bad"] + ["weak"] * 4 + ["untidy"] * 2
    assert table.rows[0][1].plain().startswith("Disruption budget that lets no pod go")
    assert "promote api VERSION" in await sized.say("vera", "audit posture api in production")


async def test_posture_of_all_with_one_out_of_reach(sized: Department) -> None:
    sized.anatomies.found["api", "staging"] = ANATOMY
    sized.anatomies.found["web", "production-nyc2"] = TemporaryError("away")
    shown = await sized.say("vera", "audit posture")
    assert "Posture: 7 findings" in shown
    assert "Nothing is known of web" in shown


async def test_no_pull_request_is_offered_that_could_not_be_made(sized: Department) -> None:
    sized.anatomies.found["web", "production-nyc2"] = ANATOMY
    reply = await sized.reply("vera", "audit posture web")
    assert reply.message.buttons == ()
    said = read(reply.message)
    assert "by hand, as shown" in said
    assert "pull request" not in said
    assert "pult knows no deployment file for production-nyc2: name it by gitops.repo and gitops.path." in said


async def test_what_could_not_be_read_is_named(sized: Department) -> None:
    sized.anatomies.found["api", "production"] = replace(ANATOMY, unknown=("networkpolicies",))
    shown = await sized.say("vera", "audit posture api in production")
    assert "could not read networkpolicies" in shown
    assert "No network policy" not in shown


async def test_the_trail_is_still_there(sized: Department) -> None:
    await sized.proposed("anna", "rightsize api in production --pull")
    assert "rightsize" in await sized.say("vera", "audit rightsize")


async def test_the_week_in_a_line(sized: Department) -> None:
    sized.anatomies.found["api", "production"] = ANATOMY
    sized.anatomies.found["web", "production-nyc2"] = UserError("forbidden")
    (lines,) = await weekly(sized.anatomies, SERVICES)
    said = [each.plain() for each in lines.items]  # type: ignore[union-attr]
    assert said[0].startswith("Posture: 7 findings, 1 of them bad")
    assert said[2] == "Nothing is known of web: they could not be read."
    sound = Anatomy(
        2, (), (Container("api", "api:1", Sized(1, 1, None, 1)),), budgets=(Budget("a", "1"),), policies=("a",)
    )
    for key in (("api", "production"), ("web", "production-nyc2")):
        sized.anatomies.found[key] = sound
    assert await weekly(sized.anatomies, SERVICES) == ()
