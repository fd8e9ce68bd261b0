"""Small pieces that several commands answer with."""

from __future__ import annotations

from bot.domain.alerts import Group
from bot.domain.errors import UserError
from bot.domain.ids import ALERT, full
from bot.domain.messages import Block, Button, Message, Paragraph, Tone
from bot.domain.phrases import Code, Phrase
from bot.domain.services import Environment, Service
from bot.ports.cluster import Rollout, Workload
from bot.ports.commands import Call, Reply
from bot.ports.store import Tx


def said(
    title: Phrase, *blocks: Block, tone: Tone = Tone.INFO, buttons: tuple[Button, ...] = (), whole: str = ""
) -> Reply:
    """A reply that only informs."""
    return Reply(Message(title, tone, blocks, buttons, whole))


def done(title: Phrase, text: Phrase | None = None, *, operation: str = "") -> Reply:
    """A reply that confirms."""
    return Reply(Message(title, Tone.OK, (Paragraph(text),) if text else ()), operation)


def misuse(usage: str) -> UserError:
    """How the command is written, for whoever wrote it otherwise."""
    return UserError("Write it like this: {usage}", usage=Code(usage))


def argument(call: Call, at: int, usage: str) -> str:
    """The word at *at*; without it, how the command is written."""
    if len(call.args) <= at:
        raise misuse(usage)
    return call.args[at]


def chosen_environment(call: Call, service: Service, word: str) -> tuple[Environment, tuple[str, ...]]:
    """The environment named after *word* ("in"), and the other arguments; production's first cluster by default."""
    args = call.args[1:]
    if word in args:
        at = args.index(word)
        if at + 1 >= len(args):
            raise UserError("Name the environment after {word}.", word=Code(word))
        return service.environment(args[at + 1]), (*args[:at], *args[at + 2 :])
    return service.primary, args


def env_named(call: Call, service: Service) -> tuple[Environment, tuple[str, ...]]:
    """As ``chosen_environment``, after "in" or "в"."""
    return chosen_environment(call, service, "в" if "в" in call.args else "in")


def alert_named(tx: Tx, typed: str) -> Group:
    """The alert group of that id. UserError: there is none."""
    group = tx.group(full(ALERT, typed))
    if group is None:
        raise no_alert(full(ALERT, typed))
    return group


def no_alert(ident: str) -> UserError:
    """There is none called *ident*."""
    return UserError("There is no alert {id}. {list} shows what is firing.", id=Code(ident[:40]), list=Code("alerts"))


def params(environment: Environment) -> dict[str, str]:
    """Where a plan's flow finds the workload."""
    return {
        "cluster": environment.cluster, "namespace": environment.namespace,
        "kind": environment.kind, "name": environment.workload,
    }  # fmt: skip


def unpaused(target: Workload, rollout: Rollout) -> Rollout:
    """*rollout*. UserError: it is paused, so that nothing of it would come to an end."""
    if rollout.paused:
        raise UserError(
            "{name} is paused in Kubernetes; resume it there first.", name=Code(f"{target.kind}/{target.name}")
        )
    return rollout
