"""Commands that change something: plans, approvals, and what is refused."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.domain.alerts import Alert, Notification, Status, fold
from bot.domain.errors import TemporaryError, UserError
from bot.domain.failover import Sight
from bot.domain.operations import Choice, Operation, State, StepReport
from bot.domain.policy import Policy, Rule
from bot.domain.silences import Matching
from bot.domain.targets import Hand
from handlers.alerting import own
from handlers.cards.operation import draw
from tests.handlers.department import API, DEPLOY, WEB, Check, Department, alert, manifest, read
from tests.handlers.fakes import NOON, STUCK, digest, image

CHANGES = (
    "ack a-7k2f",
    "silence a-7k2f 1h",
    "unsilence a-7k2f",
    "promote api 1.8.0",
    "restart api",
    "scale web 4",
    "undo web",
    "failover nyc2 to sfo3",
    "drill",
    "cancel op-41c9",
)


def card(department: Department, operation: Operation) -> str:
    """Its card, with its id and hash replaced: they follow from the rest."""
    text = read(draw(operation, department.policy.rule(operation.plan.action)))
    return text.replace(operation.id, "op-0000").replace(operation.plan.hash[:8], "00000000")


@pytest.mark.parametrize("words", CHANGES)
async def test_a_viewer_changes_nothing_and_is_written_down(department: Department, words: str) -> None:
    await department.fires(alert("a"))
    await department.reported()
    before = len(department.metrics.asked)
    said = await department.say("vera", words, ok=False)
    assert "it takes the role sre" in said
    assert [entry[0] for entry in await department.audit()] == ["vera"]
    assert await department.store.read(lambda tx: tx.live_operations()) == ()
    assert len(department.metrics.asked) == before


async def test_ack(department: Department) -> None:
    await department.fires(alert("a"))
    assert "You hold a-7k2f: HighErrors" in await department.say("anna", "ack 7k2f")
    assert "You hold" in await department.say("anna", "беру a-7k2f")
    assert "anna already holds" in await department.say("boris", "ack a-7k2f", ok=False)
    assert await department.audit() == [("anna", "ack", "a-7k2f", "held")], "once"
    assert "Held by" in await department.say("vera", "alert a-7k2f")
    assert "You hold a-7k2f" in await department.say("boris", "ack a-7k2f take")
    assert "anna already holds" not in await department.say("anna", "ack a-7k2f", ok=False)
    assert [entry[3] for entry in await department.audit()] == ["held", "took over"]


async def test_what_is_resolved_can_not_be_held(department: Department) -> None:
    await department.fires(alert("a"))
    ended = alert("a")
    group = await department.fires(
        type(ended)(ended.fingerprint, ended.labels, {}, ended.starts_at, department.clock.at)
    )
    assert group.status is Status.RESOLVED
    assert "is resolved already" in await department.say("anna", "ack a-7k2f", ok=False)


async def test_silence(department: Department) -> None:
    await department.fires(alert("a", pod="api-1"), alert("b", pod="api-2"))
    assert "silenced until 2026-03-01 14:00:00" in await department.say("anna", "silence 7k2f 2h rolling out 1.8.0")
    shown = await department.say("anna", "alert 7k2f")
    assert "→ End silence: unsilence a-7k2f" in shown
    assert "silence a-7k2f 1h" not in shown
    assert "alert a-7k2f" not in shown, "the details lead to no details"
    matchers, until, person, comment = department.silencer.made["s1"]
    assert matchers == {"alertname": "HighErrors", "service": "api", "severity": "critical", "region": "nyc2"}
    assert until == department.clock.at + timedelta(hours=2)
    assert (person, comment) == ("anna", "rolling out 1.8.0")
    assert "Silenced  until 2026-03-01 14:00:00 UTC by anna" in await department.say("vera", "alert 7k2f")
    assert "no longer silenced" in await department.say("boris", "unsilence a-7k2f")
    assert department.silencer.made == {}
    assert "is not silenced" in await department.say("boris", "unsilence a-7k2f", ok=False)
    assert [entry[1] for entry in await department.audit()] == ["silence", "unsilence"]


async def test_only_what_still_fires_is_silenced(department: Department) -> None:
    """A resolved alert of the group must not lend its labels: the silence would miss the one that fires."""
    gone, fires = alert("a", pod="api-1"), alert("b", pod="api-2", node="n1")
    await department.fires(gone, fires)
    await department.fires(type(gone)(gone.fingerprint, gone.labels, {}, gone.starts_at, department.clock.at))
    await department.say("anna", "silence a-7k2f 1h")
    assert dict(department.silencer.made["s1"][0]) == fires.labels


@pytest.mark.parametrize(
    "words", ["silence", "silence a-7k2f", "silence a-7k2f soon", "silence a-7k2f 1 h", "silence a-7k2f -1h"]
)
async def test_a_silence_says_how_it_is_written(department: Department, words: str) -> None:
    await department.fires(alert("a"))
    assert "silence <alert> 1h [comment]" in await department.say("anna", words, ok=False)
    assert department.silencer.made == {}


@pytest.mark.parametrize("words", ["silence a-7k2f 0h", "silence service=api 0m"])
async def test_a_silence_has_a_length(department: Department, words: str) -> None:
    await department.fires(alert("a"))
    assert "silence <alert> 1h [comment]" in await department.say("anna", words, ok=False)
    assert department.silencer.made == {}


@pytest.mark.parametrize(
    "words",
    [
        'silence {service="api",alertname=~"High.*"} 1h why not = now',
        "silence service=api,alertname=~High.* 1h why not = now",
        "/silence@pult_bot service=api alertname=~“High.*” 1h why not = now",
    ],
)
async def test_conditions_as_they_are_pasted(department: Department, words: str) -> None:
    await department.fires(alert("a"))
    assert "Mutes now  1 alert group" in await department.say("anna", words)
    assert department.silencer.matchers["s1"] == (
        Matching("service", "api"), Matching("alertname", "High.*", regex=True),
    )  # fmt: skip
    assert department.silencer.made["s1"][3] == "why not = now"


async def test_without_a_label_in_common_no_single_alert_stands_for_the_group(department: Department) -> None:
    one, other = Alert("a", {"x": "1"}, {}, NOON), Alert("b", {"y": "2"}, {}, NOON)
    told = Notification("alertmanager", "{}", "pult", {}, (one, other))
    group = fold(None, told, NOON, "a-7k2f")
    await department.store.write(lambda tx: tx.save_group(group))
    assert "no label in common" in await department.say("anna", "silence a-7k2f 1h", ok=False)
    assert department.silencer.made == {}


async def test_a_silence_pressed_twice_is_ended_once(department: Department) -> None:
    await department.fires(alert("a"))
    await department.say("anna", "silence a-7k2f 1h")
    await department.say("boris", "silence a-7k2f 1h")
    assert set(department.silencer.made) == {"s1", "s2"}
    assert "no longer silenced" in await department.say("anna", "unsilence a-7k2f")
    assert department.silencer.made == {}


async def test_what_is_under_another_silence_stays_silenced(department: Department) -> None:
    await department.fires(alert("a"))
    await department.say("chen", "silence region=nyc2 2h maintenance")
    await department.say("anna", "silence a-7k2f 1h")
    assert "There is another silence, by chen." in await department.say("anna", "unsilence a-7k2f")
    assert set(department.silencer.made) == {"s1"}
    assert "Silenced  until 2026-03-01 14:00:00 UTC by chen" in await department.say("vera", "alert 7k2f")
    assert "no longer silenced" in await department.say("anna", "unsilence a-7k2f")


async def test_pults_own_alerts_are_silenced_here_though_alertmanager_is_away(department: Department) -> None:
    """Monitoring is blind where Alertmanager is away: just that must not wake people for as long as it takes."""
    now = department.clock.at
    labels = {"alertname": "MonitoringBlind"}
    await department.store.write(lambda tx: own.fires(tx, department.rules, "watchdog x", labels, now))
    await department.fires(alert("a", severity="critical"))
    group = await department.store.read(lambda tx: tx.latest_group("pult watchdog x"))
    department.silencer.refusal = TemporaryError("away")
    said = await department.say("anna", f"silence {group.id} 1h")
    assert "Mutes now  1 alert group" in said
    assert department.silencer.made == {}
    assert "silenced until" in await department.say("vera", "alerts monitoring")
    assert "no longer silenced" in await department.say("boris", f"unsilence {group.id}")
    assert "silenced until" not in await department.say("vera", "alerts monitoring")


async def test_a_refused_silence_leaves_nothing(department: Department) -> None:
    await department.fires(alert("a"))
    department.silencer.refusal = UserError("Alertmanager says no.")
    assert "Alertmanager says no." in await department.say("anna", "silence a-7k2f 1h", ok=False)
    department.silencer.refusal = TemporaryError("http://am:9093 refused 10.0.0.1")
    said = await department.say("anna", "silence a-7k2f 1h", ok=False)
    assert "does not answer" in said
    assert "9093" not in said, "what broke is for the log"
    assert "Silenced" not in await department.say("vera", "alert a-7k2f")
    department.without = frozenset({"silencer"})
    assert "[alertmanager]" in await department.say("anna", "silence service=api 1h", ok=False)


async def test_without_an_alertmanager_an_alert_is_silenced_in_pult_alone(department: Department) -> None:
    await department.fires(alert("a"))
    department.without = frozenset({"silencer"})
    assert "no Alertmanager knows of it" in await department.say("anna", "silence a-7k2f 1h")
    assert "Silenced" in await department.say("vera", "alert a-7k2f")
    assert "no longer silenced" in await department.say("boris", "unsilence a-7k2f")


async def test_the_plan_of_a_promotion_by_git(department: Department, reads_as: Check) -> None:
    await department.reported()
    made = await department.proposed("anna", "promote api v1.8.0")
    reads_as("operations/promote-waiting", card(department, made))
    (target,) = made.plan.targets
    assert target.hand is Hand.COMMIT
    assert target.template == department.cluster.rollouts[API].template
    assert target.committed == digest("api", "1.7.2")
    assert target.file == (await department.forge.read(*DEPLOY, "main")).sha
    assert target.image == image("api", "1.8.0")
    assert department.forge.messages == []
    assert department.cluster.done == []


async def test_the_plan_of_a_promotion_without_git(department: Department, reads_as: Check) -> None:
    department.cluster.becomes(API, images=(image("api", "1.8.0"),))
    department.cluster.becomes(
        next(w for w in department.cluster.rollouts if w.namespace == "staging"), images=(image("api", "1.7.2"),)
    )
    await department.reported()
    made = await department.proposed("anna", "выкатить api 1.8.0 в staging")
    reads_as("operations/promote-patch", card(department, made))
    assert [target.hand for target in made.plan.targets] == [Hand.PATCH]


async def test_the_words_of_a_promotion(department: Department) -> None:
    await department.reported()
    first = await department.proposed("anna", "promote api 1.8.0")
    await department.say("anna", f"cancel {first.id}")
    second = await department.proposed("anna", "promote API v1.8.0 to production")
    assert first.plan.hash == second.plan.hash
    assert first.id != second.id


async def test_a_tag_in_the_reported_image_is_not_part_of_the_repository(department: Department) -> None:
    await department.reported(image="registry.example/dept/api:1.8.0")
    made = await department.proposed("anna", "promote api 1.8.0")
    assert made.plan.targets[0].image == image("api", "1.8.0")


async def test_without_a_reported_image_the_running_one_names_the_repository(department: Department) -> None:
    await department.reported(image="")
    assert (await department.proposed("anna", "promote api 1.8.0")).plan.targets[0].image == image("api", "1.8.0")


async def test_a_sidecar_is_not_mistaken_for_the_service(department: Department) -> None:
    department.cluster.becomes(API, images=("registry.example/mesh/proxy@sha256:" + "9" * 64, image("api", "1.7.2")))
    await department.reported()
    made = await department.proposed("anna", "promote api 1.8.0")
    assert made.plan.targets[0].previous == image("api", "1.7.2")
    department.cluster.becomes(API, images=("registry.example/mesh/proxy@sha256:" + "9" * 64, image("api", "1.8.0")))
    department.forge.files[DEPLOY] = manifest("1.8.0")
    await department.say("anna", f"cancel {made.id}")
    assert "already runs" in await department.say("anna", "promote api 1.8.0", ok=False)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("promote", "promote <service> <version>"),
        ("promote api", "promote <service> <version>"),
        ("promote apii 1.8.0", "Did you mean api?"),
        ("promote api 9.9.9", "has not heard of api 9.9.9"),
        ("promote api 1.8.0 to moon", "has no environment moon"),
        ("promote api 1.8.0 to staging", "already runs in staging"),
        ("promote api 1.8.1", "has no image: no pipeline reported one"),
        ("promote api 1.8.2", "The pipeline of api 1.8.2 failed"),
        ("promote api 1.8.3", "is a pre-release"),
    ],
)
async def test_what_can_not_be_promoted(department: Department, words: str, said: str) -> None:
    await department.reported()
    await department.reported("1.8.1", digest="")
    await department.reported("1.8.2", stage="failed")
    await department.reported("1.8.3", prerelease=True)
    assert said in await department.say("anna", words, ok=False)
    assert await department.store.read(lambda tx: tx.live_operations()) == ()


async def test_a_promotion_that_git_can_not_carry(department: Department) -> None:
    await department.reported()
    department.forge.files[DEPLOY] = manifest("1.7.2").replace("/api", "/other")
    assert "has no image" in await department.say("anna", "promote api 1.8.0", ok=False)
    del department.forge.files[DEPLOY]
    assert "There is no deploy/production" in await department.say("anna", "promote api 1.8.0", ok=False)
    department.without = frozenset({"forge"})
    assert "no GitHub is configured" in await department.say("anna", "promote api 1.8.0", ok=False)


async def test_the_plan_of_a_restart(department: Department, reads_as: Check) -> None:
    made = await department.proposed("anna", "restart web")
    reads_as("operations/restart-waiting", card(department, made))
    assert made.plan.params["cluster"] == "nyc2"


async def test_the_plan_of_one_pod(department: Department, reads_as: Check) -> None:
    made = await department.proposed("anna", "перезапусти api api-6c9f7-b")
    reads_as("operations/restart-pod", card(department, made))
    assert made.plan.params["pod"] == "api-6c9f7-b"


@pytest.mark.parametrize(("missing", "first"), [(0, "the new one comes first"), (1, "the old one goes first")])
async def test_one_pod_is_spoken_of_as_one(department: Department, missing: int, first: str) -> None:
    department.cluster.becomes(WEB, desired=1, ready=1, missing=missing)
    made = await department.proposed("anna", "restart web")
    assert [step.title.plain() for step in made.plan.steps] == [
        f"Roll its only pod: {first}", "Watch until it is available",
    ]  # fmt: skip
    assert made.plan.blast[0].plain() == "Its only pod is ready now."


async def test_a_restart_elsewhere(department: Department) -> None:
    for where in ("in production-sfo3", "in sfo3", "в SFO3"):
        made = await department.proposed("anna", f"restart web {where}")
        assert (made.plan.params["cluster"], made.plan.environment) == ("sfo3", "production-sfo3")
        assert await department.say("anna", f"cancel {made.id}")
    made = await department.proposed("anna", "restart api in staging api-6c9f7-a")
    assert (made.plan.params["namespace"], made.plan.params["pod"]) == ("staging", "api-6c9f7-a")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("restart", "restart <service> [pod]"),
        ("restart moon", "There is no service moon"),
        ("restart api api-1", "has no pod api-1"),
        ("restart api in", "Name the environment after in"),
        ("restart api in moon", "has no environment moon"),
    ],
)
async def test_what_can_not_be_restarted(department: Department, words: str, said: str) -> None:
    assert said in await department.say("anna", words, ok=False)


async def test_a_paused_workload_is_not_restarted(department: Department) -> None:
    department.cluster.becomes(WEB, paused=True)
    assert "is paused in Kubernetes" in await department.say("anna", "restart web", ok=False)


@pytest.mark.parametrize("words", ["переключить с nyc2 на sfo3", "failover from NYC2 to SFO3", "failover nyc2 sfo3"])
async def test_a_failover_in_peoples_own_words(department: Department, words: str) -> None:
    made = await department.proposed("anna", words)
    assert (made.plan.params["source"], made.plan.params["target"]) == ("nyc2", "sfo3")


async def test_the_plan_of_a_failover(department: Department, reads_as: Check) -> None:
    department.witnesses.sights = {"prometheus": Sight.LOST, "outside": Sight.LOST, "kubernetes": Sight.UNKNOWN}
    made = await department.proposed("anna", "failover nyc2 to sfo3")
    reads_as("operations/failover-waiting", card(department, made))
    named = [step.name for step in made.plan.steps]
    assert named == ["freeze", "lag", "capacity", "fence", "promote", "shift", "verify", "report"]
    assert not {step.name for step in made.plan.steps if step.skippable} & {"freeze", "lag", "fence", "promote"}
    assert department.database.done == department.traffic.done == []


async def test_the_plan_of_a_drill(department: Department, reads_as: Check) -> None:
    made = await department.proposed("anna", "drill")
    reads_as("operations/drill-waiting", card(department, made))


@pytest.mark.parametrize(
    "words", ["failover sfo3 to nyc2", "failover nyc2", "failover nyc2 moon", "failover a to b to c"]
)
async def test_only_the_configured_way_is_failed_over(department: Department, words: str) -> None:
    assert "failover nyc2 to sfo3" in await department.say("anna", words, ok=False)


async def test_one_failover_at_a_time(department: Department) -> None:
    made = await department.proposed("anna", "failover nyc2 sfo3")
    said = await department.say("boris", "failover nyc2 to sfo3", ok=False)
    assert f"{made.id} still waits" in said
    assert f"end it: cancel {made.id}" in said
    assert await department.proposed("boris", "drill"), "it only looks"


async def test_approval_by_the_button(department: Department) -> None:
    await department.reported()
    made = await department.proposed("anna", "promote api 1.8.0")
    seen = made.plan.hash[:8]
    assert "somebody else" in await department.say("anna", f"approve {made.id} {seen}", pressed=True, ok=False)
    assert "another plan" in await department.say("boris", f"approve {made.id} 00000000", pressed=True, ok=False)
    assert department.approved == []
    said = await department.say("boris", f"approve {made.id} {seen}", pressed=True)
    assert f"You approved {made.id}" in said
    assert department.approved == [made.id]
    assert "is not waiting for approval" in await department.say(
        "boris", f"approve {made.id} {seen}", pressed=True, ok=False
    )
    assert "is not waiting for approval" in await department.say(
        "chen", f"approve {made.id} {seen}", pressed=True, ok=False
    )
    assert department.approved == [made.id], "a second press starts nothing"
    results = [entry[3] for entry in await department.audit()]
    assert results == ["proposed", "refused", "refused", "approved", "refused", "refused"]


async def test_approval_by_words(department: Department) -> None:
    made = await department.proposed("anna", "restart web")
    assert "Your roles do not cover" in await department.say("vera", f"approve {made.id}", ok=False)
    assert "You approved" in await department.say("anna", f"одобрить {made.id.removeprefix('op-')}"), (
        "no four eyes here"
    )
    assert "There is no operation" in await department.say("boris", "approve 9999", ok=False)
    assert "approve <op>" in await department.say("boris", "approve", ok=False)


async def test_two_people_have_to_press(department: Department, reads_as: Check) -> None:
    department.policy = Policy({"restart": Rule(approvals=2, four_eyes=True)})
    made = await department.proposed("anna", "restart web")
    await department.say("boris", f"approve {made.id}")
    assert "already approved" in await department.say("boris", f"approve {made.id}", ok=False)
    half = await department.operation(made.id)
    assert half.state is State.WAITING
    reads_as("operations/half-approved", card(department, half))
    await department.say("chen", f"approve {made.id}")
    assert (await department.operation(made.id)).state is State.APPROVED
    assert department.approved == [made.id]


async def test_a_late_press(department: Department) -> None:
    made = await department.proposed("anna", "restart web")
    department.clock.at += timedelta(minutes=30)
    assert "has expired" in await department.say("boris", f"approve {made.id}", ok=False)
    assert department.approved == []


async def test_rejection(department: Department, reads_as: Check) -> None:
    made = await department.proposed("anna", "restart web")
    await department.say("boris", f"reject {made.id} not before lunch")
    rejected = await department.operation(made.id)
    assert rejected.state is State.REJECTED
    reads_as("operations/rejected", card(department, rejected))
    assert department.approved == []


async def test_a_pressed_rejection_names_its_plan(department: Department) -> None:
    made = await department.proposed("anna", "restart web")
    assert "another plan" in await department.say("boris", f"reject {made.id} 00000000", pressed=True, ok=False)
    await department.say("boris", f"reject {made.id} {made.plan.hash[:8]}", pressed=True)
    assert (await department.operation(made.id)).approvals[0].reason == ""


async def test_cancel(department: Department) -> None:
    made = await department.proposed("anna", "restart web")
    assert "is cancelled" in await department.say("boris", f"отменить {made.id}")
    assert "can't be cancelled" in await department.say("boris", f"cancel {made.id}", ok=False)
    assert "is not waiting" in await department.say("boris", f"approve {made.id}", ok=False)


async def test_the_lists_of_operations(department: Department) -> None:
    made = await department.proposed("anna", "restart web")
    said = await department.say("vera", "ops")
    assert made.id in said
    assert "waiting for approval" in said
    assert card(department, made) == (
        (await department.say("vera", f"op {made.id}"))
        .replace(made.id, "op-0000")
        .replace(made.plan.hash[:8], "00000000")
    )


async def test_without_approvals_it_begins_at_once(department: Department) -> None:
    department.policy = Policy({"restart": Rule(approvals=0)})
    made = await department.proposed("anna", "restart web")
    assert made.state is State.APPROVED
    assert department.approved == [made.id]


async def paused(department: Department) -> Operation:
    made = await department.proposed("anna", "restart web")
    stuck = made.moved(State.APPROVED).moved(State.RUNNING).moved(State.PAUSED)
    first, second = made.steps
    steps = (
        StepReport(first.name, "done", STUCK, department.clock.at, department.clock.at + timedelta(seconds=2)),  # type: ignore[arg-type]
        StepReport(second.name, "failed", STUCK, department.clock.at, department.clock.at + timedelta(seconds=90)),  # type: ignore[arg-type]
    )
    stuck = type(made)(**{
        **{name: getattr(stuck, name) for name in stuck.__dataclass_fields__},
        "steps": steps, "choices": (Choice.RETRY, Choice.SKIP, Choice.ABORT),
    })  # fmt: skip
    await department.store.write(lambda tx: tx.save_operation(stuck))
    return stuck


async def test_a_paused_operation_offers_what_is_safe(department: Department, reads_as: Check) -> None:
    stuck = await paused(department)
    reads_as("operations/paused", card(department, stuck))
    assert "offers only: retry, skip, abort" in await department.say("anna", f"resume {stuck.id} undo", ok=False)
    assert "resume <op> retry|skip|undo|abort" in await department.say("anna", f"resume {stuck.id} dance", ok=False)
    assert "resume <op> retry|skip|undo|abort" in await department.say("anna", f"resume {stuck.id}", ok=False)
    assert "Your roles do not cover" in await department.say("vera", f"resume {stuck.id} retry", ok=False)
    assert "offers only" in await department.say("boris", f"продолжить {stuck.id} вернуть", ok=False)
    assert "goes on: Retry" in await department.say("boris", f"продолжить {stuck.id} ПОВТОРИТЬ")


async def test_only_what_is_paused_goes_on(department: Department) -> None:
    made = await department.proposed("anna", "restart web")
    assert "is not paused" in await department.say("anna", f"resume {made.id} retry", ok=False)
