"""What docs/ takes from the code. ``make docs`` writes it; tests/test_docs.py holds the files against it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import handlers
from bot.cli import runbook
from bot.cli.policy_page import page
from bot.domain.burnrates import SCRAPE
from bot.domain.phrases import English
from bot.domain.policy import DEFAULTS, Policy
from bot.domain.routes import Route
from bot.domain.services import Catalogue, Environment, Service
from config.loader import EXAMPLE, load
from handlers.alerting.rules import Rules
from handlers.shaping.sizes import Sizer

BY_HAND = {"en": "failover.md", "ru": "failover.ru.md"}
DOCS = Path(__file__).parents[1] / "docs"


def commands_page() -> str:
    """docs/commands.md: every command with its words, usage, policy and examples."""
    lines = ["# Commands", "", "Written by `make docs`. Words in any language work everywhere text is read.", ""]
    for command in handlers.commands(_ports(), None):  # type: ignore[arg-type]  # nothing is called
        lines += [f"## {command.name}", "", f"`{command.usage}`: {command.about.plain()}.", ""]
        if len(command.words) > 1:
            lines += [f"Also: {', '.join(f'`{word}`' for word in command.words[1:])}.", ""]
        if command.action:
            rule = DEFAULTS[command.action]
            eyes = ", the proposer's own does not count" if rule.four_eyes else ""
            lines += [
                f"Policy `{command.action}`: roles {', '.join(sorted(rule.roles))}; approvals {rule.approvals}{eyes}.",
                "",
            ]
        lines += [f"- `{example}`" for example in command.examples] + [""] * bool(command.examples)
    return "\n".join(lines).rstrip() + "\n"


def policy_page() -> str:
    """docs/error-budget-policy.md: the policy of the example configuration."""
    return page(load(EXAMPLE, sealed=True), SCRAPE, "en")


def failover_page(locale: str) -> str:
    """docs/runbooks/failover.md and failover.ru.md: the failover of the example configuration, by hand."""
    return runbook.page(load(EXAMPLE, sealed=True), locale)


def _ports() -> Any:
    production = Environment("production", "nyc2", "production", "deployment", "api")
    api = Service("api", "production", "deployment", "api", ("nyc2",), (production,), "dept/api")
    given: dict[str, Any] = dict.fromkeys(handlers.Ports.__dataclass_fields__)
    given |= {
        "policy": Policy(),
        "services": Catalogue((api,)),
        "slos": (),
        "freezes": (),
        "approvals_in": (),
        "sizer": Sizer(None, None, None),  # type: ignore[arg-type]  # nothing is asked
        "words": English(),
        "rules": Rules((Route(("slack:C0OPS",)),)),
    }
    return handlers.Ports(**given)


if __name__ == "__main__":
    (DOCS / "commands.md").write_text(commands_page())
    (DOCS / "error-budget-policy.md").write_text(policy_page())
    for locale, name in BY_HAND.items():
        (DOCS / "runbooks" / name).write_text(failover_page(locale))
